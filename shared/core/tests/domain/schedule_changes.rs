//! Tests that a changed reset does not move a period that has begun, unless the change takes effect at once.

mod random;

use leaderboard_core::{Leaderboard, MAX_SCHEDULE_CHANGES, PeriodSelector, Schedule, TooManyChanges};

use crate::given::{at, board, instant, interval, schedule};

/// The number of periods that the schedules keep.
const KEEP: u16 = 12;
const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

fn daily() -> Schedule {
    schedule("0 0 * * *", "UTC")
}

/// Returns a schedule that resets every Monday.
fn weekly() -> Schedule {
    schedule("0 0 * * 1", "UTC")
}

/// The instant of the changes, which is a Wednesday.
const NOW: &str = "2026-11-11T10:15:00Z";

/// Returns the schedule `from` after a change to the rule of `to`.
fn change(from: &Schedule, to: &Schedule, now: &str) -> Schedule {
    from.changed_to(to, KEEP, at(now), false).unwrap()
}

/// Returns the bounds of the period at an instant.
fn find_interval(schedule: &Schedule, at: &str) -> String {
    interval(&schedule.period_at(instant(at)))
}

#[test]
fn a_reset_changes_from_daily_to_weekly_and_back() {
    let once = change(&daily(), &weekly(), NOW);
    assert_eq!(once.takes_effect_at(), Some(at("2026-11-12T00:00:00Z")));
    assert_eq!(
        find_interval(&once, "2026-11-10T23:00:00Z"),
        "2026-11-10/2026-11-11"
    );
    assert_eq!(find_interval(&once, NOW), "2026-11-11/2026-11-12");
    assert_eq!(find_interval(&once, "2026-11-14"), "2026-11-12/2026-11-16");
    assert_eq!(find_interval(&once, "2026-11-18"), "2026-11-16/2026-11-23");
    let back = change(&once, &daily(), "2026-11-18T10:00:00Z");
    assert_eq!(back.takes_effect_at(), Some(at("2026-11-23T00:00:00Z")));
    assert_eq!(
        find_interval(&back, "2026-11-18T10:00:00Z"),
        "2026-11-16/2026-11-23"
    );
    assert_eq!(
        find_interval(&back, "2026-11-23T10:00:00Z"),
        "2026-11-23/2026-11-24"
    );
    assert_eq!(
        find_interval(&back, "2026-11-10T23:00:00Z"),
        "2026-11-10/2026-11-11"
    );
    let first_daily = back.period_at(at("2026-11-23T10:00:00Z"));
    let before = back.period_before(&first_daily).unwrap();
    assert_eq!(interval(&before), "2026-11-16/2026-11-23");
}

#[test]
fn all_time_ends_at_the_first_reset_after_the_change() {
    let resetting = change(&Schedule::never(), &weekly(), NOW);
    assert_eq!(resetting.takes_effect_at(), Some(at("2026-11-16T00:00:00Z")));
    assert_eq!(find_interval(&resetting, NOW), "all/2026-11-16");
    assert_eq!(find_interval(&resetting, "1916-07-02"), "all/2026-11-16");
    assert_eq!(find_interval(&resetting, "2026-11-16"), "2026-11-16/2026-11-23");
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
    // Without resets again, the period after the current week has no end.
    let never = change(&resetting, &Schedule::never(), "2026-11-17T00:00:00Z");
    assert_eq!(find_interval(&never, "2026-11-17"), "2026-11-16/2026-11-23");
    assert_eq!(find_interval(&never, "2030-01-01"), "2026-11-23/");
    let again = change(&never, &daily(), "2026-12-01T10:00:00Z");
    assert_eq!(
        find_interval(&again, "2026-12-01T10:00:00Z"),
        "2026-11-23/2026-12-02"
    );
    assert_eq!(find_interval(&again, "2026-11-15"), "all/2026-11-16");
}

#[test]
fn a_changed_time_zone_takes_effect_at_the_end_of_the_period() {
    let madrid = schedule("0 0 * * *", "Europe/Madrid");
    let tokyo = change(&madrid, &schedule("0 0 * * *", "Asia/Tokyo"), NOW);
    assert_eq!(
        find_interval(&tokyo, NOW),
        "2026-11-10T23:00:00Z/2026-11-11T23:00:00Z"
    );
    assert_eq!(
        find_interval(&tokyo, "2026-11-12"),
        "2026-11-11T23:00:00Z/2026-11-12T15:00:00Z"
    );
    assert_eq!(
        find_interval(&tokyo, "2026-11-13"),
        "2026-11-12T15:00:00Z/2026-11-13T15:00:00Z"
    );
}

#[test]
fn the_last_of_several_changes_within_a_period_takes_effect() {
    let weekly_soon = change(&daily(), &weekly(), NOW);
    let hourly = schedule("0 * * * *", "UTC");
    let hourly_soon = change(&weekly_soon, &hourly, "2026-11-11T11:00:00Z");
    assert_eq!(hourly_soon, change(&daily(), &hourly, NOW));
    let taken_back = change(&hourly_soon, &daily(), "2026-11-11T12:00:00Z");
    assert_eq!(taken_back, daily());
    assert_eq!(taken_back.takes_effect_at(), None);
    assert_eq!(
        change(&weekly_soon, &weekly(), "2026-11-11T23:00:00Z"),
        weekly_soon
    );
}

