//! Random changes of the reset, as time passes.

use leaderboard_core::{Period, Schedule};
use proptest::prelude::*;

use super::{DAY_MS, HOUR_MS, NOW, changed, daily, weekly};
use crate::given::{at, schedule};

fn rules() -> impl Strategy<Value = Schedule> {
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

    /// Time goes on, the reset changes now and then: what was shown of periods that are kept stays true.
    #[test]
    fn no_change_moves_what_was_seen(
        first in rules(),
        steps in prop::collection::vec((HOUR_MS..20 * DAY_MS, rules(), prop::bool::weighted(0.2)), 1..12),
    ) {
        const LONG: u16 = 300;
        let mut now = at("2026-03-20T10:15:00Z");
        let mut known = first;
        let mut seen: Vec<Period> = Vec::new();
        for (pause, rule, at_once) in steps {
            now = now.saturating_add_ms(pause);
            let current = known.period_at(now);
            seen.push(current.clone());
            seen.extend(known.period_before(&current));
            let after = known.changed_to(&rule, LONG, now, at_once).unwrap();
            let goes_on = after.period_at(now);
            prop_assert_eq!(&goes_on.id, &current.id);
            prop_assert_eq!(goes_on.starts_at, current.starts_at);
            prop_assert!(goes_on.ends_at.is_none_or(|end| end > now));
            // A change that is taken back may give an endless period its endlessness back.
            let kept_end = at_once || current.ends_at == goes_on.ends_at
                || first_reset_moved(&known, &after, &current);
            prop_assert!(kept_end, "{:?} {:?}", current, goes_on);
            let ended = seen.iter().filter(|period| period.ends_at.is_some_and(|end| end <= now));
            for period in ended.filter(|period| !after.has_expired(period, LONG, now)) {
                prop_assert_eq!(&after.period_at(period.ends_at.unwrap().saturating_add_ms(-1)), period);
                prop_assert_eq!(&after.bounds_of(period.clone()), period);
            }
            seen.retain(|period| period.ends_at.is_some_and(|end| end <= now));
            // Periods tile time, also across the change.
            let mut walked = goes_on;
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
    fn what_has_expired_is_what_expires_by_now(
        first in rules(),
        second in rules(),
        off in 0..40_i64,
        back in 0..90 * DAY_MS,
        keep in 1..40_u16,
    ) {
        let now = at(NOW).saturating_add_ms(off * DAY_MS);
        let schedule = changed(&first, &second, NOW);
        let period = schedule.period_at(now.saturating_add_ms(-back));
        let by_walk = schedule.expires_at(&period, keep).is_some_and(|expiry| expiry <= now);
        prop_assert_eq!(schedule.has_expired(&period, keep, now), by_walk, "{:?}", period);
    }
}

/// Whether the period had no end of its own, so that each change gives it another one.
fn first_reset_moved(before: &Schedule, after: &Schedule, current: &Period) -> bool {
    let ends_with_the_change =
        |schedule: &Schedule| current.ends_at.is_none() || schedule.takes_effect_at() == current.ends_at;
    ends_with_the_change(before) || after.takes_effect_at() == current.ends_at
}
