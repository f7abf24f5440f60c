//! A benchmark guest that runs one Redis script for each request, and does nothing else. It shows the lowest
//! cost of a write.

use std::cell::OnceCell;
use std::rc::Rc;

use bytes::Bytes;
use http::StatusCode;
use http::header::CONTENT_LENGTH;
use spin_sdk::http::{FullBody, Request};
use spin_sdk::http_service;
use spin_sdk::redis::{Connection, RedisParameter};

/// The digest of `return redis.call("INCR", KEYS[1])`, which the benchmark has loaded.
const DIGEST: &str = "f793247de6e1e3c553cd42d39c812df499e679e4";
/// The Redis key that the script increments.
const KEY: &str = "written";

thread_local! {
    /// The connection of this instance.
    static REDIS: OnceCell<Rc<Connection>> = const { OnceCell::new() };
}

#[http_service]
async fn evalsha(_request: Request) -> http::Result<http::Response<FullBody<Bytes>>> {
    let (status, body) = match run_script().await {
        Ok(()) => (StatusCode::OK, Bytes::from_static(b"done")),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, Bytes::from(error)),
    };
    http::Response::builder()
        .status(status)
        .header(CONTENT_LENGTH, body.len())
        .body(FullBody::new(body))
}

async fn run_script() -> Result<(), String> {
    let connection = open_connection().await?;
    let arguments = [DIGEST, "1", KEY].map(|text| RedisParameter::Binary(text.as_bytes().to_vec()));
    let done = connection.execute("EVALSHA", arguments).await;
    done.map(drop).map_err(|error| error.to_string())
}

/// Returns the connection of this instance. The first call opens it.
async fn open_connection() -> Result<Rc<Connection>, String> {
    if let Some(open) = REDIS.with(|cell| cell.get().cloned()) {
        return Ok(open);
    }
    let address = spin_sdk::variables::get("redis_url").await;
    let address = address.map_err(|error| error.to_string())?;
    let opened = Connection::open(address).await;
    let opened = Rc::new(opened.map_err(|error| error.to_string())?);
    Ok(REDIS.with(|cell| cell.get_or_init(|| opened).clone()))
}
