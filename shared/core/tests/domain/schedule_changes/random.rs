//! Tests of random changes of the reset over time.

use leaderboard_core::{Period, Schedule};
use proptest::prelude::*;

use super::{DAY_MS, HOUR_MS, NOW, change, daily, weekly};
use crate::given::{at, schedule};

/// Generates schedules with different resets.
fn any_schedule() -> impl Strategy<Value = Schedule> {
    prop::sample::select(vec![0, 1, 2, 3, 4, 5]).prop_map(|which| match which {
        0 => Schedule::never(),
        1 => daily(),
        2 => weekly(),
        3 => schedule("0 */5 * * *", "America/New_York"),
        4 => schedule("30 2 * * *", "Europe/Madrid"),
        _ => schedule("0 0 1 * *", "Asia/Tokyo"),
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Changes the reset at random instants. The bounds of kept periods that have ended stay the same.
    #[test]
    fn a_change_does_not_move_kept_periods_that_have_ended(
        first in any_schedule(),
        steps in prop::collection::vec((HOUR_MS..20 * DAY_MS, any_schedule(), prop::bool::weighted(0.2)), 1..12),
    ) {
        const KEEP_PERIODS: u16 = 300;
        let mut now = at("2026-03-20T10:15:00Z");
        let mut known = first;
        let mut seen: Vec<Period> = Vec::new();
        for (pause, rule, at_once) in steps {
            now = now.saturating_add_ms(pause);
            let current = known.period_at(now);
            seen.push(current.clone());
            seen.extend(known.period_before(&current));
            let after = known.changed_to(&rule, KEEP_PERIODS, now, at_once).unwrap();
            let current_after = after.period_at(now);
            prop_assert_eq!(&current_after.id, &current.id);
            prop_assert_eq!(current_after.starts_at, current.starts_at);
            prop_assert!(current_after.ends_at.is_none_or(|end| end > now));
            // A change back may remove the end of a period that had no end before.
            let kept_end = at_once || current.ends_at == current_after.ends_at
                || ends_with_a_change(&known, &after, &current);
            prop_assert!(kept_end, "{:?} {:?}", current, current_after);
            let ended = seen.iter().filter(|period| period.ends_at.is_some_and(|end| end <= now));
            for period in ended.filter(|period| !after.has_expired(period, KEEP_PERIODS, now)) {
                prop_assert_eq!(&after.period_at(period.ends_at.unwrap().saturating_add_ms(-1)), period);
                prop_assert_eq!(&after.bounds_of(period.clone()), period);
            }
            seen.retain(|period| period.ends_at.is_some_and(|end| end <= now));
            // Periods cover time without gaps, also across the change.
            let mut walked = current_after;
            for _ in 0..4 {
                let Some(end) = walked.ends_at else { break };
                let next = after.period_at(end);
                prop_assert_eq!(next.starts_at, Some(end));
                prop_assert_eq!(after.period_before(&next), Some(walked));
                walked = next;
            }
            known = after;
        }
    }

    #[test]
    fn has_expired_agrees_with_expires_at(
        first in any_schedule(),
        second in any_schedule(),
        off in 0..40_i64,
        back in 0..90 * DAY_MS,
        keep in 1..40_u16,
    ) {
        let now = at(NOW).saturating_add_ms(off * DAY_MS);
        let schedule = change(&first, &second, NOW);
        let period = schedule.period_at(now.saturating_add_ms(-back));
        let by_expiry = schedule.expires_at(&period, keep).is_some_and(|expiry| expiry <= now);
        prop_assert_eq!(schedule.has_expired(&period, keep, now), by_expiry, "{:?}", period);
    }
}

/// Returns whether the period has no end, or ends when a change takes effect. A change can move such an end.
fn ends_with_a_change(before: &Schedule, after: &Schedule, current: &Period) -> bool {
    let has_no_own_end =
        |schedule: &Schedule| current.ends_at.is_none() || schedule.takes_effect_at() == current.ends_at;
    has_no_own_end(before) || after.takes_effect_at() == current.ends_at
}
