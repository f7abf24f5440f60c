//! A request, from the host's types through the pipeline and back.

use std::rc::Rc;
use std::time::Instant;

use leaderboard_pipeline::{
    Endpoint, MicroCacheKey, StaticFile, TrustedProxies, handle, keep, repeated, serve_file,
};
use spin_sdk::wasip3::http::types::{ErrorCode, Request, Response};

use crate::incoming::Incoming;
use crate::instance::{Instance, RequestEnvironment};
use crate::settings::trusted_proxies;
use crate::{log, outgoing};

/// Answers one request for the routes of `P`. Every response has a `content-length`: without it Spin sends
/// the body in a second packet, which a client that delays its acknowledgements takes 40 ms to accept.
///
/// # Errors
/// Only when there is no client left to answer, or no instance to answer with; the cause goes to the host's
/// log, never to the client.
pub async fn serve<P: Endpoint<RequestEnvironment>>(request: Request) -> Result<Response, ErrorCode> {
    let started = Instant::now();
    let instance = Instance::shared().await.map_err(|error| {
        log::cause("error", &error);
        failed("the component is not set up")
    })?;
    let request = Incoming::new(request)?;
    let key = MicroCacheKey::of(&request.method, &request.path, &request.headers);
    if let Some(key) = &key {
        let env = RequestEnvironment::new(Rc::clone(&instance));
        if let Some(again) = repeated::<P, _>(&env, key, &request.headers) {
            log::repeated(&again.answer);
            return outgoing::again(&again);
        }
    }
    let env = RequestEnvironment::new(instance);
    let mut handled = handle::<P, _, _>(&env, request.into_request()?).await;
    handled.log.duration_us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
    log::request(&handled.log);
    if let Some((key, repeatable)) = key.zip(handled.repeatable) {
        keep(&env, key, repeatable);
    }
    outgoing::response(handled.response)
}

/// Answers one request with a file that the component carries. Opens no store, and reads no variables but those of the proxies in
/// front. Where these are not what they can be, no proxy's word is taken.
///
/// # Errors
/// When the host does not take the response.
pub async fn serve_files(files: &'static [StaticFile], request: Request) -> Result<Response, ErrorCode> {
    let mut trace_id = [0; 16];
    // A host without randomness still answers; the id is for reports alone.
    let _ = getrandom::fill(&mut trace_id);
    let head = Incoming::new(request)?.into_request()?.map(|_| ());
    let proxies = trusted_proxies().await.unwrap_or_else(|error| {
        log::cause("error", &error.0);
        TrustedProxies::default()
    });
    outgoing::response(serve_file(files, &head, trace_id, &proxies))
}

fn failed(what: &str) -> ErrorCode {
    ErrorCode::InternalError(Some(what.to_owned()))
}
