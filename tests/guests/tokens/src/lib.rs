//! A benchmark guest that verifies a token many times: `/?algorithm=EdDSA&count=100` answers with the
//! microseconds of one verification. Each verification goes from the text of the token to its claims. The
//! keys are parsed only once, before the first verification.

mod samples;

use std::time::Instant;

use bytes::Bytes;
use http::StatusCode;
use http::header::CONTENT_LENGTH;
use leaderboard_core::{TenantId, Timestamp};
use leaderboard_identity::token::{ClaimsMapping, DEFAULT_LEEWAY_S, KeyOrigin, KeySet, TokenType, Verifier};
use spin_sdk::http::{FullBody, Request};
use spin_sdk::http_service;

/// The most verifications of one request, because the host stops a guest that runs for too long without
/// waiting.
const MAX_COUNT: u32 = 1000;

#[http_service]
async fn tokens(request: Request) -> http::Result<http::Response<FullBody<Bytes>>> {
    let (status, text) = match measure(request.uri().query().unwrap_or("")) {
        Ok(micros) => (StatusCode::OK, format!("{micros:.2}")),
        Err(problem) => (StatusCode::BAD_REQUEST, problem),
    };
    http::Response::builder()
        .status(status)
        .header(CONTENT_LENGTH, text.len())
        .body(FullBody::new(Bytes::from(text)))
}

/// Returns the average time of one verification, in microseconds.
fn measure(query: &str) -> Result<f64, String> {
    let field = |name: &str| {
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(found, _)| *found == name).map(|(_, value)| value)
    };
    let algorithm = field("algorithm").unwrap_or_default();
    let count: u32 = field("count").and_then(|count| count.parse().ok()).unwrap_or(1);
    let (_, token) = samples::TOKENS
        .iter()
        .find(|(name, _)| *name == algorithm)
        .ok_or("no such algorithm")?;
    let keys =
        KeySet::parse(samples::KEYS.as_bytes(), KeyOrigin::Configured).map_err(|error| error.to_string())?;
    let verifier = create_verifier().map_err(|invalid| invalid.to_string())?;
    let now = Timestamp::saturating_from_unix_ms(samples::VALID_AT_MS);
    let count = count.clamp(1, MAX_COUNT);
    let begun = Instant::now();
    for _ in 0..count {
        verifier
            .verify_text(token, &keys, now)
            .map_err(|error| error.to_string())?;
    }
    Ok(begun.elapsed().as_secs_f64() * 1e6 / f64::from(count))
}

fn create_verifier() -> Result<Verifier, leaderboard_core::Invalid> {
    let mapping = ClaimsMapping::players_of(TenantId::new("acme")?);
    let audiences = [samples::AUDIENCE.to_owned()];
    Verifier::new(
        samples::ISSUER,
        &audiences,
        DEFAULT_LEEWAY_S,
        TokenType::Access,
        mapping,
    )
}
