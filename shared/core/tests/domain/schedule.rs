//! Periods tile time, whatever the expression and the zone.

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
/// 1800 to 2400: before standard time, with every kind of change, and after the last rule there is.
const INSTANTS_MS: std::ops::Range<i64> = -5_364_662_400_000..13_569_465_600_000;
/// A day's worth around the clock changes of recent years, where mistakes live.
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
    fn periods_tile_time(
        cron in prop::sample::select(&CRONS[..]),
        zone in prop::sample::select(&ZONES[..]),
        instant in instants(),
    ) {
        let asked = schedule(cron, zone).period_at(instant);
        prop_assert!(asked.contains(instant), "{asked:?}");
        let start = asked.starts_at.expect("a start");
        let end = asked.ends_at.expect("an end");
        // Each question goes to a schedule that remembers nothing.
        prop_assert_eq!(&schedule(cron, zone).period_at(start), &asked);
        prop_assert_eq!(&schedule(cron, zone).period_at(end.saturating_add_ms(-1)), &asked);
        let next = schedule(cron, zone).period_at(end);
        prop_assert_eq!(next.starts_at, Some(end));
        prop_assert_eq!(schedule(cron, zone).period_before(&next), Some(asked.clone()));
        prop_assert_eq!(PeriodId::parse(asked.id.as_str()), Ok(asked.id.clone()));
        prop_assert_eq!(Timestamp::parse(asked.id.as_str()), Ok(start));
    }

    #[test]
    fn what_is_remembered_is_what_would_be_computed(
        cron in prop::sample::select(&CRONS[..]),
        zone in prop::sample::select(&ZONES[..]),
        around in instants(),
        questions in prop::collection::vec((-40 * DAY_MS..40 * DAY_MS, 1..40_u16), 1..20),
    ) {
        let used = schedule(cron, zone);
        for (off, keep) in questions {
            let instant = around.saturating_add_ms(off);
            let period = used.period_at(instant);
            let fresh = schedule(cron, zone);
            prop_assert_eq!(&period, &fresh.period_at(instant));
            prop_assert_eq!(used.expires_at(&period, keep), fresh.expires_at(&period, keep));
        }
    }

    #[test]
    fn a_period_expires_when_as_many_newer_ones_have_begun(
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
fn the_newest_periods_are_kept_and_no_other() {
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
fn weeks_months_leap_days_and_years() {
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
fn the_ends_of_time_have_periods_too() {
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

fn refused(cron: &str, time_zone: &str) -> Invalid {
    let reset = Reset {
        cron: cron.into(),
        time_zone: time_zone.into(),
    };
    Schedule::new(reset).unwrap_err()
}

#[test]
fn expressions_that_are_none_are_refused_with_their_place() {
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
        let refused = refused(bad, "UTC");
        assert_eq!(refused.pointer, "/cron", "{bad}");
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
        let refused = refused(bad, "UTC");
        let expected = "/cron: names no instant that ever comes";
        assert_eq!(refused.to_string(), expected, "{bad}");
    }
}

#[test]
fn a_rare_instant_is_one_that_comes() {
    // 29 February on a Monday: every 28 years.
    let rare = schedule("0 0 29 2 +1", "UTC").period_at(at("2026-07-19T00:00:00Z"));
    assert_eq!(rare.starts_at, Some(at("2016-02-29T00:00:00Z")));
    assert_eq!(rare.ends_at, Some(at("2044-02-29T00:00:00Z")));
}

#[test]
fn zones_that_are_none_are_refused_with_their_place() {
    for bad in [
        "",
        "Mars/Olympus",
        "Europe/madrid2",
        "../etc/passwd",
        "+02:00",
        "CEST5CEST",
    ] {
        let refused = refused("0 0 * * *", bad);
        assert_eq!(refused.pointer, "/time_zone", "{bad}");
    }
}

#[test]
fn a_period_is_found_by_name_by_instant_and_by_its_place() {
    let daily = Leaderboard {
        schedule: schedule("0 0 * * *", "Europe/Madrid"),
        ..board("daily")
    };
    let now = at("2026-10-25T12:00:00Z");
    let start_of = |text: &str| {
        let selector = PeriodSelector::parse(text).expect("a selector");
        selector.resolve(&daily, now).map(|period| period.id.to_string())
    };
    assert_eq!(start_of("current").as_deref(), Some("2026-10-24T22:00:00Z"));
    assert_eq!(start_of("previous").as_deref(), Some("2026-10-23T22:00:00Z"));
    for text in ["2026-10-25T01:30:00+02:00", "2026-10-24T22:00:00Z"] {
        assert_eq!(start_of(text).as_deref(), Some("2026-10-24T22:00:00Z"), "{text}");
    }
    let forever = board("forever");
    let all = PeriodSelector::Previous.resolve(&forever, now);
    assert_eq!(all, None);
    assert!(PeriodSelector::parse("yesterday").is_err());
}
