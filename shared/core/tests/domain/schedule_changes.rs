//! A changed reset never moves a period that has begun, unless that is asked for.

mod random;

use leaderboard_core::{Leaderboard, MAX_SCHEDULE_CHANGES, PeriodSelector, Schedule, TooManyChanges};

use crate::given::{at, board, instant, interval, schedule};

const KEEP: u16 = 12;
const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

fn daily() -> Schedule {
    schedule("0 0 * * *", "UTC")
}

/// Every Monday.
fn weekly() -> Schedule {
    schedule("0 0 * * 1", "UTC")
}

/// A Wednesday.
const NOW: &str = "2026-11-11T10:15:00Z";

fn changed(from: &Schedule, to: &Schedule, now: &str) -> Schedule {
    from.changed_to(to, KEEP, at(now), false).unwrap()
}

fn of(schedule: &Schedule, at: &str) -> String {
    interval(&schedule.period_at(instant(at)))
}

#[test]
fn daily_to_weekly_and_back() {
    let once = changed(&daily(), &weekly(), NOW);
    assert_eq!(once.takes_effect_at(), Some(at("2026-11-12T00:00:00Z")));
    assert_eq!(of(&once, "2026-11-10T23:00:00Z"), "2026-11-10/2026-11-11");
    assert_eq!(of(&once, NOW), "2026-11-11/2026-11-12");
    assert_eq!(of(&once, "2026-11-14"), "2026-11-12/2026-11-16");
    assert_eq!(of(&once, "2026-11-18"), "2026-11-16/2026-11-23");
    let back = changed(&once, &daily(), "2026-11-18T10:00:00Z");
    assert_eq!(back.takes_effect_at(), Some(at("2026-11-23T00:00:00Z")));
    assert_eq!(of(&back, "2026-11-18T10:00:00Z"), "2026-11-16/2026-11-23");
    assert_eq!(of(&back, "2026-11-23T10:00:00Z"), "2026-11-23/2026-11-24");
    assert_eq!(of(&back, "2026-11-10T23:00:00Z"), "2026-11-10/2026-11-11");
    let first_daily = back.period_at(at("2026-11-23T10:00:00Z"));
    let before = back.period_before(&first_daily).unwrap();
    assert_eq!(interval(&before), "2026-11-16/2026-11-23");
}

#[test]
fn all_time_ends_at_the_first_reset_after_the_change() {
    let resetting = changed(&Schedule::never(), &weekly(), NOW);
    assert_eq!(resetting.takes_effect_at(), Some(at("2026-11-16T00:00:00Z")));
    assert_eq!(of(&resetting, NOW), "all/2026-11-16");
    assert_eq!(of(&resetting, "1916-07-02"), "all/2026-11-16");
    assert_eq!(of(&resetting, "2026-11-16"), "2026-11-16/2026-11-23");
    let named = Leaderboard {
        schedule: resetting.clone(),
        ..board("l")
    };
    let monday = at("2026-11-17T00:00:00Z");
    for name in ["previous", "all", "2026-11-15", "2026-11-11T10:15:00Z"] {
        let selector = PeriodSelector::parse(name).unwrap();
        assert_eq!(
            selector.resolve(&named, monday).unwrap().id.as_str(),
            "all",
            "{name}"
        );
    }
    // And back: the list of the week goes on for ever from its end.
    let never = changed(&resetting, &Schedule::never(), "2026-11-17T00:00:00Z");
    assert_eq!(of(&never, "2026-11-17"), "2026-11-16/2026-11-23");
    assert_eq!(of(&never, "2030-01-01"), "2026-11-23/");
    let again = changed(&never, &daily(), "2026-12-01T10:00:00Z");
    assert_eq!(of(&again, "2026-12-01T10:00:00Z"), "2026-11-23/2026-12-02");
    assert_eq!(of(&again, "2026-11-15"), "all/2026-11-16");
}

#[test]
fn a_change_of_the_time_zone_waits_for_the_end_of_the_day_too() {
    let madrid = schedule("0 0 * * *", "Europe/Madrid");
    let tokyo = changed(&madrid, &schedule("0 0 * * *", "Asia/Tokyo"), NOW);
    assert_eq!(of(&tokyo, NOW), "2026-11-10T23:00:00Z/2026-11-11T23:00:00Z");
    assert_eq!(
        of(&tokyo, "2026-11-12"),
        "2026-11-11T23:00:00Z/2026-11-12T15:00:00Z"
    );
    assert_eq!(
        of(&tokyo, "2026-11-13"),
        "2026-11-12T15:00:00Z/2026-11-13T15:00:00Z"
    );
}

