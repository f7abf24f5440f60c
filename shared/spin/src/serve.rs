//! Serves a request of the host.

use std::rc::Rc;
use std::time::Instant;

use leaderboard_pipeline::{
    Endpoint, MicroCacheKey, StaticFile, TrustedProxies, find_reusable, handle, serve_file, store_for_reuse,
};
use spin_sdk::wasip3::http::types::{ErrorCode, Request, Response};

use crate::incoming::Incoming;
use crate::instance::{Instance, RequestEnvironment};
use crate::settings::trusted_proxies;
use crate::{log, outgoing};

/// Serves one request with the routes of `P`. Every response has a `content-length`. Without it, Spin would send the body in a
/// second packet, which a client with delayed acknowledgements accepts 40 ms later.
///
/// # Errors
/// The client closed the connection, or a variable is invalid. The cause is in the log, not in the response.
pub async fn serve<P: Endpoint<RequestEnvironment>>(request: Request) -> Result<Response, ErrorCode> {
    let started = Instant::now();
    let instance = Instance::shared().await.map_err(|error| {
        log::write_cause("error", &error);
        failed("the component is not set up")
    })?;
    let request = Incoming::new(request)?;
    let key = MicroCacheKey::of(&request.method, &request.path, &request.headers);
    if let Some(key) = &key {
        let env = RequestEnvironment::new(Rc::clone(&instance));
        if let Some(hit) = find_reusable::<P, _>(&env, key, &request.headers) {
            log::collect_reuse(&hit.entry);
            return outgoing::convert_hit(&hit);
        }
    }
    let env = RequestEnvironment::new(instance);
    let mut handled = handle::<P, _, _>(&env, request.into_request()?).await;
    handled.log.duration_us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
    log::collect_request(&handled.log);
    if let Some((key, entry)) = key.zip(handled.reusable) {
        store_for_reuse(&env, key, entry);
    }
    outgoing::convert_response(handled.response)
}

/// Serves one request with a file that the component contains. It opens no store, and reads only the variables about trusted
/// proxies. If these are invalid, no proxy is trusted.
///
/// # Errors
/// The host refuses the response.
pub async fn serve_files(files: &'static [StaticFile], request: Request) -> Result<Response, ErrorCode> {
    let mut trace_id = [0; 16];
    // Without randomness the id is zero. It is only used in reports.
    let _ = getrandom::fill(&mut trace_id);
    let head = Incoming::new(request)?.into_request()?.map(|_| ());
    let proxies = trusted_proxies().await.unwrap_or_else(|error| {
        log::write_cause("error", &error.0);
        TrustedProxies::default()
    });
    outgoing::convert_response(serve_file(files, &head, trace_id, &proxies))
}

fn failed(what: &str) -> ErrorCode {
    ErrorCode::InternalError(Some(what.to_owned()))
}
