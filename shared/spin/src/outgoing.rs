//! Converts responses to the types of the host.

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use leaderboard_pipeline::MicroCacheHit;
use spin_sdk::wasip3::http::types::{ErrorCode, Fields, HeaderError, Response};
use spin_sdk::wasip3::{spawn, wit_future, wit_stream};

/// Converts a response of the pipeline.
///
/// # Errors
/// The host refuses a header as malformed.
pub(crate) fn convert_response(response: http::Response<Bytes>) -> Result<Response, ErrorCode> {
    let (head, body) = response.into_parts();
    respond(head.status, fields(&head.headers)?, body)
}

/// Converts headers.
///
/// # Errors
/// The host refuses a header as malformed.
pub(crate) fn fields(headers: &HeaderMap) -> Result<Fields, ErrorCode> {
    let entries: Vec<_> = headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
        .collect();
    Fields::from_list(&entries).map_err(|error| malformed(&error))
}

/// Creates a response. Its body is written after this function has returned.
///
/// # Errors
/// The host refuses the status.
pub(crate) fn respond(status: StatusCode, headers: Fields, body: Bytes) -> Result<Response, ErrorCode> {
    let (trailers_writer, trailers) = wit_future::new(|| Ok(None));
    let contents = if body.is_empty() {
        drop(trailers_writer);
        None
    } else {
        let (mut writer, contents) = wit_stream::new();
        spawn(async move {
            // An error means that the client closed the connection.
            let _ = writer.write_all(body.into()).await;
            drop(trailers_writer);
        });
        Some(contents)
    };
    let (response, _sent) = Response::new(headers, contents, trailers);
    if status == StatusCode::OK {
        // The default of a new response. Setting it would be a call of the host.
        return Ok(response);
    }
    response
        .set_status_code(status.as_u16())
        .map_err(|()| ErrorCode::InternalError(Some("a status is malformed".to_owned())))?;
    Ok(response)
}

/// Converts a response of the micro-cache. The host copies headers that it already has, which is cheaper than receiving new ones.
///
/// # Errors
/// The host refuses a header as malformed.
pub(crate) fn convert_hit(hit: &MicroCacheHit) -> Result<Response, ErrorCode> {
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
    respond(entry.status(), headers, entry.body().clone())
}

fn malformed(error: &HeaderError) -> ErrorCode {
    ErrorCode::InternalError(Some(error.to_string()))
}
