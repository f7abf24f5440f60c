//! Tests of days that skip or repeat an hour, and of a time zone that skipped a day.

use crate::given::{at, schedule};

/// Checks that periods begin at exactly these instants. Finds each period by three of its instants.
fn assert_starts(cron: &str, zone: &str, starts: &str) {
    let schedule = schedule(cron, zone);
    let starts: Vec<_> = starts.split(' ').map(at).collect();
    for pair in starts.windows(2) {
        let (start, end) = (pair[0], pair[1]);
        let middle = start.saturating_add_ms((end.as_unix_ms() - start.as_unix_ms()) / 2);
        for instant in [start, middle, end.saturating_add_ms(-1)] {
            let period = schedule.period_at(instant);
            let found = (period.starts_at, period.ends_at);
            assert_eq!(found, (Some(start), Some(end)), "{cron} {zone} at {instant}");
        }
    }
}

#[test]
fn a_reset_in_a_skipped_hour_happens_at_the_first_instant_after_it() {
    assert_starts(
        "30 2 * * *",
        "Europe/Madrid",
        "2026-03-28T01:30:00Z 2026-03-29T01:00:00Z 2026-03-30T00:30:00Z 2026-03-31T00:30:00Z",
    );
    assert_starts(
        "30 2 * * *",
        "America/New_York",
        "2026-03-07T07:30:00Z 2026-03-08T07:00:00Z 2026-03-09T06:30:00Z",
    );
}

#[test]
fn a_reset_in_a_repeated_hour_happens_at_the_first_pass_only() {
    assert_starts(
        "30 2 * * *",
        "Europe/Madrid",
        "2026-10-24T00:30:00Z 2026-10-25T00:30:00Z 2026-10-26T01:30:00Z",
    );
    assert_starts(
        "30 1 * * *",
        "America/New_York",
        "2026-10-31T05:30:00Z 2026-11-01T05:30:00Z 2026-11-02T06:30:00Z",
    );
}

#[test]
fn hourly_resets_continue_through_both_clock_changes() {
    assert_starts(
        "0 * * * *",
        "Europe/Madrid",
        "2026-03-29T00:00:00Z 2026-03-29T01:00:00Z 2026-03-29T02:00:00Z",
    );
    assert_starts(
        "0 * * * *",
        "Europe/Madrid",
        "2026-10-24T23:00:00Z 2026-10-25T00:00:00Z 2026-10-25T01:00:00Z 2026-10-25T02:00:00Z",
    );
}

#[test]
fn daily_resets_stay_at_local_midnight_around_a_clock_change() {
    assert_starts(
        "0 0 * * *",
        "Europe/Madrid",
        "2026-03-27T23:00:00Z 2026-03-28T23:00:00Z 2026-03-29T22:00:00Z 2026-03-30T22:00:00Z",
    );
    assert_starts(
        "0 0 * * *",
        "Europe/Madrid",
        "2026-10-23T22:00:00Z 2026-10-24T22:00:00Z 2026-10-25T23:00:00Z",
    );
}

#[test]
fn a_clock_change_of_half_an_hour_moves_resets() {
    assert_starts(
        "15 2 * * *",
        "Australia/Lord_Howe",
        "2026-10-02T15:45:00Z 2026-10-03T15:30:00Z 2026-10-04T15:15:00Z",
    );
    assert_starts(
        "45 1 * * *",
        "Australia/Lord_Howe",
        "2026-04-03T14:45:00Z 2026-04-04T14:45:00Z 2026-04-05T15:15:00Z",
    );
    assert_starts(
        "45 * * * *",
        "Australia/Lord_Howe",
        "2026-04-04T13:45:00Z 2026-04-04T14:45:00Z 2026-04-04T15:15:00Z 2026-04-04T16:15:00Z",
    );
}

#[test]
fn a_time_zone_may_have_an_offset_of_half_an_hour() {
    assert_starts(
        "0 0 * * *",
        "Asia/Kolkata",
        "2026-07-18T18:30:00Z 2026-07-19T18:30:00Z",
    );
}

#[test]
fn the_day_that_samoa_skipped_has_no_period_of_its_own() {
    assert_starts(
        "0 0 * * *",
        "Pacific/Apia",
        "2011-12-28T10:00:00Z 2011-12-29T10:00:00Z 2011-12-30T10:00:00Z 2011-12-31T10:00:00Z",
    );
}

#[test]
fn a_reset_on_a_skipped_day_does_not_happen() {
    // Samoa skipped 30 December 2011, which was a Friday.
    assert_starts(
        "30 2 * * 5",
        "Pacific/Apia",
        "2011-12-16T12:30:00Z 2011-12-23T12:30:00Z 2012-01-05T12:30:00Z",
    );
    assert_starts(
        "0 0 30 12 *",
        "Pacific/Apia",
        "2009-12-30T11:00:00Z 2010-12-30T10:00:00Z 2012-12-29T10:00:00Z",
    );
}