#[test]
fn the_last_of_several_changes_within_a_period_counts() {
    let weekly_soon = changed(&daily(), &weekly(), NOW);
    let hourly = schedule("0 * * * *", "UTC");
    let hourly_soon = changed(&weekly_soon, &hourly, "2026-11-11T11:00:00Z");
    assert_eq!(hourly_soon, changed(&daily(), &hourly, NOW));
    let taken_back = changed(&hourly_soon, &daily(), "2026-11-11T12:00:00Z");
    assert_eq!(taken_back, daily());
    assert_eq!(taken_back.takes_effect_at(), None);
    assert_eq!(
        changed(&weekly_soon, &weekly(), "2026-11-11T23:00:00Z"),
        weekly_soon
    );
}

#[test]
fn at_once_the_current_period_goes_on_to_the_next_reset_of_the_new_rule() {
    let at_once =
        |from: &Schedule, to: &Schedule, now: &str| from.changed_to(to, KEEP, at(now), true).unwrap();
    let longer = at_once(&daily(), &weekly(), NOW);
    assert_eq!(
        longer.takes_effect_at(),
        Some(at("2026-11-11T00:00:00Z")),
        "it has begun"
    );
    assert_eq!(of(&longer, NOW), "2026-11-11/2026-11-16");
    assert_eq!(of(&longer, "2026-11-10T23:00:00Z"), "2026-11-10/2026-11-11");
    let shorter = at_once(&weekly(), &daily(), NOW);
    assert_eq!(of(&shorter, NOW), "2026-11-09/2026-11-12");
    assert_eq!(of(&shorter, "2026-11-09T01:00:00Z"), "2026-11-09/2026-11-12");
    assert_eq!(of(&shorter, "2026-11-12T01:00:00Z"), "2026-11-12/2026-11-13");
    assert_eq!(at_once(&shorter, &daily(), "2026-11-11T11:00:00Z"), shorter);
    // What waits for the end of the period is taken at once, too.
    let soon = changed(&daily(), &weekly(), NOW);
    assert_eq!(at_once(&soon, &weekly(), NOW), longer);
    let endless = at_once(&daily(), &Schedule::never(), NOW);
    assert_eq!(of(&endless, "2030-01-01"), "2026-11-11/");
    // The period of all time has no start.
    assert_eq!(
        at_once(&Schedule::never(), &weekly(), NOW),
        changed(&Schedule::never(), &weekly(), NOW)
    );
}

#[test]
fn periods_expire_across_a_change() {
    let once = changed(&daily(), &weekly(), NOW);
    let tuesday = once.period_at(at("2026-11-10T12:00:00Z"));
    // The two after it: Wednesday, the rest of the week.
    assert_eq!(once.expires_at(&tuesday, 2), Some(at("2026-11-12T00:00:00Z")));
    assert_eq!(once.expires_at(&tuesday, 3), Some(at("2026-11-16T00:00:00Z")));
    assert_eq!(once.expires_at(&tuesday, 4), Some(at("2026-11-23T00:00:00Z")));
    let all = changed(&Schedule::never(), &weekly(), NOW).period_at(at(NOW));
    let resetting = changed(&Schedule::never(), &weekly(), NOW);
    assert_eq!(resetting.expires_at(&all, 2), Some(at("2026-11-23T00:00:00Z")));
    let never = changed(&daily(), &Schedule::never(), NOW);
    assert_eq!(never.expires_at(&tuesday, 2), Some(at("2026-11-12T00:00:00Z")));
    assert_eq!(never.expires_at(&tuesday, 3), None, "no third period ever comes");
}

