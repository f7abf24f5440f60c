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
    /// [`FetchError`]; its text is for the log.
    async fn get(&self, url: &str, max_bytes: usize) -> Result<Bytes, FetchError>;
}

/// Why there is no document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchError(pub String);

impl std::fmt::Display for FetchError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for FetchError {}
