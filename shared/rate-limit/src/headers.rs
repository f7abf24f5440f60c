//! What clients are headers of limits (draft-ietf-httpapi-ratelimit-headers-10), and how a request is refused.

use http::header::RETRY_AFTER;
use http::{HeaderMap, HeaderName, HeaderValue};
use leaderboard_core::ports::RateLimitDecision;

use super::AppliedLimit;
use super::buckets::Cost;
use super::busy::DAY_US;
use leaderboard_api::{Problem, ProblemType};

/// The limits: `"player";q=100;w=1`.
pub const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
/// What is left of them: `"player";r=42;t=1`.
pub const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
/// The day's quota, as clients know it.
const DAY: &str = "day";
const SECOND_US: u64 = 1_000_000;
/// How long a value of a header mostly is, in bytes.
const VALUE_BYTES: usize = 96;

/// The limits of a request, after a decision about it.
pub struct RateLimitHeaders<'a> {
    /// The limits.
    pub applied: &'a [AppliedLimit],
    /// How far they are ahead, in the same order.
    pub rate_limit_decision: &'a RateLimitDecision,
    /// What the request costs, and the tenant's requests of a day that are let through.
    pub cost: Cost,
    /// The instant, in microseconds since the epoch.
    pub now_us: u64,
}

impl RateLimitHeaders<'_> {
    /// Both headers; `None` when no limit applied.
    pub fn headers(&self) -> Option<[(HeaderName, HeaderValue); 2]> {
        let mut policies = String::with_capacity(VALUE_BYTES);
        let mut rooms = String::with_capacity(VALUE_BYTES);
        for (one, ahead_us) in self.applied.iter().zip(&self.rate_limit_decision.ahead_us) {
            let (name, policy) = (one.name.as_str(), one.policy);
            let (room, wait_s) = room(one, *ahead_us);
            add(
                &mut policies,
                name,
                ("q", policy.quota.into()),
                ("w", policy.window_s.into()),
            );
            add(&mut rooms, name, ("r", room), ("t", wait_s));
        }
        if let Some(most) = self.cost.max_requests_per_day {
            let left = most.saturating_sub(self.rate_limit_decision.requests_today);
            add(&mut policies, DAY, ("q", most), ("w", DAY_US / SECOND_US));
            add(&mut rooms, DAY, ("r", left), ("t", self.rest_of_the_day_s()));
        }
        if policies.is_empty() {
            return None;
        }
        let value = |text: &str| HeaderValue::from_str(text).ok();
        Some([
            (RATE_LIMIT_POLICY, value(&policies)?),
            (RATE_LIMIT, value(&rooms)?),
        ])
    }

    /// Adds them to an answer.
    pub fn add_to(&self, headers: &mut HeaderMap) {
        headers.extend(self.headers().into_iter().flatten());
    }

    /// The limits that have no room, by their names.
    pub fn violated(&self) -> impl Iterator<Item = &AppliedLimit> {
        let both = self.applied.iter().zip(&self.rate_limit_decision.ahead_us);
        both.filter(|(one, ahead_us)| !one.has_room(self.cost.units, **ahead_us))
            .map(|(one, _)| one)
    }

    /// Whether the day's quota is used up.
    pub fn quota_is_used_up(&self) -> bool {
        self.cost
            .max_requests_per_day
            .is_some_and(|most| self.rate_limit_decision.requests_today >= most)
    }

    /// 429: which limits are used up, and when to try again.
    pub fn refusal(&self) -> Problem {
        let mut problem = Problem::new(ProblemType::TooManyRequests);
        let mut wait_s = 1;
        for (one, ahead_us) in self.applied.iter().zip(&self.rate_limit_decision.ahead_us) {
            let wait_us = one.wait_us(self.cost.units, *ahead_us);
            if wait_us > 0 {
                wait_s = wait_s.max(wait_us.div_ceil(SECOND_US));
                problem = problem.with_violated(one.name.as_str());
            }
        }
        if self.quota_is_used_up() {
            wait_s = wait_s.max(self.rest_of_the_day_s());
            problem = problem.with_violated(DAY);
        }
        problem = problem.with_header(RETRY_AFTER, &wait_s.to_string());
        self.mark(problem)
    }

    /// Adds the headers to a problem.
    pub fn mark(&self, problem: Problem) -> Problem {
        let headers = self.headers().into_iter().flatten();
        headers.fold(problem, |problem, (name, value)| {
            problem.with_header_value(name, value)
        })
    }

    fn rest_of_the_day_s(&self) -> u64 {
        let since_midnight = self.now_us % DAY_US;
        DAY_US.saturating_sub(since_midnight).div_ceil(SECOND_US)
    }
}

