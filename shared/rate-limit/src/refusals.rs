//! The problem for a request that a limit refuses.

use leaderboard_api::Problem;
use leaderboard_core::ports::RateLimitDecision;

use crate::micros::now_us;
use crate::series::{limited_series, quota_limited_series};
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
