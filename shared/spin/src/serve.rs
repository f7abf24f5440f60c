//! A request, from Spin's types through the pipeline and back.

use std::time::Instant;

use bytes::Bytes;
use http::Response;
use leaderboard_http::{Endpoint, File, handle, serve_file};
use spin_sdk::http::{FullBody, Request};

use crate::instance::{Instance, RequestEnvironment};
use crate::{body, log};

/// Answers one request for the routes of `P`. Every response has a `content-length`: without it Spin sends
/// the body in a second packet, which a client that delays its acknowledgements takes 40 ms to accept.
///
/// # Errors
/// Only when there is no client left to answer, or no instance to answer with; the cause goes to the host's
/// log, never to the client.
pub async fn serve<P: Endpoint>(request: Request) -> Result<Response<FullBody<Bytes>>, &'static str> {
    let started = Instant::now();
    let instance = Instance::shared().await.map_err(|error| {
        log::cause("error", &error);
        "the component is not set up"
    })?;
    let request = body::read(request).await.map_err(|error| {
        log::cause("info", &error);
        "the request ended early"
    })?;
    let mut handled = handle::<P, _>(&RequestEnvironment::new(instance), request).await;
    handled.log.duration_us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
    log::request(&handled.log);
    Ok(handled.response.map(FullBody::new))
}

/// Answers one request with a file that the component carries. Opens no store and reads no variables.
#[must_use]
pub fn serve_files(files: &[File], request: &Request) -> Response<FullBody<Bytes>> {
    let mut trace_id = [0; 16];
    // A host without randomness still answers; the id is for reports alone.
    let _ = getrandom::fill(&mut trace_id);
    serve_file(files, request, trace_id).map(FullBody::new)
}