/// For how many requests there is room, and in how many seconds there is room for one more; 0 when it is full.
fn room(one: &AppliedLimit, ahead_us: u64) -> (u64, u64) {
    let interval = one.policy.interval_us();
    let capacity = one.policy.capacity_us();
    let room = capacity.saturating_sub(ahead_us) / interval.max(1);
    let needed = interval.saturating_mul(room.saturating_add(1));
    if needed > capacity {
        return (room, 0);
    }
    let wait_us = ahead_us.saturating_add(needed).saturating_sub(capacity);
    (room, wait_us.div_ceil(SECOND_US))
}

/// Adds an item of a structured list (RFC 9651): a string with two integers.
fn add(list: &mut String, name: &str, first: (&str, u64), second: (&str, u64)) {
    // Every answer to a read goes through here, and the formatter is several times as dear.
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

    fn one(name: PolicyName, quota: u32, burst: u32) -> AppliedLimit {
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

    fn headers(
        applied: &[AppliedLimit],
        ahead_us: &[u64],
        day: Option<(u64, u64)>,
    ) -> (String, String, Problem) {
        let rate_limit_decision = RateLimitDecision {
            ahead_us: ahead_us.to_vec(),
            requests_today: day.map_or(0, |(_, used)| used),
            refused: false,
        };
        let headers = RateLimitHeaders {
            applied,
            rate_limit_decision: &rate_limit_decision,
            cost: Cost {
                units: 1,
                max_requests_per_day: day.map(|(most, _)| most),
            },
            now_us: 3 * DAY_US - 90 * SECOND_US - 1,
        };
        let [(_, policies), (_, rooms)] = headers.headers().unwrap();
        let text = |value: HeaderValue| value.to_str().unwrap().to_owned();
        (text(policies), text(rooms), headers.refusal())
    }

    #[test]
    fn the_headers_are_structured_lists() {
        let both = [
            one(PolicyName::Player, 100, 200),
            one(PolicyName::Tenant, 10_000, 10_000),
        ];
        let (policies, rooms, _) = headers(&both, &[1_580_000, 0], None);
        assert_eq!(policies, r#""player";q=100;w=1, "tenant";q=10000;w=1"#);
        assert_eq!(rooms, r#""player";r=42;t=1, "tenant";r=10000;t=0"#);
    }

    #[test]
    fn a_refusal_names_what_is_used_up_and_when_to_come_back() {
        let slow = [one(PolicyName::Client, 1, 3)];
        let (_, rooms, problem) = headers(&slow, &[5_500_000], None);
        assert_eq!(rooms, r#""client";r=0;t=4"#);
        assert_eq!(problem.violated, ["client"]);
        let retry = problem.headers.iter().find(|(name, _)| name == RETRY_AFTER);
        assert_eq!(retry.unwrap().1, "4");
        let (policies, rooms, problem) = headers(&slow, &[0], Some((50, 50)));
        assert_eq!(policies, r#""client";q=1;w=1, "day";q=50;w=86400"#);
        assert_eq!(rooms, r#""client";r=3;t=0, "day";r=0;t=91"#);
        assert_eq!(problem.violated, ["day"]);
    }
}
