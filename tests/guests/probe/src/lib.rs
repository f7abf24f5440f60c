//! A test guest that does what the path of a request names: `/redis?command=GET&argument=k`, `/sleep?ms=5`,
//! `/loop` and so on. The response is the result of the host interface as text, even if it is an error, so
//! that a test sees exactly what a guest sees.

mod machine;
mod query;
mod storage;

use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::{Response, StatusCode};
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;
use spin_sdk::http::body::IncomingBodyExt;
use spin_sdk::http::{FullBody, Request};
use spin_sdk::http_service;

use query::Query;

/// The body of a response, whole or streamed.
type Body = UnsyncBoxBody<Bytes, anyhow::Error>;

#[http_service]
async fn probe(request: Request) -> anyhow::Result<Response<Body>> {
    let query = Query::parse(request.uri().query().unwrap_or(""));
    let info = request
        .headers()
        .get("spin-path-info")
        .and_then(|info| info.to_str().ok());
    let path = info.unwrap_or("/").to_owned();
    match path.as_str() {
        "/stream" => {
            return Ok(Response::new(machine::stream(
                query.number("chunks"),
                query.number("ms"),
            )));
        }
        "/echo" => return respond(String::from_utf8_lossy(&request.into_body().bytes().await?).into_owned()),
        "/length" => return count_body_bytes(request).await,
        _ => {}
    }
    let answer = match path.as_str() {
        "/fetch" => fetch(query.text("url")).await,
        "/print" => machine::print(query.text("text")),
        "/environment" => std::env::var(query.text("name")).unwrap_or_else(|error| error.to_string()),
        "/instance" => machine::instance(),
        "/sleep" => machine::sleep(query.number("ms")).await,
        "/busy" => machine::busy(query.number("ms")),
        "/loop" => machine::run_away(),
        "/abort" => std::process::abort(),
        "/grow" => machine::grow(query.number("mib")),
        other => match storage::answer(other, &query).await {
            Some(answer) => answer,
            None => describe_request(&request),
        },
    };
    respond(answer)
}

/// Creates a response with a text.
fn respond(text: String) -> anyhow::Result<Response<Body>> {
    let builder = Response::builder()
        .status(StatusCode::OK)
        .header(CONTENT_LENGTH, text.len());
    Ok(builder.body(
        FullBody::new(Bytes::from(text))
            .map_err(anyhow::Error::from)
            .boxed_unsync(),
    )?)
}

/// Returns the URL and the header fields as lines, in the order in which the guest got them.
fn describe_request(request: &Request) -> String {
    let mut lines = format!("url: {}\n", request.uri());
    for (name, value) in request.headers() {
        lines.push_str(&format!(
            "{name}: {}\n",
            String::from_utf8_lossy(value.as_bytes())
        ));
    }
    lines
}

/// Responds with the number of bytes of the body, or with the reason why the body could not be read to its
/// end.
async fn count_body_bytes(request: Request) -> anyhow::Result<Response<Body>> {
    respond(match request.into_body().bytes().await {
        Ok(bytes) => bytes.len().to_string(),
        Err(error) => format!("{error:?}"),
    })
}

/// Sends a GET to `url`, and returns the status and the body, or the error.
async fn fetch(url: &str) -> String {
    match spin_sdk::http::get(url).await {
        Err(error) => format!("{error:?}"),
        Ok(response) => {
            let status = response.status().as_u16();
            match response.into_body().bytes().await {
                Ok(body) => format!("{status} {}", String::from_utf8_lossy(&body)),
                Err(error) => format!("{status} {error:?}"),
            }
        }
    }
}
