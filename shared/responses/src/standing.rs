//! How good an answer still is.

use leaderboard_core::Timestamp;
use leaderboard_core::ports::ANNOUNCEMENT_WINDOW_MS;

use super::view::Facts;
use leaderboard_cache::documents::CLOCK_MARGIN_MS;

/// While a leaderboard changes, an answer is good for this long, in milliseconds.
pub(crate) const CHANGING_MS: i64 = ANNOUNCEMENT_WINDOW_MS as i64;
/// How far ahead of this clock an answer's may be, in milliseconds. Further ahead it is taken for a clock that was wrong.
pub(crate) const MAX_AHEAD_MS: i64 = CLOCK_MARGIN_MS;
/// `XFetch` looks this many costs ahead, at most: a chance of one in a thousand million is none.
const AHEAD_COSTS: i64 = 20;

/// What an answer may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// For anything, for so many milliseconds more.
    Fresh(i64),
    /// While it is made anew: so many milliseconds ago its lifetime ended, and no change is known since.
    Stale(i64),
    /// Only because the store cannot be reached.
    Spent,
    /// For nothing.
    Gone,
}

/// How good an answer is at an instant, when the leaderboard is known to have changed until `changed_until` (in
/// milliseconds since the epoch).
pub(crate) fn standing(view: &Facts, changed_until: i64, now: Timestamp) -> Standing {
    let now_ms = now.as_unix_ms();
    let made_ms = view.made_at.as_unix_ms();
    let age = now_ms - made_ms;
    let lifetime = i64::from(view.lifetime_ms);
    if age < -MAX_AHEAD_MS || view.until.is_some_and(|until| until <= now) {
        return Standing::Gone;
    }
    let good_for = if made_ms < changed_until {
        lifetime.min(CHANGING_MS)
    } else {
        lifetime
    };
    if age < good_for {
        let left = view.until.map_or(i64::MAX, |until| until.as_unix_ms() - now_ms);
        Standing::Fresh((good_for - age).min(left))
    } else if made_ms >= changed_until && age < lifetime + i64::from(view.stale_ms) {
        Standing::Stale(age - lifetime)
    } else if age < lifetime + i64::from(view.stale_if_error_ms) {
        Standing::Spent
    } else {
        Standing::Gone
    }
}

/// Whether one that is fresh for `left_ms` more is made anew already (`XFetch`): by chance, the sooner the longer it takes to
/// make. `chance` gives a number from 0 to 1 and is asked only when it can matter.
pub(crate) fn is_due_early(view: &Facts, left_ms: i64, chance: impl FnOnce() -> f64) -> bool {
    let cost = i64::from(view.cost_ms.max(1));
    if !view.refresh_ahead || left_ms > cost * AHEAD_COSTS {
        return false;
    }
    let chance = chance().max(f64::MIN_POSITIVE);
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of a day are exact")]
    let (cost, left) = (cost as f64, left_ms as f64);
    cost * -chance.ln() >= left
}

#[cfg(test)]
mod tests {
    use super::super::view::tests::facts;
    use super::*;

    fn at(age: i64, changed_after: i64) -> Standing {
        let view = Facts {
            until: None,
            ..facts()
        };
        let made = view.made_at.as_unix_ms();
        standing(&view, made + changed_after, view.made_at.saturating_add_ms(age))
    }

    #[test]
    fn an_answer_without_a_known_change_is_fresh_then_stale_then_spent_then_gone() {
        for (age, expected) in [
            (-1_001, Standing::Gone),
            (-1_000, Standing::Fresh(6_000)),
            (0, Standing::Fresh(5_000)),
            (4_999, Standing::Fresh(1)),
            (5_000, Standing::Stale(0)),
            (7_499, Standing::Stale(2_499)),
            (7_500, Standing::Spent),
            (304_999, Standing::Spent),
            (305_000, Standing::Gone),
        ] {
            assert_eq!(at(age, 0), expected, "{age}");
        }
    }

    #[test]
    fn an_answer_from_before_a_change_is_good_for_a_window() {
        assert_eq!(at(24, 1), Standing::Fresh(1));
        assert_eq!(at(25, 1), Standing::Spent);
        assert_eq!(at(6_000, 1), Standing::Spent);
    }

    #[test]
    fn an_answer_about_the_current_period_ends_with_it() {
        let view = facts();
        let end = view.until.unwrap();
        let late = Facts {
            made_at: end.saturating_add_ms(-100),
            ..view
        };
        assert_eq!(standing(&late, 0, end.saturating_add_ms(-1)), Standing::Fresh(1));
        assert_eq!(standing(&late, 0, end), Standing::Gone);
    }

    #[test]
    fn the_nearer_the_end_the_likelier_it_is_made_early() {
        let view = Facts {
            cost_ms: 10,
            ..facts()
        };
        assert!(!is_due_early(&view, 201, || panic!("not asked")));
        assert!(!is_due_early(&view, 100, || 0.5));
        assert!(is_due_early(&view, 100, || 0.000_01));
        assert!(is_due_early(&view, 5, || 0.5));
        assert!(is_due_early(&view, 100, || 0.0));
        let aside = Facts {
            refresh_ahead: false,
            ..view
        };
        assert!(!is_due_early(&aside, 0, || 0.0));
    }
}
