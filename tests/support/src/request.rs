//! One request and its response.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops where it cannot go on"
)]

use std::rc::Rc;

use bytes::Bytes;
use http::header::HeaderName;
use http::{HeaderMap, HeaderValue, Request};
use leaderboard_api::IntegerFormat;
use leaderboard_openapi::conformance::{self, Exchange};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::Transport;

/// Encodes a name as one segment of a path, or as one value of a query.
#[must_use]
pub fn encode_segment(name: &str) -> String {
    utf8_percent_encode(name, NON_ALPHANUMERIC).to_string()
}

/// A request that is not sent yet.
#[must_use]
#[expect(missing_debug_implementations, reason = "a transport has no text form")]
pub struct ApiRequest {
    transport: Rc<dyn Transport>,
    request: Request<Bytes>,
}

impl ApiRequest {
    pub(crate) fn new(transport: Rc<dyn Transport>, request: Request<Bytes>) -> Self {
        Self { transport, request }
    }

    /// Adds a header.
    ///
    /// # Panics
    /// When the name or the value of the header is not valid.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let name = HeaderName::try_from(name).expect("the name of a header");
        let value = HeaderValue::try_from(value).expect("the value of a header");
        self.request.headers_mut().append(name, value);
        self
    }

    /// Replaces all headers with this name by one header.
    ///
    /// # Panics
    /// As [`ApiRequest::header`].
    pub fn replace_header(self, name: &str, value: &str) -> Self {
        self.without_header(name).header(name, value)
    }

    /// Removes the headers with this name.
    pub fn without_header(mut self, name: &str) -> Self {
        self.request.headers_mut().remove(name);
        self
    }

    /// Sets the body.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        *self.request.body_mut() = body.into();
        self
    }

    /// Sets a JSON body and its content type.
    pub fn json(self, body: &Value) -> Self {
        self.replace_header("content-type", "application/json")
            .body(body.to_string())
    }

    /// Sends the request and reads the whole response.
    ///
    /// # Panics
    /// When the service cannot be reached, or the response does not follow the description of the API.
    pub async fn send(self) -> ApiResponse {
        self.try_send().await.expect("a response")
    }

    /// Sends the request to a service that may be down.
    ///
    /// # Errors
    /// The text of the error when the service cannot be reached.
    ///
    /// # Panics
    /// When the response does not follow the description of the API.
    pub async fn try_send(self) -> Result<ApiResponse, String> {
        let (method, uri) = (self.request.method().clone(), self.request.uri().clone());
        let request_line = format!("{method} {uri}");
        let response = self.transport.send(self.request).await;
        let (head, body) = response
            .map_err(|error| format!("{request_line}: {error}"))?
            .into_parts();
        let exchange = Exchange {
            method: &method,
            path: uri.path(),
            status: head.status.as_u16(),
            headers: &head.headers,
            body: &body,
        };
        if let Err(fault) = conformance::check(&exchange, IntegerFormat::NumberOrString) {
            panic!("the response to {request_line} is not as described: {fault}: {head:?} {body:?}");
        }
        Ok(ApiResponse {
            request_line,
            status: head.status.as_u16(),
            headers: head.headers,
            body,
        })
    }
}

/// A response with its whole body.
#[derive(Debug)]
pub struct ApiResponse {
    /// Method and address of the request, for messages.
    request_line: String,
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl ApiResponse {
    /// Returns the value of a header.
    ///
    /// # Panics
    /// When the response does not have the header.
    #[must_use]
    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        match self.header_text(name) {
            Some(text) => text,
            None => panic!("{}: no header {name}: {self:?}", self.request_line),
        }
    }

    /// Returns the value of a header, or `otherwise` when the response does not have it.
    #[must_use]
    pub fn header_or<'a>(&'a self, name: &str, otherwise: &'a str) -> &'a str {
        self.header_text(name).unwrap_or(otherwise)
    }

    fn header_text(&self, name: &str) -> Option<&str> {
        let value = self.headers.get(name)?;
        Some(value.to_str().expect("a header of text"))
    }

    /// Parses the body.
    ///
    /// # Panics
    /// When the body is not JSON.
    #[must_use]
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    /// Returns the parsed body of a response with this status; null if the body is empty.
    ///
    /// # Panics
    /// When the response has another status.
    #[track_caller]
    pub fn expect_status(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        if self.body.is_empty() {
            Value::Null
        } else {
            self.json()
        }
    }

    /// Returns the problem document of a response with this status and this problem type.
    ///
    /// # Panics
    /// When the response has another status or another problem type.
    #[track_caller]
    pub fn expect_problem(&self, status: u16, kind: &str) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        let media_type = self.header("content-type");
        assert_eq!(media_type, "application/problem+json", "{self:?}");
        assert_eq!(self.header("cache-control"), "no-store");
        let document = self.json();
        assert_eq!(document["type"], format!("/problems/{kind}"), "{self:?}");
        assert_eq!(document["status"], status);
        assert_eq!(document["instance"], self.header("x-request-id"));
        document
    }
}
