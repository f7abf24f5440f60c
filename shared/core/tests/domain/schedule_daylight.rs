//! Days that skip or repeat an hour, and one zone that skipped a day.

use crate::given::{at, schedule};

/// Asserts that periods begin at exactly these instants, for several instants of each period.
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
fn a_skipped_time_begins_its_period_at_the_first_instant_after_the_gap() {
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
fn a_repeated_time_begins_its_period_at_the_first_pass_only() {
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
fn hours_go_on_through_both_changes() {
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
fn midnight_is_midnight_on_the_days_around_a_change() {
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
fn half_an_hour_is_enough_of_a_change() {
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
fn a_zone_may_be_half_an_hour_off() {
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
fn a_skipped_day_ends_nothing_and_begins_nothing() {
    // It would have been a Friday.
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
