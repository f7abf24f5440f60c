//! A response that a handler returns.

mod later_body;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, LOCATION};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use leaderboard_core::Timestamp;
use leaderboard_core::ports::RateLimitDecision;
use serde::Serialize;

use crate::MediaType;
use crate::json::{self, IntegerFormat};
use crate::problem::Problem;

pub use later_body::{BodyWriter, LaterBody, PartWrite};

/// How a JSON response is written.
#[derive(Debug, Clone, Copy)]
pub struct JsonForm {
    /// The JSON media type that the client accepts, sent as `Content-Type`.
    pub media_type: MediaType,
    /// How the response writes 64-bit integers.
    pub integers: IntegerFormat,
}

impl From<MediaType> for JsonForm {
    fn from(media_type: MediaType) -> Self {
        Self {
            media_type,
            integers: IntegerFormat::default(),
        }
    }
}

/// A response: status, headers and the body.
#[derive(Debug)]
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// The headers of this response. The pipeline adds the headers that every response has.
    pub headers: HeaderMap,
    /// The body; its first part, if more parts follow.
    pub body: Bytes,
    /// What sends the further parts of the body; `None` if `body` is the whole body.
    pub later_body: Option<LaterBody>,
    /// Until when the same response answers the same request of other callers; `None` when it is for this caller alone.
    pub reuse_until: Option<Timestamp>,
    /// The cause of a status of 5xx, for the access log only.
    pub cause: Option<String>,
    /// The store's rate-limit decision, if the store charged the request in the same call that wrote.
    pub rate_limit_decision: Option<RateLimitDecision>,
}

impl Response {
    /// Returns a response without a body.
    #[must_use]
    pub fn empty(status: StatusCode) -> Self {
        Self {
            status,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            later_body: None,
            reuse_until: None,
            cause: None,
            rate_limit_decision: None,
        }
    }

    /// Returns a 204 response.
    #[must_use]
    pub fn no_content() -> Self {
        Self::empty(StatusCode::NO_CONTENT)
    }

    /// Returns a response in JSON, in the form that the client asked for.
    ///
    /// # Errors
    /// An internal problem when the document cannot be written.
    pub fn json(
        status: StatusCode,
        form: impl Into<JsonForm>,
        document: &impl Serialize,
    ) -> Result<Self, Problem> {
        let JsonForm { media_type, integers } = form.into();
        let body = json::write(document, integers)
            .map_err(|error| Problem::internal(format!("an answer cannot be written: {error}")))?;
        let mut response = Self::empty(status);
        response.body = Bytes::from(body);
        response
            .headers
            .insert(CONTENT_TYPE, HeaderValue::from_static(media_type.as_str()));
        Ok(response)
    }

    /// Returns the response with the version of a document as its entity tag.
    #[must_use]
    pub fn with_etag(self, version: u64) -> Self {
        self.with_text(ETAG, &format!("\"{version}\""))
    }

    /// Returns the response with a `Location`.
    #[must_use]
    pub fn with_location(self, path: &str) -> Self {
        self.with_text(LOCATION, path)
    }

    /// Returns the response with `Cache-Control: no-cache`: the client may store it, and must revalidate it before each use.
    #[must_use]
    pub fn revalidated(self) -> Self {
        self.with(CACHE_CONTROL, "no-cache")
    }

    /// Returns the response with another header.
    #[must_use]
    pub fn with(mut self, name: HeaderName, value: &'static str) -> Self {
        self.headers.insert(name, HeaderValue::from_static(value));
        self
    }

    /// Returns the response with a cause for the access log.
    #[must_use]
    pub fn with_cause(mut self, cause: String) -> Self {
        self.cause = Some(cause);
        self
    }

    /// Returns the response with another header, or unchanged when the value is not a valid header value.
    pub fn with_text(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
        self
    }
}

impl Problem {
    /// Makes the response that has this problem as its body.
    pub fn into_response(self, trace_id: &str) -> Response {
        // A problem has strings and numbers alone, so writing it cannot fail.
        let body = serde_json::to_vec(&self.document(trace_id)).unwrap_or_default();
        let mut response = Response::empty(self.kind.status());
        response.body = Bytes::from(body);
        let parts = self.into_parts();
        response.cause = parts.cause;
        response.headers = HeaderMap::from_iter(parts.headers);
        response
            .with(CONTENT_TYPE, "application/problem+json")
            .with(CACHE_CONTROL, "no-store")
    }
}

#[cfg(test)]
mod tests {
    use http::header::{RETRY_AFTER, WWW_AUTHENTICATE};

    use super::*;
    use crate::problem::ProblemType;

    #[test]
    fn problems_have_the_headers_for_credentials_and_retries() {
        let response = Problem::new(ProblemType::Unauthenticated).into_response("t");
        let challenge = response.headers[WWW_AUTHENTICATE].to_str().unwrap();
        assert!(
            challenge.starts_with("Bearer realm=\"edgeboard\", ApiKey"),
            "{challenge}"
        );
        let response = Problem::new(ProblemType::Unavailable).into_response("t");
        assert_eq!(response.headers[RETRY_AFTER], "1");
        assert_eq!(response.headers[CONTENT_TYPE], "application/problem+json");
    }
}
