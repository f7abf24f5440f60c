//! The rate-limit headers of a response (draft-ietf-httpapi-ratelimit-headers-10), and the problem for a refused request.

use http::header::RETRY_AFTER;
use http::{HeaderMap, HeaderName, HeaderValue};
use leaderboard_core::ports::RateLimitDecision;

use super::AppliedLimit;
use super::buckets::RequestCost;
use super::shared_usage::DAY_US;
use leaderboard_api::{Problem, ProblemType};

/// The header with the limits: `"player";q=100;w=1`.
pub const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
/// The header with the remaining units of the limits: `"player";r=42;t=1`.
pub const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
/// The name of the daily quota in the headers and in problems.
const DAY: &str = "day";
const SECOND_US: u64 = 1_000_000;
/// The initial capacity of a header's value, in bytes.
const VALUE_BYTES: usize = 96;

/// The limits of a request and the decision about it.
pub struct RateLimitHeaders<'a> {
    /// The limits that apply to the request.
    pub limits: &'a [AppliedLimit],
    /// The decision; its `ahead_us` is in the order of `limits`.
    pub decision: &'a RateLimitDecision,
    /// What the request costs, and the tenant's daily quota.
    pub cost: RequestCost,
    /// The instant of the request, in microseconds since the epoch.
    pub now_us: u64,
}

impl RateLimitHeaders<'_> {
    /// Returns both headers; `None` when no limit applies.
    pub fn headers(&self) -> Option<[(HeaderName, HeaderValue); 2]> {
        let mut policies = String::with_capacity(VALUE_BYTES);
        let mut remainders = String::with_capacity(VALUE_BYTES);
        for (limit, ahead_us) in self.limits.iter().zip(&self.decision.ahead_us) {
            let (name, policy) = (limit.name.as_str(), limit.policy);
            let (remaining, wait_s) = remaining(limit, *ahead_us);
            add_item(
                &mut policies,
                name,
                ("q", policy.quota.into()),
                ("w", policy.window_s.into()),
            );
            add_item(&mut remainders, name, ("r", remaining), ("t", wait_s));
        }
        if let Some(most) = self.cost.max_requests_per_day {
            let left = most.saturating_sub(self.decision.requests_today);
            add_item(&mut policies, DAY, ("q", most), ("w", DAY_US / SECOND_US));
            add_item(&mut remainders, DAY, ("r", left), ("t", self.rest_of_the_day_s()));
        }
        if policies.is_empty() {
            return None;
        }
        let value = |text: &str| HeaderValue::from_str(text).ok();
        Some([
            (RATE_LIMIT_POLICY, value(&policies)?),
            (RATE_LIMIT, value(&remainders)?),
        ])
    }

    /// Adds both headers to a response.
    pub fn add_to(&self, headers: &mut HeaderMap) {
        headers.extend(self.headers().into_iter().flatten());
    }

    /// Returns the limits that have no room for the request.
    pub fn violated_limits(&self) -> impl Iterator<Item = &AppliedLimit> {
        let both = self.limits.iter().zip(&self.decision.ahead_us);
        both.filter(|(limit, ahead_us)| !limit.has_room(self.cost.units, **ahead_us))
            .map(|(limit, _)| limit)
    }

    /// Returns whether the day's quota is used up.
    pub fn quota_is_used_up(&self) -> bool {
        self.cost
            .max_requests_per_day
            .is_some_and(|most| self.decision.requests_today >= most)
    }

    /// Returns 429, with the names of the limits that have no room and the seconds until there is room.
    pub fn refusal(&self) -> Problem {
        let mut problem = Problem::new(ProblemType::TooManyRequests);
        let mut wait_s = 1;
        for (limit, ahead_us) in self.limits.iter().zip(&self.decision.ahead_us) {
            let wait_us = limit.wait_us(self.cost.units, *ahead_us);
            if wait_us > 0 {
                wait_s = wait_s.max(wait_us.div_ceil(SECOND_US));
                problem = problem.with_violated(limit.name.as_str());
            }
        }
        if self.quota_is_used_up() {
            wait_s = wait_s.max(self.rest_of_the_day_s());
            problem = problem.with_violated(DAY);
        }
        problem = problem.with_header(RETRY_AFTER, &wait_s.to_string());
        self.add_to_problem(problem)
    }

    /// Adds both headers to a problem.
    pub fn add_to_problem(&self, problem: Problem) -> Problem {
        let headers = self.headers().into_iter().flatten();
        headers.fold(problem, |problem, (name, value)| {
            problem.with_appended_header(name, value)
        })
    }

    fn rest_of_the_day_s(&self) -> u64 {
        let since_midnight = self.now_us % DAY_US;
        DAY_US.saturating_sub(since_midnight).div_ceil(SECOND_US)
    }
}

