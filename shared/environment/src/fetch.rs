//! The way out to other services, for what an issuer of tokens publishes.
#![expect(
    async_fn_in_trait,
    reason = "a component runs on one thread, so no Send bound is wanted"
)]

use bytes::Bytes;

/// Sends requests to other services.
pub trait Fetch {
    /// Gets a document: no redirects, a bounded time, at most `max_bytes`.
    ///
    /// # Errors
    /// [`FetchError`].
    async fn get(&self, url: &str, max_bytes: usize) -> Result<Bytes, FetchError>;
}

/// Why there is no document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FetchError {
    /// The manifest does not let this service ask that host.
    NotGranted,
    /// The other service answered with nothing that can be used; in words that may be shown to who named its address.
    Unusable(String),
    /// The other service cannot be reached; the text is for the log alone.
    Unreachable(String),
}

impl std::fmt::Display for FetchError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NotGranted => "the host is not granted",
            Self::Unusable(what) | Self::Unreachable(what) => what,
        })
    }
}

impl std::error::Error for FetchError {}
