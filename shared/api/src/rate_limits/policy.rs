//! The policies: their names, their limits, and the defaults.

use crate::FunctionName;

/// The longest window, in seconds: a day.
pub const MAX_WINDOW_S: u32 = 86_400;
/// The largest quota, and the largest burst, in requests.
pub const MAX_QUOTA: u32 = 1_000_000;
/// A limit may let through less than its quota by one request in so many.
const KEPT_ONE_IN: u64 = 100;
/// The longest time in which a whole burst grows back, in microseconds: a week.
pub const MAX_RECOVERY_US: u64 = 7 * 86_400 * 1_000_000;

/// The largest part of a burst that must be free for one request: a half. So a request that costs more than the whole burst is let
/// through, too, even when the caller sends other requests. It is charged its whole cost.
const LARGEST_PART: u32 = 2;

/// The name of a policy: whose requests a limit counts. Documents and headers use these names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyName {
    /// Each player, with a credential of their own.
    Player,
    /// Each client address; for callers without a credential.
    Client,
    /// Each key, and each token of a server.
    Key,
    /// All callers of a tenant together.
    Tenant,
    /// Refused credentials, by client address.
    Credentials,
    /// Each caller of one function. The serialised name is `family:` and the function's name.
    Family(FunctionName),
}

impl PolicyName {
    /// All policies.
    pub const ALL: [Self; 5 + FunctionName::ALL.len()] = [
        Self::Player,
        Self::Client,
        Self::Key,
        Self::Tenant,
        Self::Credentials,
        Self::Family(FunctionName::Leaderboards),
        Self::Family(FunctionName::Scores),
        Self::Family(FunctionName::Ranks),
        Self::Family(FunctionName::Live),
        Self::Family(FunctionName::Limits),
        Self::Family(FunctionName::Tenants),
        Self::Family(FunctionName::Identity),
        Self::Family(FunctionName::Flags),
        Self::Family(FunctionName::Webhooks),
        Self::Family(FunctionName::Ops),
    ];

    /// Returns the name in documents and headers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Player => "player",
            Self::Client => "client",
            Self::Key => "key",
            Self::Tenant => "tenant",
            Self::Credentials => "credentials",
            Self::Family(FunctionName::Leaderboards) => "family:leaderboards",
            Self::Family(FunctionName::Scores) => "family:scores",
            Self::Family(FunctionName::Ranks) => "family:ranks",
            Self::Family(FunctionName::Live) => "family:live",
            Self::Family(FunctionName::Limits) => "family:limits",
            Self::Family(FunctionName::Tenants) => "family:tenants",
            Self::Family(FunctionName::Identity) => "family:identity",
            Self::Family(FunctionName::Flags) => "family:flags",
            Self::Family(FunctionName::Webhooks) => "family:webhooks",
            Self::Family(FunctionName::Ops) => "family:ops",
        }
    }

    /// Returns the default; `None` is no limit.
    pub const fn default(self) -> Option<Policy> {
        match self {
            Self::Player | Self::Client => Some(PER_CALLER),
            Self::Key => Some(PER_KEY),
            Self::Credentials => Some(REFUSED_CREDENTIALS),
            Self::Tenant | Self::Family(_) => None,
        }
    }
}

/// 100 requests a second, 200 at once.
const PER_CALLER: Policy = Policy {
    quota: 100,
    window_s: 1,
    burst: 200,
};
/// 1,000 requests a second, 2,000 at once. A key belongs to a server, which sends the requests of many players.
const PER_KEY: Policy = Policy {
    quota: 1_000,
    window_s: 1,
    burst: 2_000,
};
/// 5 refused credentials a second, 60 at once: many players can share an address, and their tokens expire.
const REFUSED_CREDENTIALS: Policy = Policy {
    quota: 5,
    window_s: 1,
    burst: 60,
};

/// A rate: `quota` requests in `window_s` seconds, `burst` of them at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Requests; 1 to [`MAX_QUOTA`].
    pub quota: u32,
    /// Seconds; 1 to [`MAX_WINDOW_S`].
    pub window_s: u32,
    /// Requests; 1 to [`MAX_QUOTA`].
    pub burst: u32,
}

impl Policy {
    /// Returns the time in which one unit grows back, in microseconds, rounded up; at least 1.
    pub fn interval_us(self) -> u64 {
        let window_us = u64::from(self.window_s).saturating_mul(1_000_000);
        window_us.div_ceil(u64::from(self.quota.max(1))).max(1)
    }

