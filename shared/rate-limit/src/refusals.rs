//! The problem for a request that a limit refuses.

use leaderboard_api::Problem;
use leaderboard_core::ports::RateLimitDecision;

use crate::series::{limited_series, quota_limited_series};
use crate::usage_slots::micros_from_millis;
use crate::{AppliedLimit, RateLimitEnvironment, RateLimitHeaders, RequestCost, schedule_report};

/// Counts a refused request, and returns 429 with the rate-limit headers.
pub fn refuse_request<E: RateLimitEnvironment>(
    env: &E,
    limits: &[AppliedLimit],
    decision: &RateLimitDecision,
    cost: RequestCost,
) -> Problem {
    let headers = RateLimitHeaders {
        limits,
        decision,
        cost,
        now_us: now_us(env),
    };
    let counts = &env.rate_limit_state().counts;
    for limit in headers.violated_limits() {
        counts.add(limited_series(limit.name), 1);
    }
    if headers.quota_is_used_up() {
        counts.add(quota_limited_series(), 1);
    }
    schedule_report(env);
    headers.refusal()
}

/// Returns the instant of the request, in microseconds since the epoch.
pub fn now_us<E: RateLimitEnvironment>(env: &E) -> u64 {
    micros_from_millis(env.now().as_unix_ms())
}
