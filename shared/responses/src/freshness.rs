//! Decides for what an entry may still be used (RFC 9111, section 4.2; RFC 5861).

use leaderboard_core::Timestamp;
use leaderboard_core::ports::ANNOUNCEMENT_WINDOW_MS;

use super::cache_entry::CacheMetadata;
use leaderboard_cache::freshness::CLOCK_MARGIN_MS;

/// How long an entry is fresh while the leaderboard is changing, in milliseconds.
pub(crate) const CHANGING_MS: i64 = ANNOUNCEMENT_WINDOW_MS as i64;
/// How far in the future an entry may have been fetched by this clock, in milliseconds. Beyond that, the other instance's clock
/// was wrong.
pub(crate) const MAX_AHEAD_MS: i64 = CLOCK_MARGIN_MS;
/// `XFetch` begins at most this many fetch times before the end: earlier, the probability is below one in 400 million.
const AHEAD_COSTS: i64 = 20;

/// What an entry may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Freshness {
    /// For every request, for this many milliseconds more.
    Fresh(i64),
    /// While it is fetched again (RFC 5861, section 3): its lifetime ended this many milliseconds ago, and no later change is
    /// known.
    StaleWhileRevalidate(i64),
    /// Only while the store is out of reach (RFC 5861, section 4).
    StaleIfError,
    /// Not at all.
    Expired,
}

/// Returns what an entry may be used for at `now`, if the leaderboard is known to be changing until `changing_until` (in
/// milliseconds since the epoch).
pub(crate) fn classify_freshness(entry: &CacheMetadata, changing_until: i64, now: Timestamp) -> Freshness {
    let now_ms = now.as_unix_ms();
    let fetched_ms = entry.fetched_at.as_unix_ms();
    let age = now_ms - fetched_ms;
    let lifetime = i64::from(entry.lifetime_ms);
    if age < -MAX_AHEAD_MS || entry.expires_at.is_some_and(|until| until <= now) {
        return Freshness::Expired;
    }
    let fresh_for = if fetched_ms < changing_until {
        lifetime.min(CHANGING_MS)
    } else {
        lifetime
    };
    if age < fresh_for {
        let left = entry
            .expires_at
            .map_or(i64::MAX, |until| until.as_unix_ms() - now_ms);
        Freshness::Fresh((fresh_for - age).min(left))
    } else if fetched_ms >= changing_until && age < lifetime + i64::from(entry.stale_ms) {
        Freshness::StaleWhileRevalidate(age - lifetime)
    } else if age < lifetime + i64::from(entry.stale_if_error_ms) {
        Freshness::StaleIfError
    } else {
        Freshness::Expired
    }
}

/// Returns whether to fetch an entry again although it is fresh for `left_ms` more. The decision is random; the probability rises
/// with the time that a fetch takes, and as the end comes nearer. `random` returns a number from 0 to 1 and is called only when
/// it matters. Source: Vattani, Chierichetti, Lowenstein, "Optimal Probabilistic Cache Stampede Prevention" (`XFetch`).
pub(crate) fn is_refresh_ahead_due(
    entry: &CacheMetadata,
    left_ms: i64,
    random: impl FnOnce() -> f64,
) -> bool {
    let cost = i64::from(entry.cost_ms.max(1));
    if !entry.refresh_ahead || left_ms > cost * AHEAD_COSTS {
        return false;
    }
    let random = random().max(f64::MIN_POSITIVE);
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of a day are exact")]
    let (cost, left) = (cost as f64, left_ms as f64);
    cost * -random.ln() >= left
}

#[cfg(test)]
mod tests {
    use super::super::cache_entry::tests::metadata;
    use super::*;

    fn at(age: i64, changed_after: i64) -> Freshness {
        let entry = CacheMetadata {
            expires_at: None,
            ..metadata()
        };
        let fetched = entry.fetched_at.as_unix_ms();
        classify_freshness(
            &entry,
            fetched + changed_after,
            entry.fetched_at.saturating_add_ms(age),
        )
    }

    #[test]
    fn an_entry_without_a_known_change_goes_through_all_states() {
        for (age, expected) in [
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
            assert_eq!(at(age, 0), expected, "{age}");
        }
    }

    #[test]
    fn an_entry_from_before_a_change_is_fresh_for_a_window() {
        assert_eq!(at(24, 1), Freshness::Fresh(1));
        assert_eq!(at(25, 1), Freshness::StaleIfError);
        assert_eq!(at(6_000, 1), Freshness::StaleIfError);
    }

    #[test]
    fn an_entry_about_the_current_period_expires_with_it() {
        let entry = metadata();
        let end = entry.expires_at.unwrap();
        let late = CacheMetadata {
            fetched_at: end.saturating_add_ms(-100),
            ..entry
        };
        assert_eq!(
            classify_freshness(&late, 0, end.saturating_add_ms(-1)),
            Freshness::Fresh(1)
        );
        assert_eq!(classify_freshness(&late, 0, end), Freshness::Expired);
    }

    #[test]
    fn a_refresh_ahead_is_more_likely_near_the_end() {
        let entry = CacheMetadata {
            cost_ms: 10,
            ..metadata()
        };
        assert!(!is_refresh_ahead_due(&entry, 201, || panic!("not called")));
        assert!(!is_refresh_ahead_due(&entry, 100, || 0.5));
        assert!(is_refresh_ahead_due(&entry, 100, || 0.000_01));
        assert!(is_refresh_ahead_due(&entry, 5, || 0.5));
        assert!(is_refresh_ahead_due(&entry, 100, || 0.0));
        let without = CacheMetadata {
            refresh_ahead: false,
            ..entry
        };
        assert!(!is_refresh_ahead_due(&without, 0, || 0.0));
    }
}
