//! Requests to other services: to the issuers of tokens, for their keys, and to the receivers of webhooks.
#![expect(
    async_fn_in_trait,
    reason = "a component runs on one thread, so no Send bound is wanted"
)]

use bytes::Bytes;

/// Sends requests to other services.
pub trait Fetch {
    /// Gets a document of at most `max_bytes` in a limited time, without following redirects.
    ///
    /// # Errors
    /// [`FetchError`].
    async fn get(&self, url: &str, max_bytes: usize) -> Result<Bytes, FetchError>;

    /// Sends a body in a limited time, without following redirects. Reads no more than a few bytes of the response's body, and drops
    /// them.
    ///
    /// # Errors
    /// [`FetchError`]. A response with any status is no error.
    async fn post(&self, request: &PostRequest<'_>) -> Result<PostResponse, FetchError>;
}

/// A request with a body.
#[derive(Debug)]
pub struct PostRequest<'a> {
    /// The address.
    pub url: &'a str,
    /// The headers, as names and values.
    pub headers: &'a [(&'static str, String)],
    /// The body.
    pub body: Bytes,
}

/// What matters of the response to a [`PostRequest`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostResponse {
    /// The status.
    pub status: u16,
    /// The value of the header `Retry-After`, if it is text.
    pub retry_after: Option<String>,
}

/// The reason why a document could not be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FetchError {
    /// The manifest does not allow requests to that host.
    NotGranted,
    /// The host does not connect to the addresses of the other service, because the operator blocks their networks.
    Prohibited,
    /// The response cannot be used. The text may be shown to the administrator who configured the address.
    Unusable(String),
    /// The other service cannot be reached. The text is for the log only.
    Unreachable(String),
}

impl std::fmt::Display for FetchError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NotGranted => "the host is not granted",
            Self::Prohibited => "the network of the host is blocked",
            Self::Unusable(what) | Self::Unreachable(what) => what,
        })
    }
}

impl std::error::Error for FetchError {}
