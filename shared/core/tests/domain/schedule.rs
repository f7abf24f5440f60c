//! Tests that periods cover time without gaps, for any expression and any time zone.

use leaderboard_core::{
    Invalid, Leaderboard, MAX_CRON_BYTES, MAX_KEEP_PERIODS, Period, PeriodId, PeriodSelector, Reset,
    Schedule, Timestamp,
};
use proptest::prelude::*;

use crate::given::{at, board, instant, interval, schedule};

const CRONS: [&str; 16] = [
    "* * * * *",
    "*/7 * * * *",
    "0 * * * *",
    "45 */3 * * *",
    "0 0 * * *",
    "30 2 * * *",
    "59 23 * * *",
    "15,45 1-3 * * *",
    "0 0 * * 1",
    "0 4 * * SUN",
    "0 0 1 * *",
    "0 0 31 * *",
    "0 0 L * *",
    "0 0 1 */3 *",
    "0 0 1 1 *",
    "0 0 29 2 *",
];
const ZONES: [&str; 9] = [
    "UTC",
    "Europe/Madrid",
    "America/New_York",
    "America/St_Johns",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
    "Pacific/Apia",
    "Africa/Casablanca",
    "Antarctica/Troll",
];
/// The instants from 1800 to 2400, in Unix milliseconds: before standard time, with every kind of clock
/// change, and after the last known rule.
const INSTANTS_MS: std::ops::Range<i64> = -5_364_662_400_000..13_569_465_600_000;
/// Clock changes of recent years. Instants within a day of a clock change occur often, because errors are
/// likely there.
const CHANGES: [&str; 8] = [
    "2011-12-30T10:00:00Z",
    "2026-03-08T07:00:00Z",
    "2026-03-29T01:00:00Z",
    "2026-04-04T15:00:00Z",
    "2026-10-03T15:30:00Z",
    "2026-10-25T01:00:00Z",
    "2026-11-01T06:00:00Z",
    "2026-02-15T02:00:00Z",
];
const DAY_MS: i64 = 86_400_000;

fn instants() -> impl Strategy<Value = Timestamp> {
    let near_a_change = (prop::sample::select(&CHANGES[..]), -DAY_MS..DAY_MS)
        .prop_map(|(change, off)| at(change).saturating_add_ms(off));
    prop_oneof![
        INSTANTS_MS.prop_map(Timestamp::saturating_from_unix_ms),
        near_a_change,
    ]
}

proptest! {
    #[test]
    fn periods_cover_time_without_gaps(
        cron in prop::sample::select(&CRONS[..]),
        zone in prop::sample::select(&ZONES[..]),
        instant in instants(),
    ) {
        let period = schedule(cron, zone).period_at(instant);
        prop_assert!(period.contains(instant), "{period:?}");
        let start = period.starts_at.expect("a start");
        let end = period.ends_at.expect("an end");
        // Each call uses a new schedule, which has cached no period.
        prop_assert_eq!(&schedule(cron, zone).period_at(start), &period);
        prop_assert_eq!(&schedule(cron, zone).period_at(end.saturating_add_ms(-1)), &period);
        let next = schedule(cron, zone).period_at(end);
        prop_assert_eq!(next.starts_at, Some(end));
        prop_assert_eq!(schedule(cron, zone).period_before(&next), Some(period.clone()));
        prop_assert_eq!(PeriodId::parse(period.id.as_str()), Ok(period.id.clone()));
        prop_assert_eq!(Timestamp::parse(period.id.as_str()), Ok(start));
    }

    #[test]
    fn a_schedule_that_remembers_periods_agrees_with_a_new_schedule(
        cron in prop::sample::select(&CRONS[..]),
        zone in prop::sample::select(&ZONES[..]),
        around in instants(),
        calls in prop::collection::vec((-40 * DAY_MS..40 * DAY_MS, 1..40_u16), 1..20),
    ) {
        let used = schedule(cron, zone);
        for (off, keep) in calls {
            let instant = around.saturating_add_ms(off);
            let period = used.period_at(instant);
            let fresh = schedule(cron, zone);
            prop_assert_eq!(&period, &fresh.period_at(instant));
            prop_assert_eq!(used.expires_at(&period, keep), fresh.expires_at(&period, keep));
        }
    }

    #[test]
    fn a_period_expires_when_enough_newer_periods_have_begun(
        cron in prop::sample::select(&CRONS[..]),
        zone in prop::sample::select(&ZONES[..]),
        instant in instants(),
        keep in 1..40_u16,
    ) {
        let rule = schedule(cron, zone);
        let period = rule.period_at(instant);
        let mut later = period.clone();
        for _ in 0..keep {
            later = schedule(cron, zone).period_at(later.ends_at.expect("an end"));
        }
        prop_assert_eq!(rule.expires_at(&period, keep), later.starts_at);
    }
}

#[test]
fn a_period_expires_with_the_configured_number_of_newer_periods() {
    let rule = schedule("0 0 1 1 *", "UTC");
    let year = |text: &str| rule.period_at(at(text));
    let expiry = |period: &Period, keep| rule.expires_at(period, keep).map(|t| t.to_string());
    let y2020 = year("2020-06-01T00:00:00Z");
    assert_eq!(expiry(&y2020, 1).as_deref(), Some("2021-01-01T00:00:00.000Z"));
    assert_eq!(expiry(&y2020, 12).as_deref(), Some("2032-01-01T00:00:00.000Z"));
    assert_eq!(
        expiry(&y2020, MAX_KEEP_PERIODS).as_deref(),
        Some("3020-01-01T00:00:00.000Z")
    );
    assert_eq!(Schedule::never().expires_at(&Period::all_time(), 1), None);
}

