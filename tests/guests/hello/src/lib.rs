//! A test guest that answers every request with `hello` and a `Content-Length`.

use spin_sdk::http::{FullBody, Request};
use spin_sdk::http_service;

const BODY: &str = "hello";

#[http_service]
async fn hello(_request: Request) -> http::Result<http::Response<FullBody<bytes::Bytes>>> {
    http::Response::builder()
        .header(http::header::CONTENT_TYPE, "text/plain")
        .header(http::header::CONTENT_LENGTH, BODY.len())
        .body(FullBody::new(bytes::Bytes::from_static(BODY.as_bytes())))
}
