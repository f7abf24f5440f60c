//! A leaderboard server without WebAssembly, made of axum and the `redis` crate. It has those routes of the
//! service that are measured.
//!
//! Reads come from a sorted set for each leaderboard, with the players as members. Writes run the function
//! library of the service on the data of the service. There is no authentication, no rate limit and no cache.

mod reads;
mod writes;

use anyhow::Result;
use axum::Json;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use redis::aio::MultiplexedConnection;
use serde_json::Value;

pub(crate) use writes::Library;
use writes::{Body, Writer};

/// The status and the text of a response to a failed request.
type Failure = (StatusCode, String);

/// The state that all handlers share.
#[derive(Debug, Clone)]
struct Server {
    connection: MultiplexedConnection,
    writer: Writer,
}

/// Returns the key of a leaderboard's sorted set.
pub(crate) fn sorted_set(leaderboard: &str) -> String {
    format!("native:{leaderboard}")
}

/// Serves on a free port until the process is killed. The first line of the output contains the address.
pub(crate) fn serve(redis_url: &str) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let connection = redis::Client::open(redis_url)?
            .get_multiplexed_async_connection()
            .await?;
        let writer = Writer::start(redis_url)?;
        let routes = Router::new()
            .route("/bench/hello", get(async || "hello"))
            .route("/api/v1/leaderboards/{leaderboard}/entries", get(top))
            .route("/api/v1/leaderboards/{leaderboard}/entries/{player}", get(rank))
            .route(
                "/api/v1/leaderboards/{leaderboard}/entries/{player}/around",
                get(around),
            )
            .route("/api/v1/leaderboards/{leaderboard}/scores", post(submit))
            .with_state(Server { connection, writer });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        println!("Serving http://{}", listener.local_addr()?);
        Ok(axum::serve(listener, routes).await?)
    })
}

async fn top(State(server): State<Server>, Path(leaderboard): Path<String>) -> Result<Json<Value>, Failure> {
    respond(reads::read_top(server.connection, &leaderboard).await)
}

async fn rank(
    State(server): State<Server>,
    Path((leaderboard, player)): Path<(String, String)>,
) -> Result<Json<Value>, Failure> {
    respond(reads::read_rank(server.connection, &leaderboard, &player).await)
}

async fn around(
    State(server): State<Server>,
    Path((leaderboard, player)): Path<(String, String)>,
) -> Result<Json<Value>, Failure> {
    respond(reads::read_around(server.connection, &leaderboard, &player).await)
}

async fn submit(
    State(server): State<Server>,
    Path(leaderboard): Path<String>,
    Json(body): Json<Body>,
) -> Result<Json<Value>, Failure> {
    let result = server.writer.submit(leaderboard, body).await;
    result
        .map(Json)
        .map_err(|error| (StatusCode::INTERNAL_SERVER_ERROR, error))
}

/// Converts the result of a read to a response.
fn respond(result: redis::RedisResult<Option<Value>>) -> Result<Json<Value>, Failure> {
    match result {
        Ok(Some(value)) => Ok(Json(value)),
        Ok(None) => Err((StatusCode::NOT_FOUND, "no such player".into())),
        Err(error) => Err((StatusCode::INTERNAL_SERVER_ERROR, error.to_string())),
    }
}