#[test]
fn rules_are_forgotten_with_the_periods_that_follow_them() {
    let rules = [daily(), weekly(), schedule("0 6 * * *", "UTC")];
    let mut now = at(NOW);
    let mut schedule = daily();
    for turn in 1..200 {
        schedule = schedule.changed_to(&rules[turn % 3], 3, now, false).unwrap();
        now = now.saturating_add_ms(9 * DAY_MS);
    }
    let lost = at("2026-11-20T00:00:00Z");
    assert!(schedule.has_expired(&schedule.period_at(lost), 3, now));
    assert!(
        schedule.has_expired(&schedule.period_at(lost), 1000, now),
        "what is not recorded is gone"
    );
}

#[test]
fn as_many_changes_as_can_be_remembered_are_taken() {
    let rules = [schedule("0 * * * *", "UTC"), schedule("30 * * * *", "UTC")];
    let mut now = at(NOW);
    let mut schedule = rules[0].clone();
    for turn in 1..=MAX_SCHEDULE_CHANGES {
        schedule = schedule.changed_to(&rules[turn % 2], 1000, now, false).unwrap();
        now = now.saturating_add_ms(2 * HOUR_MS);
    }
    let next = &rules[(MAX_SCHEDULE_CHANGES + 1) % 2];
    assert_eq!(schedule.changed_to(next, 1000, now, false), Err(TooManyChanges));
    assert!(
        schedule.changed_to(next, 12, now, false).is_ok(),
        "when fewer periods are kept"
    );
}

#[test]
fn a_day_is_one_of_the_leaderboards_time_zone() {
    let found = |schedule: &Schedule, date: &str| {
        let leaderboard = Leaderboard {
            schedule: schedule.clone(),
            ..board("l")
        };
        let selector = PeriodSelector::parse(date).unwrap();
        selector.resolve(&leaderboard, at(NOW)).unwrap().id.to_string()
    };
    let madrid = schedule("0 0 * * *", "Europe/Madrid");
    assert_eq!(found(&madrid, "2026-11-09"), "2026-11-08T23:00:00Z");
    assert_eq!(found(&madrid, "2026-07-09"), "2026-07-08T22:00:00Z");
    // The first one that begins on the day; the one that holds all of it.
    assert_eq!(
        found(&schedule("0 6 * * *", "Europe/Madrid"), "2026-11-09"),
        "2026-11-09T05:00:00Z"
    );
    assert_eq!(
        found(&schedule("0 * * * *", "UTC"), "2026-11-09"),
        "2026-11-09T00:00:00Z"
    );
    assert_eq!(found(&weekly(), "2026-11-11"), "2026-11-09T00:00:00Z");
    assert_eq!(found(&weekly(), "2026-11-09"), "2026-11-09T00:00:00Z");
    assert_eq!(found(&Schedule::never(), "2026-11-09"), "all");
    // The zone that was in force on the day.
    let tokyo = changed(&madrid, &schedule("0 0 * * *", "Asia/Tokyo"), NOW);
    assert_eq!(found(&tokyo, "2026-11-09"), "2026-11-08T23:00:00Z");
    assert_eq!(found(&tokyo, "2026-11-20"), "2026-11-19T15:00:00Z");
    for bad in [
        "2026-11-9",
        "2026-02-30",
        "0000-01-01",
        "2026-11",
        "2026-11-09-01",
        "+026-11-09",
    ] {
        assert!(PeriodSelector::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn every_name_of_a_period_is_the_same_question() {
    let leaderboard = Leaderboard {
        schedule: weekly(),
        ..board("l")
    };
    let canonical = |name: &str| {
        PeriodSelector::parse(name)
            .unwrap()
            .canonical(&leaderboard, at(NOW))
    };
    let id = canonical("2026-11-09T00:00:00Z");
    for name in [
        "2026-11-09",
        "2026-11-12",
        "2026-11-11T10:15:00.001Z",
        "2026-11-09T01:00:00+01:00",
    ] {
        assert_eq!(canonical(name), id, "{name}");
    }
    assert_eq!(canonical("current"), PeriodSelector::Current);
    assert_eq!(canonical("previous"), PeriodSelector::Previous);
}

#[test]
fn the_end_of_all_time_moves_while_it_has_not_come() {
    let soon = changed(&Schedule::never(), &weekly(), NOW);
    let later = changed(&soon, &schedule("0 0 1 * *", "UTC"), NOW);
    assert_eq!(of(&later, NOW), "all/2026-12-01");
    assert_eq!(changed(&later, &Schedule::never(), NOW), Schedule::never());
}
