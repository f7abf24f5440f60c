//! Fetches documents of other services over the outbound HTTP of the host.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use leaderboard_environment::{Fetch, FetchError};
use spin_sdk::http::body::IncomingBodyExt;
use spin_sdk::wasip3::http::types::ErrorCode;

use crate::timeout::{TimedOut, within};

/// The longest time that a whole document may take.
const FETCH_LIMIT: Duration = Duration::from_millis(3_000);

/// The outbound HTTP of the host. The host refuses services that the manifest does not grant.
#[derive(Debug, Default)]
pub struct OutboundHttp;

impl Fetch for OutboundHttp {
    async fn get(&self, url: &str, max_bytes: usize) -> Result<Bytes, FetchError> {
        within(FETCH_LIMIT, get(url, max_bytes))
            .await
            .unwrap_or_else(|TimedOut| Err(FetchError::Unusable("took too long".to_owned())))
    }
}

async fn get(url: &str, max_bytes: usize) -> Result<Bytes, FetchError> {
    let response = spin_sdk::http::get(url).await.map_err(|error| match error {
        ErrorCode::HttpRequestDenied => FetchError::NotGranted,
        error => FetchError::Unreachable(error.to_string()),
    })?;
    if !response.status().is_success() {
        let what = format!("answered with {}", response.status());
        return Err(FetchError::Unusable(what));
    }
    let mut body = BytesMut::new();
    let mut chunks = response.into_body().stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|error| FetchError::Unreachable(format!("reading the body: {error}")))?;
        if body.len() + chunk.len() > max_bytes {
            let what = format!("is larger than {max_bytes} bytes");
            return Err(FetchError::Unusable(what));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}
