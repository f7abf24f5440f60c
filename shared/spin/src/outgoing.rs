//! Converts responses to the types of the host, and sends them in one part.

use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::LocalBoxFuture;
use http::{HeaderMap, StatusCode};
use leaderboard_api::{BodyWriter, LaterBody, PartWrite};
use leaderboard_pipeline::MicroCacheHit;
use spin_sdk::wasip3::http::types::{ErrorCode, Fields, HeaderError, Response, Trailers};
use spin_sdk::wasip3::wit_bindgen::{FutureWriter, StreamWriter};
use spin_sdk::wasip3::{spawn, wit_future, wit_stream};

use crate::after_response::AfterResponse;
use crate::timeout::within;

/// How long work that waits for the end of the response waits for the host to take the body. A client that reads slowly must not
/// hold back the invalidation of caches.
const BODY_PATIENCE: Duration = Duration::from_millis(20);

/// Converts a response of the pipeline. `later_body` sends the further parts of its body.
///
/// # Errors
/// The host refuses a header as malformed.
pub(crate) fn convert_response(
    response: http::Response<Bytes>,
    later_body: Option<LaterBody>,
) -> Result<Outgoing, ErrorCode> {
    let (head, body) = response.into_parts();
    respond(head.status, fields(&head.headers)?, body, later_body)
}

/// The writer of a body that has further parts.
struct StreamedBody {
    writer: StreamWriter<u8>,
    /// Ends the response when it is dropped.
    _trailers: FutureWriter<Result<Option<Trailers>, ErrorCode>>,
}

impl BodyWriter for StreamedBody {
    fn write(&mut self, part: Bytes) -> PartWrite<'_> {
        Box::pin(async move { self.writer.write_all(part.into()).await.is_empty() })
    }
}

/// Converts headers.
///
/// # Errors
/// The host refuses a header as malformed.
fn fields(headers: &HeaderMap) -> Result<Fields, ErrorCode> {
    let entries: Vec<_> = headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
        .collect();
    Fields::from_list(&entries).map_err(|error| malformed(&error))
}

/// A response whose body the host begins to read, and the work that waits until the host has taken the body.
pub(crate) struct Outgoing {
    response: Response,
    /// The rest of the write; `None` if the response has no body, or if the host has taken all of it.
    body_write: Option<LocalBoxFuture<'static, ()>>,
}

impl Outgoing {
    /// Returns the response, and starts the work that requests left for the time after it.
    ///
    /// The work starts when the host has taken the body, or after [`BODY_PATIENCE`]. If it started earlier, the host could be busy
    /// with calls of this work and send the headers alone; the client's delayed acknowledgement would then hold the body back.
    pub(crate) fn into_response(self, later: &Rc<AfterResponse>) -> Response {
        let later = Rc::clone(later);
        match self.body_write {
            Some(write) if later.is_empty() => {
                later.start();
                spawn(write);
            }
            Some(write) => spawn(async move {
                let mut write = write;
                let in_time = within(BODY_PATIENCE, write.as_mut()).await;
                later.start();
                if in_time.is_err() {
                    write.await;
                }
            }),
            None => later.start(),
        }
        self.response
    }
}

/// Creates a response, and begins to write its body, so that the host finds the body when it takes the response.
///
/// # Errors
/// The host refuses the status.
fn respond(
    status: StatusCode,
    headers: Fields,
    body: Bytes,
    later_body: Option<LaterBody>,
) -> Result<Outgoing, ErrorCode> {
    let (trailers_writer, trailers) = wit_future::new(|| Ok(None));
    let (body_write, contents) = if body.is_empty() {
        drop(trailers_writer);
        (None, None)
    } else {
        let (mut writer, contents) = wit_stream::new();
        let write = async move {
            // What is left of the body was not sent, because the client closed the connection.
            let left = writer.write_all(body.into()).await;
            match later_body {
                Some(later_body) if left.is_empty() => later_body.begin(Box::new(StreamedBody {
                    writer,
                    _trailers: trailers_writer,
                })),
                _ => drop(trailers_writer),
            }
        };
        (Some(write.boxed_local()), Some(contents))
    };
    let (response, _sent) = Response::new(headers, contents, trailers);
    // 200 is the default of a new response. Setting it would be a call of the host.
    if status != StatusCode::OK {
        response
            .set_status_code(status.as_u16())
            .map_err(|()| ErrorCode::InternalError(Some("a status is malformed".to_owned())))?;
    }
    let body_write = body_write.and_then(|mut write| match write.as_mut().now_or_never() {
        Some(()) => None,
        None => Some(write),
    });
    Ok(Outgoing { response, body_write })
}

/// Converts a response of the micro-cache. The host copies headers that it already has, which is cheaper than receiving new ones.
///
/// # Errors
/// The host refuses a header as malformed.
pub(crate) fn convert_hit(hit: &MicroCacheHit) -> Result<Outgoing, ErrorCode> {
    let entry = &hit.entry;
    let headers = match entry.prepared(fields)? {
        Some(prepared) => Fields::clone(prepared),
        None => fields(entry.headers())?,
    };
    for (name, value) in &hit.own_headers {
        headers
            .append(name.as_str(), value.as_bytes())
            .map_err(|error| malformed(&error))?;
    }
    respond(entry.status(), headers, entry.body().clone(), None)
}

fn malformed(error: &HeaderError) -> ErrorCode {
    ErrorCode::InternalError(Some(error.to_string()))
}
