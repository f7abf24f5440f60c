//! Sends requests to other services over the outbound HTTP of the host.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use http::header::RETRY_AFTER;
use http_body_util::Full;
use leaderboard_environment::{Fetch, FetchError, PostRequest, PostResponse};
use spin_sdk::http::body::IncomingBodyExt;
use spin_sdk::wasip3::http::types::ErrorCode;

use crate::timeout::{TimedOut, within};

/// The longest time that a whole document may take.
const FETCH_LIMIT: Duration = Duration::from_millis(3_000);
/// The longest time that a request with a body may take, with its response.
const POST_LIMIT: Duration = Duration::from_millis(10_000);
/// The most bytes of the response to such a request that are read. A receiver that sends more is cut off.
const MAX_POST_RESPONSE_BYTES: usize = 4096;

/// The outbound HTTP of the host. The host refuses services that the manifest does not grant.
#[derive(Debug, Default)]
pub struct OutboundHttp;

impl Fetch for OutboundHttp {
    async fn get(&self, url: &str, max_bytes: usize) -> Result<Bytes, FetchError> {
        within(FETCH_LIMIT, get(url, max_bytes))
            .await
            .unwrap_or_else(|TimedOut| Err(FetchError::Unusable("took too long".to_owned())))
    }

    async fn post(&self, request: &PostRequest<'_>) -> Result<PostResponse, FetchError> {
        within(POST_LIMIT, post(request))
            .await
            .unwrap_or_else(|TimedOut| Err(FetchError::Unusable("took too long".to_owned())))
    }
}

async fn post(request: &PostRequest<'_>) -> Result<PostResponse, FetchError> {
    let unusable = |error: http::Error| FetchError::Unusable(format!("is not a valid request: {error}"));
    let mut builder = http::Request::post(request.url);
    for (name, value) in request.headers {
        builder = builder.header(*name, value);
    }
    let sent = builder.body(Full::new(request.body.clone())).map_err(unusable)?;
    let response = spin_sdk::http::send(sent).await.map_err(of_error_code)?;
    let answer = PostResponse {
        status: response.status().as_u16(),
        retry_after: response
            .headers()
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok().map(str::to_owned)),
    };
    // The connection is closed with what is left of the body. A body that fails does not change what the receiver has answered.
    let mut chunks = response.into_body().stream();
    let mut read = 0;
    while let Some(Ok(chunk)) = chunks.next().await {
        read += chunk.len();
        if read > MAX_POST_RESPONSE_BYTES {
            break;
        }
    }
    Ok(answer)
}

fn of_error_code(error: ErrorCode) -> FetchError {
    match error {
        ErrorCode::HttpRequestDenied => FetchError::NotGranted,
        ErrorCode::DestinationIpProhibited => FetchError::Prohibited,
        error => FetchError::Unreachable(error.to_string()),
    }
}

async fn get(url: &str, max_bytes: usize) -> Result<Bytes, FetchError> {
    let response = spin_sdk::http::get(url).await.map_err(of_error_code)?;
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