#[test]
fn a_change_at_once_ends_the_period_at_the_next_reset_of_the_new_rule() {
    let at_once =
        |from: &Schedule, to: &Schedule, now: &str| from.changed_to(to, KEEP, at(now), true).unwrap();
    let longer = at_once(&daily(), &weekly(), NOW);
    assert_eq!(
        longer.takes_effect_at(),
        Some(at("2026-11-11T00:00:00Z")),
        "the change takes effect from the start of the current period"
    );
    assert_eq!(find_interval(&longer, NOW), "2026-11-11/2026-11-16");
    assert_eq!(
        find_interval(&longer, "2026-11-10T23:00:00Z"),
        "2026-11-10/2026-11-11"
    );
    let shorter = at_once(&weekly(), &daily(), NOW);
    assert_eq!(find_interval(&shorter, NOW), "2026-11-09/2026-11-12");
    assert_eq!(
        find_interval(&shorter, "2026-11-09T01:00:00Z"),
        "2026-11-09/2026-11-12"
    );
    assert_eq!(
        find_interval(&shorter, "2026-11-12T01:00:00Z"),
        "2026-11-12/2026-11-13"
    );
    assert_eq!(at_once(&shorter, &daily(), "2026-11-11T11:00:00Z"), shorter);
    // A change that waits for the end of the period can take effect at once, too.
    let soon = change(&daily(), &weekly(), NOW);
    assert_eq!(at_once(&soon, &weekly(), NOW), longer);
    let endless = at_once(&daily(), &Schedule::never(), NOW);
    assert_eq!(find_interval(&endless, "2030-01-01"), "2026-11-11/");
    // The period of all time has no start, so a change at once takes effect at the next reset.
    assert_eq!(
        at_once(&Schedule::never(), &weekly(), NOW),
        change(&Schedule::never(), &weekly(), NOW)
    );
}

#[test]
fn periods_expire_across_a_change() {
    let once = change(&daily(), &weekly(), NOW);
    let tuesday = once.period_at(at("2026-11-10T12:00:00Z"));
    // The next two periods are Wednesday and the rest of the week.
    assert_eq!(once.expires_at(&tuesday, 2), Some(at("2026-11-12T00:00:00Z")));
    assert_eq!(once.expires_at(&tuesday, 3), Some(at("2026-11-16T00:00:00Z")));
    assert_eq!(once.expires_at(&tuesday, 4), Some(at("2026-11-23T00:00:00Z")));
    let all = change(&Schedule::never(), &weekly(), NOW).period_at(at(NOW));
    let resetting = change(&Schedule::never(), &weekly(), NOW);
    assert_eq!(resetting.expires_at(&all, 2), Some(at("2026-11-23T00:00:00Z")));
    let never = change(&daily(), &Schedule::never(), NOW);
    assert_eq!(never.expires_at(&tuesday, 2), Some(at("2026-11-12T00:00:00Z")));
    assert_eq!(never.expires_at(&tuesday, 3), None, "there is no third period");
}

#[test]
fn old_rules_are_removed_with_their_expired_periods() {
    let rules = [daily(), weekly(), schedule("0 6 * * *", "UTC")];
    let mut now = at(NOW);
    let mut schedule = daily();
    for turn in 1..200 {
        schedule = schedule.changed_to(&rules[turn % 3], 3, now, false).unwrap();
        now = now.saturating_add_ms(9 * DAY_MS);
    }
    let old = at("2026-11-20T00:00:00Z");
    assert!(schedule.has_expired(&schedule.period_at(old), 3, now));
    assert!(
        schedule.has_expired(&schedule.period_at(old), 1000, now),
        "a period without a recorded rule has expired"
    );
}

#[test]
fn more_changes_than_the_maximum_are_refused() {
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
        "fewer kept periods need fewer recorded changes"
    );
}

#[test]
fn a_date_is_a_day_in_the_time_zone_of_the_leaderboard() {
    let find_id = |schedule: &Schedule, date: &str| {
        let leaderboard = Leaderboard {
            schedule: schedule.clone(),
            ..board("l")
        };
        let selector = PeriodSelector::parse(date).unwrap();
        selector.resolve(&leaderboard, at(NOW)).unwrap().id.to_string()
    };
    let madrid = schedule("0 0 * * *", "Europe/Madrid");
    assert_eq!(find_id(&madrid, "2026-11-09"), "2026-11-08T23:00:00Z");
    assert_eq!(find_id(&madrid, "2026-07-09"), "2026-07-08T22:00:00Z");
    // A date selects the first period that begins on the day, or the period that contains the whole day.
    assert_eq!(
        find_id(&schedule("0 6 * * *", "Europe/Madrid"), "2026-11-09"),
        "2026-11-09T05:00:00Z"
    );
    assert_eq!(
        find_id(&schedule("0 * * * *", "UTC"), "2026-11-09"),
        "2026-11-09T00:00:00Z"
    );
    assert_eq!(find_id(&weekly(), "2026-11-11"), "2026-11-09T00:00:00Z");
    assert_eq!(find_id(&weekly(), "2026-11-09"), "2026-11-09T00:00:00Z");
    assert_eq!(find_id(&Schedule::never(), "2026-11-09"), "all");
    // The time zone that the leaderboard had on the day applies.
    let tokyo = change(&madrid, &schedule("0 0 * * *", "Asia/Tokyo"), NOW);
    assert_eq!(find_id(&tokyo, "2026-11-09"), "2026-11-08T23:00:00Z");
    assert_eq!(find_id(&tokyo, "2026-11-20"), "2026-11-19T15:00:00Z");
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
fn all_dates_and_instants_of_a_period_have_the_same_canonical_form() {
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
fn another_change_moves_the_coming_end_of_the_all_time_period() {
    let soon = change(&Schedule::never(), &weekly(), NOW);
    let later = change(&soon, &schedule("0 0 1 * *", "UTC"), NOW);
    assert_eq!(find_interval(&later, NOW), "all/2026-12-01");
    assert_eq!(change(&later, &Schedule::never(), NOW), Schedule::never());
}
