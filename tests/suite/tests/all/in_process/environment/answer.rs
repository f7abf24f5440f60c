//! Creates requests to an instance, and checks its responses.

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response};
use leaderboard_api::IntegerFormat;
use leaderboard_openapi::conformance::{self, Exchange};
use leaderboard_pipeline::Body;
use leaderboard_telemetry::LogRecord;
use serde_json::Value;

/// A value that can be the body of a request.
pub(crate) trait RequestText {
    /// Returns the text of the body; empty for no body.
    fn into_text(self) -> String;
}

impl RequestText for &str {
    fn into_text(self) -> String {
        self.to_owned()
    }
}

impl RequestText for &String {
    fn into_text(self) -> String {
        self.clone()
    }
}

/// The body is JSON text. Null stands for no body.
impl RequestText for &Value {
    fn into_text(self) -> String {
        if self.is_null() {
            String::new()
        } else {
            self.to_string()
        }
    }
}

impl RequestText for Value {
    fn into_text(self) -> String {
        (&self).into_text()
    }
}

/// Creates a request. The path gets the prefix `/api/v1`, unless it begins with `/api/` or `/ofrep/`. The
/// content type of a body is JSON, unless `headers` has another one.
pub(crate) fn request(
    method: &str,
    path: &str,
    body: impl RequestText,
    headers: &[(&str, &str)],
) -> Request<Body> {
    let is_complete = ["/ofrep/", "/api/"].iter().any(|start| path.starts_with(start));
    let base = if is_complete { "" } else { "/api/v1" };
    request_at(method, &format!("{base}{path}"), body, headers)
}

/// Does the same as [`request`], but adds no prefix to the path.
pub(super) fn request_at(
    method: &str,
    path: &str,
    body: impl RequestText,
    headers: &[(&str, &str)],
) -> Request<Body> {
    let body = body.into_text();
    let mut request = Request::builder().method(method).uri(path);
    if !body.is_empty() && headers.iter().all(|(name, _)| *name != "content-type") {
        request = request.header("content-type", "application/json");
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::Bytes(body.into())).unwrap()
}

/// A response, and the log record of its request.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    pub(crate) bytes: Bytes,
    pub(crate) log: LogRecord,
}

impl Answer {
    pub(super) fn new(response: Response<Bytes>, log: LogRecord) -> Self {
        let (head, bytes) = response.into_parts();
        Self {
            status: head.status.as_u16(),
            headers: head.headers,
            text: String::from_utf8_lossy(&bytes).into_owned(),
            bytes,
            log,
        }
    }

    /// Returns the JSON document of the response.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    /// Checks the status. Returns the JSON document of the response; null if it has none.
    #[track_caller]
    pub(crate) fn expect_status(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    /// Returns the value of a header; empty if the response does not have the header.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Returns the status, the type of the problem, and the pointer, parameter or header of the first error;
    /// empty if the error has no such location.
    #[track_caller]
    pub(crate) fn problem(&self) -> (u16, String, String) {
        assert_eq!(
            self.header("content-type"),
            "application/problem+json",
            "{self:?}"
        );
        let body = self.json();
        assert_eq!(body["status"], self.status);
        assert_eq!(body["instance"], self.header("x-request-id"));
        let kind = body["type"].as_str().unwrap().strip_prefix("/problems/").unwrap();
        let first = &body["errors"][0];
        let at = ["pointer", "parameter", "header"]
            .iter()
            .find_map(|name| first[*name].as_str());
        (self.status, kind.to_owned(), at.unwrap_or("").to_owned())
    }

    /// Checks that the response is a problem with this status and type. `at` is the pointer, parameter or
    /// header of the first error; empty if there is none.
    #[track_caller]
    pub(crate) fn expect_problem(&self, status: u16, kind: &str, at: &str) {
        assert_eq!(
            self.problem(),
            (status, kind.to_owned(), at.to_owned()),
            "{self:?}"
        );
    }
}

/// Checks that a response conforms to the description of the API, and that shared caches may store it if and
/// only if it is the same for all readers.
pub(crate) fn assert_conforms(method: &Method, path: &str, response: &Response<Bytes>) {
    let exchange = Exchange {
        method,
        path,
        status: response.status().as_u16(),
        headers: response.headers(),
        body: response.body(),
    };
    if let Err(fault) = conformance::check(&exchange, IntegerFormat::NumberOrString) {
        panic!(
            "the response to {method} {path} does not conform to the API description: {fault}: {response:?}"
        );
    }
    // A private response with `CDN-Cache-Control` would reach other readers; a public response without it
    // would not be cached.
    let headers = response.headers();
    let control = headers
        .get("cache-control")
        .map_or("", |value| value.to_str().unwrap());
    let is_private = control == "no-store" || control.starts_with("private, ");
    assert_eq!(
        is_private,
        !headers.contains_key("cdn-cache-control"),
        "{path}: {control}"
    );
}
