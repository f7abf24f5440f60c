//! Requests that are refused because a limit is used up.

use leaderboard_api::Problem;
use leaderboard_core::ports::RateLimitDecision;

use crate::{
    AppliedLimit, Cost, RateLimitEnvironment, RateLimitHeaders, limited, limited_by_quota, micros, schedule,
};

/// 429, counted.
pub fn refused<E: RateLimitEnvironment>(
    env: &E,
    applied: &[AppliedLimit],
    rate_limit_decision: &RateLimitDecision,
    cost: Cost,
) -> Problem {
    let headers = RateLimitHeaders {
        applied,
        rate_limit_decision,
        cost,
        now_us: now_us(env),
    };
    let counts = &env.rate_limit_state().counts;
    for one in headers.violated() {
        counts.add(limited(one.name), 1);
    }
    if headers.quota_is_used_up() {
        counts.add(limited_by_quota(), 1);
    }
    schedule(env);
    headers.refusal()
}

/// The instant of the request, in microseconds since the epoch.
pub fn now_us<E: RateLimitEnvironment>(env: &E) -> u64 {
    micros(env.now().as_unix_ms())
}
