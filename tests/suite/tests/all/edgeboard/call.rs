//! One request and its answer.

use bytes::Bytes;
use http::{HeaderMap, Method, Request};
use http_body_util::{BodyExt, Full};
use leaderboard_api::IntegerFormat;
use leaderboard_openapi::conformance::{self, Exchange};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::client::Http;

/// A name as one segment of a path, or as one value of a query.
pub(crate) fn segment(name: &str) -> String {
    utf8_percent_encode(name, NON_ALPHANUMERIC).to_string()
}

/// A request on its way.
pub(crate) struct Call {
    pub(super) http: Http,
    pub(super) request: http::request::Builder,
    pub(super) body: Bytes,
}

impl Call {
    /// With one more header.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    /// With one header instead of those of that name.
    pub(crate) fn instead(mut self, name: &'static str, value: &str) -> Self {
        self.request
            .headers_mut()
            .unwrap()
            .insert(name, value.parse().unwrap());
        self
    }

    /// Without a header.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.request.headers_mut().unwrap().remove(name);
        self
    }

    /// With these bytes as the body.
    pub(crate) fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// With a JSON body.
    pub(crate) fn json(self, body: &Value) -> Self {
        self.instead("content-type", "application/json")
            .body(body.to_string())
    }

    /// Sends it and reads the whole answer.
    pub(crate) async fn send(self) -> Reply {
        self.try_send().await.expect("an answer")
    }

    /// Sends it; the host may be gone. Every answer is what the description of the API says.
    pub(crate) async fn try_send(self) -> Result<Reply, String> {
        let request: Request<Full<Bytes>> = self.request.body(Full::new(self.body)).unwrap();
        let said = format!("{} {}", request.method(), request.uri());
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let answer = self
            .http
            .request(request)
            .await
            .map_err(|error| format!("{said}: {error:?}"))?;
        let (head, body) = answer.into_parts();
        let body = body
            .collect()
            .await
            .map_err(|error| format!("{said}: {error:?}"))?
            .to_bytes();
        let exchange = Exchange {
            method: &method,
            path: &path,
            status: head.status.as_u16(),
            headers: &head.headers,
            body: &body,
        };
        if let Err(fault) = conformance::check(&exchange, IntegerFormat::NumberOrString) {
            panic!("{said} is not answered as the API is described: {fault}: {head:?} {body:?}");
        }
        Ok(Reply {
            said,
            status: head.status.as_u16(),
            headers: head.headers,
            body,
        })
    }
}

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Reply {
    /// Method and address of the request, for messages.
    said: String,
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Reply {
    /// The value of a header that is there.
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self
            .headers
            .get(name)
            .unwrap_or_else(|| panic!("{}: no header {name}: {self:?}", self.said));
        value.to_str().unwrap()
    }

    /// The value of a header, or what holds without it.
    pub(crate) fn header_or<'a>(&'a self, name: &str, otherwise: &'a str) -> &'a str {
        self.headers
            .get(name)
            .map_or(otherwise, |value| value.to_str().unwrap())
    }

    /// The body.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    /// The body of an answer with this status.
    #[track_caller]
    pub(crate) fn is(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        if self.body.is_empty() {
            Value::Null
        } else {
            self.json()
        }
    }

    /// The problem document of an answer with this status and of this type.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16, kind: &str) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(
            self.header("content-type"),
            "application/problem+json",
            "{self:?}"
        );
        assert_eq!(self.header("cache-control"), "no-store");
        let document = self.json();
        assert_eq!(document["type"], format!("/problems/{kind}"), "{self:?}");
        assert_eq!(document["status"], status);
        assert_eq!(document["instance"], self.header("x-request-id"));
        document
    }
}

/// Methods by their names.
pub(super) fn method(name: &str) -> Method {
    Method::from_bytes(name.as_bytes()).unwrap()
}
