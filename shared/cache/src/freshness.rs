//! Decides what a cached value may be used for (RFC 9111, section 4.2; RFC 5861).

use leaderboard_core::Timestamp;

/// How much the clocks of two instances may differ, in milliseconds. If a value's instant is further in the future, a wrong clock
/// dated the value.
pub const CLOCK_MARGIN_MS: i64 = 1_000;

/// How long a cached value may be used. The time starts when its origin is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetime {
    /// How long the value is fresh, in milliseconds.
    pub fresh_ms: i64,
    /// How long after `fresh_ms` the value is used while it is fetched again, in milliseconds.
    pub stale_while_revalidate_ms: i64,
    /// How long after `fresh_ms` the value is used if its origin does not answer, in milliseconds.
    pub stale_if_error_ms: i64,
}

/// What a cached value may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// The value is fresh, and stays fresh for this many milliseconds: use it for every request.
    Fresh(i64),
    /// The value has been stale for this many milliseconds: use it, and fetch it again (RFC 5861, section 3).
    StaleWhileRevalidate(i64),
    /// Use the value only if its origin does not answer (RFC 5861, section 4).
    StaleIfError,
    /// Do not use the value.
    Expired,
}

impl Lifetime {
    /// Returns what a value that was fetched at `fetched_at` may be used for at `now`.
    pub const fn classify(self, fetched_at: Timestamp, now: Timestamp) -> Freshness {
        let age_ms = now.as_unix_ms() - fetched_at.as_unix_ms();
        let over_ms = age_ms - self.fresh_ms;
        if age_ms < -CLOCK_MARGIN_MS {
            Freshness::Expired
        } else if over_ms < 0 {
            Freshness::Fresh(-over_ms)
        } else if over_ms < self.stale_while_revalidate_ms {
            Freshness::StaleWhileRevalidate(over_ms)
        } else if over_ms < self.stale_if_error_ms {
            Freshness::StaleIfError
        } else {
            Freshness::Expired
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_goes_through_all_states() {
        let lifetime = Lifetime {
            fresh_ms: 5_000,
            stale_while_revalidate_ms: 2_500,
            stale_if_error_ms: 300_000,
        };
        let fetched_at = Timestamp::from_unix_ms(1_000_000).unwrap();
        for (age_ms, expected) in [
            (-1_001, Freshness::Expired),
            (-1_000, Freshness::Fresh(6_000)),
            (0, Freshness::Fresh(5_000)),
            (4_999, Freshness::Fresh(1)),
            (5_000, Freshness::StaleWhileRevalidate(0)),
            (7_499, Freshness::StaleWhileRevalidate(2_499)),
            (7_500, Freshness::StaleIfError),
            (304_999, Freshness::StaleIfError),
            (305_000, Freshness::Expired),
        ] {
            let now = fetched_at.saturating_add_ms(age_ms);
            assert_eq!(lifetime.classify(fetched_at, now), expected, "{age_ms}");
        }
    }
}
