//! Handles a request: finds its route, and sends it to an instance of a component.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use futures::FutureExt;
use futures::future::BoxFuture;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST, RETRY_AFTER};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use wasmtime_wasi_http::WasiBody;
use wasmtime_wasi_http::handler::InstantiationError;

use super::body::{Limited, empty_body, text_body};
use super::headers;
use crate::error::one_line;
use crate::guest::Components;
use crate::manifest::StaticResponse;
use crate::routes::{Match, RouteEntry, RouteTarget, WELL_KNOWN_PREFIX};
use crate::worker::Worker;

/// The `Retry-After` in seconds if the host has no room for another instance.
const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("1");
/// The client address in a request between components, as on Spin.
const CHAINED_CLIENT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

/// Handles the request of a client, and returns its response.
pub(super) async fn handle_request(
    worker: &Worker,
    request: Request<Incoming>,
    client: SocketAddr,
) -> Response<WasiBody> {
    let (mut parts, body) = request.into_parts();
    headers::strip(&mut parts.headers);
    if let Some(known) = parts.uri.path().strip_prefix(WELL_KNOWN_PREFIX) {
        return well_known_response(worker, known);
    }
    let path = parts.uri.path().to_owned();
    let Some(found) = worker.host.application.router.find(&path) else {
        return empty_response(StatusCode::NOT_FOUND);
    };
    let component = match &found.entry.target {
        RouteTarget::Static(response) => return static_response(response),
        RouteTarget::Component(component) => component,
    };
    if let Err(reason) = headers::complete_url(&mut parts) {
        tracing::debug!(path, reason, "a request was refused");
        return empty_response(StatusCode::BAD_REQUEST);
    }
    headers::append(&mut parts, &found, client);
    let limit = worker.host.limits.max_body_bytes;
    if body.size_hint().lower() > limit {
        return empty_response(StatusCode::PAYLOAD_TOO_LARGE);
    }
    let exceeded = Arc::new(AtomicBool::new(false));
    let body = Limited::new(body, limit, exceeded.clone()).boxed_unsync();
    let response = send_to_instance(worker, component, Request::from_parts(parts, body)).await;
    if exceeded.load(Relaxed) {
        return empty_response(StatusCode::PAYLOAD_TOO_LARGE);
    }
    response
}

impl Components for Worker {
    fn call<'a>(
        &'a self,
        component: &'a str,
        request: Request<WasiBody>,
    ) -> BoxFuture<'a, Response<WasiBody>> {
        let (mut parts, body) = request.into_parts();
        parts.headers.remove(HOST);
        let entry = RouteEntry::synthetic(component);
        let found = Match {
            trailing: parts.uri.path().to_owned(),
            named: Default::default(),
            entry: &entry,
        };
        headers::append(&mut parts, &found, CHAINED_CLIENT);
        send_to_instance(self, component, Request::from_parts(parts, body)).boxed()
    }
}

/// Sends a request to an instance of `component`, and returns its response.
async fn send_to_instance(
    worker: &Worker,
    component: &str,
    request: Request<WasiBody>,
) -> Response<WasiBody> {
    let Some(pool) = worker.pool(component) else {
        tracing::error!(component, "there is no such component");
        return empty_response(StatusCode::INTERNAL_SERVER_ERROR);
    };
    let permit = worker.admission.acquire().await;
    let result = pool.handle((), request).await;
    drop(permit);
    result.unwrap_or_else(|error| failure_response(component, &error))
}

/// Creates the response for a guest that failed. The cause is only in the log.
fn failure_response(component: &str, error: &wasmtime::Error) -> Response<WasiBody> {
    if let Some(error) = error.downcast_ref::<InstantiationError<()>>() {
        tracing::error!(
            component,
            error = one_line(&error.error),
            "no instance could be made"
        );
        let mut response = empty_response(StatusCode::SERVICE_UNAVAILABLE);
        response.headers_mut().insert(RETRY_AFTER, RETRY_AFTER_SECONDS);
        return response;
    }
    tracing::error!(component, error = one_line(error), "the guest gave no response");
    empty_response(StatusCode::INTERNAL_SERVER_ERROR)
}

fn empty_response(status: StatusCode) -> Response<WasiBody> {
    let mut response = Response::new(empty_body());
    *response.status_mut() = status;
    response
}

fn static_response(fixed: &StaticResponse) -> Response<WasiBody> {
    let mut builder = Response::builder().status(fixed.status_code);
    for (name, value) in &fixed.headers {
        builder = builder.header(name, value);
    }
    let body = fixed.body.clone().map_or_else(empty_body, text_body);
    builder.body(body).unwrap_or_else(|error| {
        tracing::error!(%error, "a static response is malformed");
        empty_response(StatusCode::INTERNAL_SERVER_ERROR)
    })
}

fn well_known_response(worker: &Worker, name: &str) -> Response<WasiBody> {
    match name {
        "health" => Response::new(text_body("OK")),
        "info" => info_response(worker),
        _ => empty_response(StatusCode::NOT_FOUND),
    }
}

fn info_response(worker: &Worker) -> Response<WasiBody> {
    let application = &worker.host.application;
    let mut info = serde_json::Map::new();
    info.insert("name".to_owned(), application.name.clone().into());
    if !application.version.is_empty() {
        info.insert("version".to_owned(), application.version.clone().into());
    }
    let text = format!("{:#}", serde_json::Value::Object(info));
    let mut response = Response::new(empty_body());
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(CONTENT_LENGTH, text.len().into());
    *response.body_mut() = text_body(text);
    response
}
