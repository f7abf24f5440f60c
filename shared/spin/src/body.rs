//! Bounded reading of request bodies: Spin itself sets no limit.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use http::header::{CONTENT_LENGTH, EXPECT};
use http::{Method, request};
use leaderboard_http::{Body, MAX_BODY_BYTES};
use spin_sdk::http::Request;
use spin_sdk::http::body::IncomingBodyExt;

use crate::timeout::{TimedOut, within};

/// How long a client may pause in the middle of its body.
const CHUNK_LIMIT: Duration = Duration::from_secs(10);

/// Bytes of a body that is too large which are still taken in, and thrown away: a client whose connection is closed
/// while it sends may never see the answer.
const MAX_DISCARDED_BYTES: usize = 4 << 20;

/// Reads a request's body; keeps it up to the limit.
///
/// # Errors
/// When the client went away in the middle, or stopped sending; nobody is left to answer then.
pub(crate) async fn read(request: Request) -> Result<http::Request<Body>, String> {
    let (head, incoming) = request.into_parts();
    let declared = head
        .headers
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<usize>().ok())
        .unwrap_or_default();
    // A client that asks first sends nothing when it is refused.
    let asks_first = head.headers.contains_key(EXPECT);
    if declared > MAX_BODY_BYTES && (asks_first || declared > MAX_BODY_BYTES + MAX_DISCARDED_BYTES) {
        return Ok(http::Request::from_parts(head, Body::TooLarge));
    }
    if has_none(&head) {
        // Without looking at the stream: each look is a call of the host.
        return Ok(http::Request::from_parts(head, Body::Bytes(Bytes::new())));
    }
    let mut body = BytesMut::with_capacity(declared.min(MAX_BODY_BYTES));
    let mut received = 0;
    let mut chunks = incoming.stream();
    while received <= MAX_BODY_BYTES + MAX_DISCARDED_BYTES {
        let next = within(CHUNK_LIMIT, chunks.next()).await;
        let Some(chunk) = next.map_err(|TimedOut| "the body stopped coming".to_owned())? else {
            break;
        };
        let chunk = chunk.map_err(|error| format!("reading the body: {error}"))?;
        received += chunk.len();
        if received <= MAX_BODY_BYTES {
            body.extend_from_slice(&chunk);
        }
    }
    let body = if received > MAX_BODY_BYTES {
        Body::TooLarge
    } else {
        Body::Bytes(body.freeze())
    };
    Ok(http::Request::from_parts(head, body))
}

/// Whether a request has no body that any route would read.
fn has_none(head: &request::Parts) -> bool {
    matches!(head.method, Method::GET | Method::HEAD | Method::OPTIONS)
}
