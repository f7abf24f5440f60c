//! How good an answer still is.

use leaderboard_core::Timestamp;
use leaderboard_core::ports::ANNOUNCEMENT_WINDOW_MS;

use super::cache_entry::CacheMetadata;
use leaderboard_cache::documents::CLOCK_MARGIN_MS;

/// While a leaderboard changes, an answer is good for this long, in milliseconds.
pub(crate) const CHANGING_MS: i64 = ANNOUNCEMENT_WINDOW_MS as i64;
/// How far ahead of this clock an answer's may be, in milliseconds. Further ahead it is taken for a clock that was wrong.
pub(crate) const MAX_AHEAD_MS: i64 = CLOCK_MARGIN_MS;
/// `XFetch` looks this many costs ahead, at most: a chance of one in a thousand million is none.
const AHEAD_COSTS: i64 = 20;

/// What an answer may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Freshness {
    /// For anything, for so many milliseconds more.
    Fresh(i64),
    /// While it is made anew: so many milliseconds ago its lifetime ended, and no change is known since.
    StaleWhileRevalidate(i64),
    /// Only because the store cannot be reached.
    StaleIfError,
    /// For nothing.
    Expired,
}

/// How good an answer is at an instant, when the leaderboard is known to have changed until `changed_until` (in
/// milliseconds since the epoch).
pub(crate) fn classify_freshness(entry: &CacheMetadata, changed_until: i64, now: Timestamp) -> Freshness {
    let now_ms = now.as_unix_ms();
    let made_ms = entry.made_at.as_unix_ms();
    let age = now_ms - made_ms;
    let lifetime = i64::from(entry.lifetime_ms);
    if age < -MAX_AHEAD_MS || entry.until.is_some_and(|until| until <= now) {
        return Freshness::Expired;
    }
    let good_for = if made_ms < changed_until {
        lifetime.min(CHANGING_MS)
    } else {
        lifetime
    };
    if age < good_for {
        let left = entry.until.map_or(i64::MAX, |until| until.as_unix_ms() - now_ms);
        Freshness::Fresh((good_for - age).min(left))
    } else if made_ms >= changed_until && age < lifetime + i64::from(entry.stale_ms) {
        Freshness::StaleWhileRevalidate(age - lifetime)
    } else if age < lifetime + i64::from(entry.stale_if_error_ms) {
        Freshness::StaleIfError
    } else {
        Freshness::Expired
    }
}

/// Whether one that is fresh for `left_ms` more is made anew already (`XFetch`): by chance, the sooner the longer it takes to
/// make. `chance` gives a number from 0 to 1 and is request only when it can matter.
pub(crate) fn is_due_early(entry: &CacheMetadata, left_ms: i64, chance: impl FnOnce() -> f64) -> bool {
    let cost = i64::from(entry.cost_ms.max(1));
    if !entry.refresh_ahead || left_ms > cost * AHEAD_COSTS {
        return false;
    }
    let chance = chance().max(f64::MIN_POSITIVE);
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of a day are exact")]
    let (cost, left) = (cost as f64, left_ms as f64);
    cost * -chance.ln() >= left
}

#[cfg(test)]
mod tests {
    use super::super::cache_entry::tests::metadata;
    use super::*;

    fn at(age: i64, changed_after: i64) -> Freshness {
        let entry = CacheMetadata {
            until: None,
            ..metadata()
        };
        let made = entry.made_at.as_unix_ms();
        classify_freshness(&entry, made + changed_after, entry.made_at.saturating_add_ms(age))
    }

    #[test]
    fn an_answer_without_a_known_change_is_fresh_then_stale_then_spent_then_gone() {
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
    fn an_answer_from_before_a_change_is_good_for_a_window() {
        assert_eq!(at(24, 1), Freshness::Fresh(1));
        assert_eq!(at(25, 1), Freshness::StaleIfError);
        assert_eq!(at(6_000, 1), Freshness::StaleIfError);
    }

    #[test]
    fn an_answer_about_the_current_period_ends_with_it() {
        let entry = metadata();
        let end = entry.until.unwrap();
        let late = CacheMetadata {
            made_at: end.saturating_add_ms(-100),
            ..entry
        };
        assert_eq!(
            classify_freshness(&late, 0, end.saturating_add_ms(-1)),
            Freshness::Fresh(1)
        );
        assert_eq!(classify_freshness(&late, 0, end), Freshness::Expired);
    }

    #[test]
    fn the_nearer_the_end_the_likelier_it_is_made_early() {
        let entry = CacheMetadata {
            cost_ms: 10,
            ..metadata()
        };
        assert!(!is_due_early(&entry, 201, || panic!("not request")));
        assert!(!is_due_early(&entry, 100, || 0.5));
        assert!(is_due_early(&entry, 100, || 0.000_01));
        assert!(is_due_early(&entry, 5, || 0.5));
        assert!(is_due_early(&entry, 100, || 0.0));
        let aside = CacheMetadata {
            refresh_ahead: false,
            ..entry
        };
        assert!(!is_due_early(&aside, 0, || 0.0));
    }
}
