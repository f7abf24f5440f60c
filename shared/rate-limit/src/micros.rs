//! Instants in microseconds since the epoch, in which buckets count.

use crate::RateLimitEnvironment;

/// Converts milliseconds since the epoch to microseconds.
pub(crate) fn micros_from_millis(ms: i64) -> u64 {
    u64::try_from(ms).unwrap_or_default().saturating_mul(1000)
}

/// Returns the instant of the request, in microseconds since the epoch.
pub fn now_us<E: RateLimitEnvironment>(env: &E) -> u64 {
    micros_from_millis(env.now().as_unix_ms())
}
