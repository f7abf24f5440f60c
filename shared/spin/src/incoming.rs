//! Requests as the host hands them over. The SDK's own conversion also asks for what no route reads (scheme, authority, options,
//! trailers), and each question is a call of the host.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, EXPECT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use leaderboard_http::{Body, MAX_BODY_BYTES, RawHeaders};
use spin_sdk::wasip3::http::types::{self, ErrorCode};
use spin_sdk::wasip3::wit_bindgen::{StreamReader, StreamResult};
use spin_sdk::wasip3::wit_future;

use crate::timeout::{TimedOut, within};

/// How long a client may pause in the middle of its body.
const CHUNK_LIMIT: Duration = Duration::from_secs(10);
/// Bytes of a body that is too large which are still taken in, and thrown away: a client whose connection is closed
/// while it sends may never see the answer.
const MAX_DISCARDED_BYTES: usize = 4 << 20;
/// Bytes that are read at a time where the client does not say how many will come.
const CHUNK_BYTES: usize = 16 * 1024;

/// A request of which the body has not been read.
pub(crate) struct Incoming {
    pub(crate) method: Method,
    /// With the query.
    pub(crate) path: String,
    pub(crate) headers: RawHeaders,
    request: types::Request,
}

impl Incoming {
    /// Asks the host for the head.
    ///
    /// # Errors
    /// When the method is none that HTTP allows.
    pub(crate) fn new(request: types::Request) -> Result<Self, ErrorCode> {
        let method =
            Method::try_from(request.get_method()).map_err(|_| ErrorCode::HttpRequestMethodInvalid)?;
        let path = request.get_path_with_query().unwrap_or_else(|| "/".to_owned());
        let headers = request.get_headers().copy_all();
        Ok(Self {
            method,
            path,
            headers,
            request,
        })
    }

    /// The head in the pipeline's types, and a body to be read.
    ///
    /// # Errors
    /// When the address or a header is none that HTTP allows; the host lets no such request through.
    pub(crate) fn into_parts(self) -> Result<(http::Request<()>, types::Request), ErrorCode> {
        let mut request = http::Request::new(());
        *request.method_mut() = self.method;
        *request.uri_mut() = Uri::try_from(self.path).map_err(|_| ErrorCode::HttpRequestUriInvalid)?;
        *request.headers_mut() = header_map(self.headers)?;
        Ok((request, self.request))
    }
}

fn header_map(headers: RawHeaders) -> Result<HeaderMap, ErrorCode> {
    let invalid = || ErrorCode::InternalError(Some("a header is malformed".to_owned()));
    let mut map = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers {
        let name = HeaderName::try_from(name).map_err(|_| invalid())?;
        map.append(name, HeaderValue::try_from(value).map_err(|_| invalid())?);
    }
    Ok(map)
}

/// Reads a request's body; keeps it up to the limit.
///
/// # Errors
/// When the client went away in the middle, or stopped sending; nobody is left to answer then.
pub(crate) async fn body(head: &http::Request<()>, request: types::Request) -> Result<Body, String> {
    let declared = declared_length(head.headers());
    // A client that asks first sends nothing when it is refused.
    let asks_first = head.headers().contains_key(EXPECT);
    let too_large = declared.is_some_and(|bytes| {
        bytes > MAX_BODY_BYTES && (asks_first || bytes > MAX_BODY_BYTES + MAX_DISCARDED_BYTES)
    });
    if too_large {
        return Ok(Body::TooLarge);
    }
    if matches!(*head.method(), Method::GET | Method::HEAD | Method::OPTIONS) || declared == Some(0) {
        // Without looking at the stream: each look is a call of the host.
        return Ok(Body::Bytes(Bytes::new()));
    }
    let (_taken, result) = wit_future::new(|| Ok(()));
    let (mut stream, trailers) = types::Request::consume_body(request, result);
    match declared {
        Some(bytes) => exactly(&mut stream, bytes).await,
        None => {
            let body = all(&mut stream).await?;
            // How it ended stands behind it.
            let ended = within(CHUNK_LIMIT, trailers.into_future()).await;
            match ended {
                Ok(Ok(_)) => Ok(body),
                Ok(Err(error)) => Err(format!("reading the body: {error}")),
                Err(TimedOut) => Err("the body stopped coming".to_owned()),
            }
        }
    }
}

/// A body of a length that the client told. Its end is not waited for: that would be one more call of the host.
async fn exactly(stream: &mut StreamReader<u8>, bytes: usize) -> Result<Body, String> {
    let mut body = Vec::new();
    let mut received = 0;
    while received < bytes {
        let chunk = next(stream, (bytes - received).min(MAX_BODY_BYTES)).await?;
        let chunk = chunk.ok_or("the body ended early")?;
        received += chunk.len();
        add(&mut body, chunk);
    }
    Ok(whole(body, received))
}

/// A body of any length, as far as it is taken in.
async fn all(stream: &mut StreamReader<u8>) -> Result<Body, String> {
    let mut body = Vec::new();
    let mut received = 0;
    while received <= MAX_BODY_BYTES + MAX_DISCARDED_BYTES
        && let Some(chunk) = next(stream, CHUNK_BYTES).await?
    {
        received += chunk.len();
        add(&mut body, chunk);
    }
    Ok(whole(body, received))
}

/// At most `room` bytes; `None` at the end.
async fn next(stream: &mut StreamReader<u8>, room: usize) -> Result<Option<Vec<u8>>, String> {
    let read = within(CHUNK_LIMIT, stream.read(Vec::with_capacity(room))).await;
    let (result, chunk) = read.map_err(|TimedOut| "the body stopped coming".to_owned())?;
    let more = matches!(result, StreamResult::Complete(_)) || !chunk.is_empty();
    Ok(more.then_some(chunk))
}

/// Keeps a chunk, up to the limit and no further.
fn add(body: &mut Vec<u8>, chunk: Vec<u8>) {
    if body.is_empty() {
        *body = chunk;
    } else if body.len() <= MAX_BODY_BYTES {
        body.extend_from_slice(&chunk);
    }
}

fn whole(body: Vec<u8>, received: usize) -> Body {
    if received > MAX_BODY_BYTES {
        return Body::TooLarge;
    }
    Body::Bytes(body.into())
}

fn declared_length(headers: &HeaderMap) -> Option<usize> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
