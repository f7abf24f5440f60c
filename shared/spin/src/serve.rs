//! Serves a request of the host.

use std::rc::Rc;
use std::time::Instant;

use leaderboard_pipeline::{
    Endpoint, MicroCacheKey, StaticFile, TrustedProxies, find_reusable, handle, serve_file, store_for_reuse,
};
use spin_sdk::wasip3::http::types::{ErrorCode, Request, Response};
use spin_sdk::wasip3::wit_bindgen::yield_async;

use crate::incoming::Incoming;
use crate::instance::{Instance, RequestEnvironment};
use crate::log;
use crate::outgoing::{self, Outgoing};
use crate::settings::{Variables, trusted_proxies};

/// Serves one request with the routes of `P`. Every complete response has a `content-length`. Without it, Spin would send the body in a
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
        let env = RequestEnvironment::of_request(Rc::clone(&instance));
        if let Some(hit) = find_reusable::<P, _>(&env, key, &request.headers) {
            log::collect_reuse(&hit.entry);
            return respond(outgoing::convert_hit(&hit), &env);
        }
    }
    let env = RequestEnvironment::of_request(instance);
    let mut handled = handle::<P, _, _>(&env, request.into_request()?).await;
    // Lets the other tasks of the instance run. The host hands over the body of a response after the events that already wait for
    // them. If it handles those after it has the headers, a host without `TCP_NODELAY` sends the headers alone, and the body waits
    // for the client's acknowledgement. Such events also come during calls that do not wait, so every request yields.
    yield_async().await;
    handled.log.duration_us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
    log::collect_request(&handled.log);
    if let Some((key, entry)) = key.zip(handled.reusable) {
        store_for_reuse(&env, key, entry);
    }
    respond(
        outgoing::convert_response(handled.response, handled.later_body),
        &env,
    )
}

/// Returns the response, and starts the work that waits for it.
fn respond(outgoing: Result<Outgoing, ErrorCode>, env: &RequestEnvironment) -> Result<Response, ErrorCode> {
    let later = env.after_response();
    let responded = outgoing.map(|outgoing| outgoing.into_response(later));
    // Other requests may wait for this work even if the host refused the response.
    responded.inspect_err(|_| later.start())
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
    let variables = Variables::read().await;
    let proxies = variables.and_then(|mut variables| trusted_proxies(&mut variables));
    let proxies = proxies.unwrap_or_else(|error| {
        log::write_cause("error", &error.0);
        TrustedProxies::default()
    });
    let converted = outgoing::convert_response(serve_file(files, &head, trace_id, &proxies), None)?;
    Ok(converted.into_response(&Rc::default()))
}

fn failed(what: &str) -> ErrorCode {
    ErrorCode::InternalError(Some(what.to_owned()))
}