    /// Returns whether the limit lets through its quota, except for one request in [`KEPT_ONE_IN`]. The time of a unit is rounded up to
    /// whole microseconds, so that a unit takes longer to grow back than the quota says.
    pub fn is_kept(self) -> bool {
        let window_us = u64::from(self.window_s).saturating_mul(1_000_000);
        let taken_us = self.interval_us().saturating_mul(u64::from(self.quota));
        taken_us.saturating_sub(window_us) <= window_us / KEPT_ONE_IN
    }

    /// Returns the nearest quotas, below and above, that the limit lets through exactly.
    pub fn nearest_quotas(self) -> (u64, u64) {
        let window_us = u64::from(self.window_s).saturating_mul(1_000_000);
        let interval_us = self.interval_us();
        let with = |interval_us: u64| window_us.div_ceil(interval_us.max(1));
        (with(interval_us), with(interval_us.saturating_sub(1)))
    }

    /// Returns the time in which a whole burst grows back, in microseconds.
    pub fn capacity_us(self) -> u64 {
        self.interval_us().saturating_mul(u64::from(self.burst))
    }

    /// Returns how many units must be free for a request with this cost: at most a part of the burst ([`LARGEST_PART`]), and at least
    /// one.
    pub fn needs(self, cost: u64) -> u64 {
        cost.min(u64::from(self.burst / LARGEST_PART)).max(1)
    }

    /// Returns whether the policy lets through at most as much as another policy.
    pub fn is_within(self, bound: Self) -> bool {
        let own = u64::from(self.quota).saturating_mul(u64::from(bound.window_s));
        let allowed = u64::from(bound.quota).saturating_mul(u64::from(self.window_s));
        own <= allowed && self.burst <= bound.burst
    }
}

/// The setting of a policy in a document.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Setting {
    /// The document does not set the policy, so the default applies.
    #[default]
    Unset,
    /// There is no limit.
    Off,
    /// This rate.
    Rate(Policy),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_within_another_by_its_rate_and_its_burst() {
        let policy = |quota, window_s, burst| Policy {
            quota,
            window_s,
            burst,
        };
        assert!(policy(60, 60, 5).is_within(policy(1, 1, 5)));
        assert!(!policy(61, 60, 5).is_within(policy(1, 1, 5)));
        assert!(!policy(60, 60, 6).is_within(policy(1, 1, 5)));
    }

    #[test]
    fn a_request_needs_at_least_one_unit_and_at_most_half_a_burst() {
        let needs = |burst, cost| {
            let policy = Policy {
                quota: 10,
                window_s: 1,
                burst,
            };
            policy.needs(cost)
        };
        assert_eq!(
            (needs(2_000, 1), needs(2_000, 1_000), needs(2_000, 16_000)),
            (1, 1_000, 1_000)
        );
        assert_eq!(
            (needs(200, 320), needs(3, 320), needs(1, 320), needs(1, 1)),
            (100, 1, 1, 1)
        );
    }

    #[test]
    fn policy_names_are_unique() {
        let mut names = PolicyName::ALL.map(PolicyName::as_str).to_vec();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), PolicyName::ALL.len());
    }

    #[test]
    fn the_interval_of_a_unit_is_in_whole_microseconds() {
        let policy = |quota| Policy {
            quota,
            window_s: 1,
            burst: 2,
        };
        assert_eq!(policy(3).interval_us(), 333_334);
        assert_eq!(policy(MAX_QUOTA).interval_us(), 1);
        assert_eq!(policy(100).capacity_us(), 20_000);
    }

    #[test]
    fn an_inexact_quota_has_nearest_quotas_that_are_exact() {
        let policy = |quota| Policy {
            quota,
            window_s: 1,
            burst: 2,
        };
        for kept in [1, 3, 300, 9_999, 500_000, MAX_QUOTA] {
            assert!(policy(kept).is_kept(), "{kept}");
        }
        for (quota, nearest) in [
            (600_000, (500_000, MAX_QUOTA)),
            (300_000, (250_000, 333_334)),
            (70_000, (66_667, 71_429)),
        ] {
            let (below, above) = policy(quota).nearest_quotas();
            assert!(!policy(quota).is_kept(), "{quota}");
            assert_eq!((below, above), (nearest.0, nearest.1.into()));
            for kept in [nearest.0, u64::from(nearest.1)] {
                assert!(policy(u32::try_from(kept).unwrap()).is_kept(), "{kept}");
            }
        }
    }
}