/// Returns the number of requests that a limit still has room for, and the seconds until it has room for one more; 0 seconds if
/// the bucket is full.
fn remaining(limit: &AppliedLimit, ahead_us: u64) -> (u64, u64) {
    let interval = limit.policy.interval_us();
    let capacity = limit.policy.capacity_us();
    let room = capacity.saturating_sub(ahead_us) / interval.max(1);
    let needed = interval.saturating_mul(room.saturating_add(1));
    if needed > capacity {
        return (room, 0);
    }
    let wait_us = ahead_us.saturating_add(needed).saturating_sub(capacity);
    (room, wait_us.div_ceil(SECOND_US))
}

/// Adds an item to a structured list (RFC 9651): a string with two integer parameters.
fn add_item(list: &mut String, name: &str, first: (&str, u64), second: (&str, u64)) {
    // Every response to a read has these headers, and `write!` takes several times as long as itoa.
    let mut digits = itoa::Buffer::new();
    if !list.is_empty() {
        list.push_str(", ");
    }
    list.push('"');
    list.push_str(name);
    list.push('"');
    for (parameter, value) in [first, second] {
        list.push(';');
        list.push_str(parameter);
        list.push('=');
        list.push_str(digits.format(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use leaderboard_api::rate_limits::{Policy, PolicyName};

    fn create_limit(name: PolicyName, quota: u32, burst: u32) -> AppliedLimit {
        AppliedLimit {
            name,
            policy: Policy {
                quota,
                window_s: 1,
                burst,
            },
            bucket: "x".into(),
            is_tenants_own: false,
            owner: None,
            paid: 0,
        }
    }

    /// Returns the values of `RateLimit-Policy` and `RateLimit`, and the problem of a refusal.
    fn create_headers(
        limits: &[AppliedLimit],
        ahead_us: &[u64],
        day: Option<(u64, u64)>,
    ) -> (String, String, Problem) {
        let decision = RateLimitDecision {
            ahead_us: ahead_us.to_vec(),
            requests_today: day.map_or(0, |(_, used)| used),
            refused: false,
        };
        let headers = RateLimitHeaders {
            limits,
            decision: &decision,
            cost: RequestCost {
                units: 1,
                max_requests_per_day: day.map(|(most, _)| most),
            },
            now_us: 3 * DAY_US - 90 * SECOND_US - 1,
        };
        let [(_, policies), (_, remainders)] = headers.headers().unwrap();
        let text = |value: HeaderValue| value.to_str().unwrap().to_owned();
        (text(policies), text(remainders), headers.refusal())
    }

    #[test]
    fn the_headers_are_structured_lists() {
        let both = [
            create_limit(PolicyName::Player, 100, 200),
            create_limit(PolicyName::Tenant, 10_000, 10_000),
        ];
        let (policies, remainders, _) = create_headers(&both, &[1_580_000, 0], None);
        assert_eq!(policies, r#""player";q=100;w=1, "tenant";q=10000;w=1"#);
        assert_eq!(remainders, r#""player";r=42;t=1, "tenant";r=10000;t=0"#);
    }

    #[test]
    fn a_refusal_names_the_exhausted_limit_and_the_time_to_retry() {
        let slow = [create_limit(PolicyName::Client, 1, 3)];
        let (_, remainders, problem) = create_headers(&slow, &[5_500_000], None);
        assert_eq!(remainders, r#""client";r=0;t=4"#);
        assert_eq!(problem.violated, ["client"]);
        let retry = problem.headers.iter().find(|(name, _)| name == RETRY_AFTER);
        assert_eq!(retry.unwrap().1, "4");
        let (policies, remainders, problem) = create_headers(&slow, &[0], Some((50, 50)));
        assert_eq!(policies, r#""client";q=1;w=1, "day";q=50;w=86400"#);
        assert_eq!(remainders, r#""client";r=3;t=0, "day";r=0;t=91"#);
        assert_eq!(problem.violated, ["day"]);
    }
}
