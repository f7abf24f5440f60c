//! Bounded reading of request bodies: Spin itself sets no limit.

use std::time::Duration;

use bytes::BytesMut;
use futures::StreamExt;
use http::header::CONTENT_LENGTH;
use leaderboard_http::{Body, MAX_BODY_BYTES};
use spin_sdk::http::Request;
use spin_sdk::http::body::IncomingBodyExt;

use crate::timeout::{TimedOut, within};

/// How long a client may pause in the middle of its body.
const CHUNK_LIMIT: Duration = Duration::from_secs(10);

/// Reads a request's body, up to the limit and not a byte further.
///
/// # Errors
/// When the client went away in the middle, or stopped sending; nobody is left to answer then.
pub(crate) async fn read(request: Request) -> Result<http::Request<Body>, String> {
    let (head, incoming) = request.into_parts();
    let declared = head
        .headers
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if declared.is_some_and(|length| length > MAX_BODY_BYTES) {
        return Ok(http::Request::from_parts(head, Body::TooLarge));
    }
    let mut body = BytesMut::with_capacity(declared.unwrap_or_default());
    let mut chunks = incoming.stream();
    loop {
        let next = within(CHUNK_LIMIT, chunks.next()).await;
        let Some(chunk) = next.map_err(|TimedOut| "the body stopped coming".to_owned())? else {
            break;
        };
        let chunk = chunk.map_err(|error| format!("reading the body: {error}"))?;
        if body.len() + chunk.len() > MAX_BODY_BYTES {
            return Ok(http::Request::from_parts(head, Body::TooLarge));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(http::Request::from_parts(head, Body::Bytes(body.freeze())))
}