#[test]
fn periods_start_and_end_at_weeks_months_leap_days_and_years() {
    for (cron, at, expected) in [
        ("0 0 * * 1", "2026-07-19T12:00:00Z", "2026-07-13/2026-07-20"),
        ("0 0 * * 0", "2026-07-19T12:00:00Z", "2026-07-19/2026-07-26"),
        ("0 0 31 * *", "2026-07-01", "2026-05-31/2026-07-31"),
        ("0 0 L * *", "2028-02-10", "2028-01-31/2028-02-29"),
        ("0 0 29 2 *", "2026-07-19T12:00:00Z", "2024-02-29/2028-02-29"),
        ("0 0 29 2 *", "1900-02-28T23:59:59Z", "1896-02-29/1904-02-29"),
        ("0 0 1 1 *", "2026-12-31T23:59:59.999Z", "2026-01-01/2027-01-01"),
    ] {
        let period = schedule(cron, "UTC").period_at(instant(at));
        assert_eq!(interval(&period), expected, "{cron}");
        assert_eq!(period.starts_at, Some(instant(period.id.as_str())), "{cron}");
    }
}

#[test]
fn the_first_and_the_last_instant_have_periods() {
    let rule = schedule("0 0 1 1 *", "Europe/Madrid");
    let first = rule.period_at(Timestamp::MIN);
    assert!(first.contains(Timestamp::MIN));
    assert_eq!(PeriodId::parse(first.id.as_str()), Ok(first.id.clone()));
    assert_eq!(rule.period_before(&first), None);
    let last = rule.period_at(Timestamp::MAX);
    assert!(last.contains(Timestamp::MAX), "{last:?}");
    assert_eq!(rule.expires_at(&last, 12), None);
}

#[test]
fn a_leaderboard_that_never_resets_has_one_period() {
    let never = Schedule::never();
    let period = never.period_at(Timestamp::MIN);
    assert_eq!(period, never.period_at(Timestamp::MAX));
    assert_eq!((period.id.as_str(), never.period_before(&period)), ("all", None));
}

/// Returns the error of a schedule with an invalid reset.
fn find_error(cron: &str, time_zone: &str) -> Invalid {
    let reset = Reset {
        cron: cron.into(),
        time_zone: time_zone.into(),
    };
    Schedule::new(reset).unwrap_err()
}

#[test]
fn invalid_expressions_are_refused_with_their_pointer() {
    let too_long = format!("0 0 * * {}", "1,".repeat(MAX_CRON_BYTES / 2));
    for bad in [
        "",
        "@daily",
        "* * * *",
        "0 0 0 * * *",
        "0 0 * * * 2026",
        "a b c d e",
        "60 * * * *",
        "* 24 * * *",
        "* * 0 * *",
        "* * 32 * *",
        "* * * 13 *",
        "* * * * 8",
        "*/0 * * * *",
        "5-1 * * * *",
        "0 0 * * 1#6",
        "😀 * * * *",
        too_long.as_str(),
    ] {
        let error = find_error(bad, "UTC");
        assert_eq!(error.pointer, "/cron", "{bad}");
    }
}

#[test]
fn an_expression_that_names_no_instant_is_refused() {
    for bad in [
        "0 0 30 2 *",
        "0 0 31 4 *",
        "* * 31 2,4,6,9,11 *",
        "0 0 30W 2 *",
        "0 0 30 2 +1",
    ] {
        let error = find_error(bad, "UTC");
        let expected = "/cron: names no instant that ever comes";
        assert_eq!(error.to_string(), expected, "{bad}");
    }
}

#[test]
fn an_expression_with_rare_instants_is_accepted() {
    // 29 February on a Monday: every 28 years.
    let rare = schedule("0 0 29 2 +1", "UTC").period_at(at("2026-07-19T00:00:00Z"));
    assert_eq!(rare.starts_at, Some(at("2016-02-29T00:00:00Z")));
    assert_eq!(rare.ends_at, Some(at("2044-02-29T00:00:00Z")));
}

#[test]
fn unknown_time_zones_are_refused_with_their_pointer() {
    for bad in [
        "",
        "Mars/Olympus",
        "Europe/madrid2",
        "Europe/Madrid/x",
        "UTC\u{0}",
        "../etc/passwd",
        "+02:00",
        "CEST5CEST",
    ] {
        let error = find_error("0 0 * * *", bad);
        assert_eq!(error.pointer, "/time_zone", "{bad}");
    }
}

#[test]
fn a_period_is_found_by_name_and_by_instant() {
    let daily = Leaderboard {
        schedule: schedule("0 0 * * *", "Europe/Madrid"),
        ..board("daily")
    };
    let now = at("2026-10-25T12:00:00Z");
    let find_start = |text: &str| {
        let selector = PeriodSelector::parse(text).expect("a selector");
        selector.resolve(&daily, now).map(|period| period.id.to_string())
    };
    assert_eq!(find_start("current").as_deref(), Some("2026-10-24T22:00:00Z"));
    assert_eq!(find_start("previous").as_deref(), Some("2026-10-23T22:00:00Z"));
    for text in ["2026-10-25T01:30:00+02:00", "2026-10-24T22:00:00Z"] {
        assert_eq!(
            find_start(text).as_deref(),
            Some("2026-10-24T22:00:00Z"),
            "{text}"
        );
    }
    let forever = board("forever");
    let all = PeriodSelector::Previous.resolve(&forever, now);
    assert_eq!(all, None);
    assert!(PeriodSelector::parse("yesterday").is_err());
}
