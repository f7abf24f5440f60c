//! Bounded reading of request bodies: Spin itself sets no limit.

use bytes::BytesMut;
use futures::StreamExt;
use http::header::CONTENT_LENGTH;
use leaderboard_http::{Body, MAX_BODY_BYTES};
use spin_sdk::http::Request;
use spin_sdk::http::body::IncomingBodyExt;

/// Reads a request's body, up to the limit and not a byte further.
///
/// # Errors
/// When the client went away in the middle; nobody is left to answer then.
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
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|error| format!("reading the body: {error}"))?;
        if body.len() + chunk.len() > MAX_BODY_BYTES {
            return Ok(http::Request::from_parts(head, Body::TooLarge));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(http::Request::from_parts(head, Body::Bytes(body.freeze())))
}
