//! Requests to other services: to the issuers of tokens, for their keys.
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
}

/// The reason why a document could not be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FetchError {
    /// The manifest does not allow requests to that host.
    NotGranted,
    /// The response cannot be used. The text may be shown to the administrator who configured the address.
    Unusable(String),
    /// The other service cannot be reached. The text is for the log only.
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
