//! Retries: which responses to retry, how long to wait, and the ids that make a retry safe.

use std::time::{Duration, SystemTime};

use reqwest::StatusCode;

use crate::error::CliError;

/// The wait before the first retry. Each further wait is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(250);
/// The longest wait without `Retry-After`.
const LONGEST_WAIT: Duration = Duration::from_secs(15);
/// The longest `Retry-After` that the client waits for. If the server asks for more, the request fails.
pub(crate) const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(120);

/// Returns whether a status means that a later try may succeed: too many requests, or a server or gateway that is unavailable.
pub(crate) fn is_transient(status: u16) -> bool {
    [
        StatusCode::TOO_MANY_REQUESTS,
        StatusCode::BAD_GATEWAY,
        StatusCode::SERVICE_UNAVAILABLE,
        StatusCode::GATEWAY_TIMEOUT,
    ]
    .iter()
    .any(|code| code.as_u16() == status)
}

/// Computes the wait before the retry with the number `retry` (from 1). The wait grows exponentially, and is never shorter than
/// `retry_after`. Half of it is random, so that clients that failed at the same time do not retry at the same time. `random` is
/// uniform in 0..1.
pub(crate) fn compute_wait(retry: u32, retry_after: Option<Duration>, random: f64) -> Duration {
    let doubled = FIRST_WAIT.saturating_mul(2_u32.saturating_pow(retry.saturating_sub(1)));
    let ceiling = doubled.min(LONGEST_WAIT);
    let jittered = ceiling / 2 + (ceiling / 2).mul_f64(random.clamp(0.0, 1.0));
    // The jitter is added to `Retry-After`, because the server would refuse an earlier retry.
    retry_after.map_or(jittered, |asked| {
        asked + FIRST_WAIT.mul_f64(random.clamp(0.0, 1.0)).min(jittered)
    })
}

/// Parses `Retry-After` (RFC 9110, 10.2.3): seconds, or an HTTP date. Returns `None` for other text.
pub(crate) fn parse_retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

/// Returns a random number in 0..1. Returns 0.5 if the system has no source of randomness; the waits then have no jitter.
pub(crate) fn random_fraction() -> f64 {
    getrandom::u32().map_or(0.5, |value| f64::from(value) / f64::from(u32::MAX))
}

/// Returns a random id of 128 bits, by which the server recognises a retry after a lost response.
///
/// # Errors
/// The system provides no random numbers.
pub(crate) fn generate_id() -> Result<String, CliError> {
    let random = || {
        getrandom::u64().map_err(|error| {
            CliError::Usage(format!(
                "the system gives no random numbers ({error}); give an --id"
            ))
        })
    };
    Ok(format!("{:016x}{:016x}", random()?, random()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_maximum_and_only_half_of_a_wait_is_random() {
        let longest: Vec<u128> = (1..=9)
            .map(|retry| compute_wait(retry, None, 1.0).as_millis())
            .collect();
        assert_eq!(longest, [250, 500, 1000, 2000, 4000, 8000, 15000, 15000, 15000]);
        assert_eq!(compute_wait(3, None, 0.0).as_millis(), 500);
        assert_eq!(compute_wait(u32::MAX, None, 0.0).as_millis(), 7500);
    }

    #[test]
    fn a_wait_is_never_shorter_than_retry_after() {
        let asked = Duration::from_secs(3);
        assert!(compute_wait(1, Some(asked), 0.0) >= asked);
        assert!(compute_wait(9, Some(asked), 1.0) <= asked + FIRST_WAIT);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        assert_eq!(parse_retry_after(" 7 ", now), Some(Duration::from_secs(7)));
        assert_eq!(
            parse_retry_after("Sun, 06 Nov 1994 08:49:40 GMT", now),
            Some(Duration::from_secs(3))
        );
        assert_eq!(
            parse_retry_after("Sun, 06 Nov 1994 08:49:00 GMT", now),
            Some(Duration::ZERO)
        );
        assert_eq!(parse_retry_after("soon", now), None);
    }
}
