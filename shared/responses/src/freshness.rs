//! Decides what an entry may be used for (RFC 9111, section 4.2; RFC 5861).

use leaderboard_core::Timestamp;
use leaderboard_core::ports::ANNOUNCEMENT_WINDOW_MS;

use super::cache_entry::CacheMetadata;
use leaderboard_cache::freshness::Freshness;

/// How long an entry is fresh while the leaderboard is changing, in milliseconds.
pub(crate) const CHANGING_MS: i64 = ANNOUNCEMENT_WINDOW_MS as i64;
/// Refresh ahead (`XFetch`) begins at most this many fetch times before the lifetime ends. Earlier than that, its probability is
/// below one in 400 million.
const AHEAD_COSTS: i64 = 20;

/// Returns what an entry may be used for at `now`, if the leaderboard is changing until `changing_until` (in milliseconds since
/// the epoch). An entry that was fetched before that instant is fresh for only [`CHANGING_MS`], and has no
/// `stale-while-revalidate` time.
pub(crate) fn classify_freshness(entry: &CacheMetadata, changing_until: i64, now: Timestamp) -> Freshness {
    if entry.expires_at.is_some_and(|until| until <= now) {
        return Freshness::Expired;
    }
    let mut lifetime = entry.lifetime();
    if entry.fetched_at.as_unix_ms() < changing_until {
        let stale_until_ms = lifetime.fresh_ms + lifetime.stale_if_error_ms;
        lifetime.fresh_ms = lifetime.fresh_ms.min(CHANGING_MS);
        lifetime.stale_while_revalidate_ms = 0;
        lifetime.stale_if_error_ms = stale_until_ms - lifetime.fresh_ms;
    }
    match lifetime.classify(entry.fetched_at, now) {
        Freshness::Fresh(left_ms) => {
            let until_end = |until: Timestamp| until.as_unix_ms() - now.as_unix_ms();
            Freshness::Fresh(
                entry
                    .expires_at
                    .map_or(left_ms, |until| left_ms.min(until_end(until))),
            )
        }
        stale => stale,
    }
}

/// Returns whether to fetch an entry again although it is fresh for another `left_ms`. The decision is random: the probability
/// rises with the time that a fetch takes, and as the end of the lifetime comes nearer. `random` returns a number from 0 to 1 and
/// is called only if the decision depends on it. Source: Vattani, Chierichetti, Lowenstein, "Optimal Probabilistic Cache Stampede
/// Prevention" (`XFetch`).
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
