//! Tests of how many searches of the calendar a schedule needs.

use super::*;
use crate::{Leaderboard, LeaderboardId, MAX_KEEP_PERIODS};

const MINUTE_MS: i64 = 60_000;

fn schedule(cron: &str) -> Schedule {
    Schedule::new(Reset {
        cron: cron.into(),
        time_zone: "Europe/Madrid".into(),
    })
    .unwrap()
}

/// Returns how many searches of the calendar the schedule has made.
fn count_searches(schedule: &Schedule) -> u64 {
    let rules = schedule.stretches().filter_map(|stretch| stretch.rule.as_ref());
    rules.map(ResetRule::searches).sum()
}

/// Calls the methods of a schedule that a submission calls. Returns whether the period has expired, and how
/// many searches of the calendar that took.
fn submit(schedule: &Schedule, occurred_at: Timestamp, now: Timestamp) -> (bool, u64) {
    let before = count_searches(schedule);
    let period = schedule.period_at(occurred_at);
    let expired = schedule.has_expired(&period, MAX_KEEP_PERIODS, now);
    if !expired {
        assert!(schedule.expires_at(&period, MAX_KEEP_PERIODS) > Some(now));
    }
    (expired, count_searches(schedule) - before)
}

#[test]
fn old_scores_cost_at_most_two_searches_each_in_any_order() {
    let now = Timestamp::parse("2026-11-09T12:00:00Z").unwrap();
    let hourly = schedule("0 * * * *");
    let keep = u64::from(MAX_KEEP_PERIODS);
    let long_ago = |n: i64| now.saturating_add_ms(-(20_000 - 37 * n) * 60 * MINUTE_MS);
    let (expired, first) = submit(&hourly, long_ago(0), now);
    assert!(expired && first <= keep + 4, "the walk to the oldest: {first}");
    for n in (1..200).chain((1..200).rev()) {
        let (expired, cost) = submit(&hourly, long_ago(n), now);
        assert!(expired && cost <= 2, "{n}: {cost}");
    }
}

#[test]
fn scores_of_kept_periods_share_one_walk_through_the_calendar() {
    let now = Timestamp::parse("2026-11-09T12:00:00Z").unwrap();
    let keep = u64::from(MAX_KEEP_PERIODS);
    for ascending in [true, false] {
        let hourly = schedule("0 * * * *");
        let mut total = 0;
        for n in 0..200 {
            let back = if ascending { 990 - 4 * n } else { 4 * n };
            let (expired, cost) = submit(&hourly, now.saturating_add_ms(-back * 60 * MINUTE_MS), now);
            assert!(!expired, "{back}");
            total += cost;
        }
        assert!(total <= 3 * keep + 2 * 200, "{total}");
    }
}

#[test]
fn instants_of_a_known_period_cost_no_search() {
    let now = Timestamp::parse("2026-11-09T12:00:00Z").unwrap();
    let hourly = schedule("0 * * * *");
    submit(&hourly, now, now);
    for ms in 0..1000 {
        assert_eq!(submit(&hourly, now.saturating_add_ms(ms), now), (false, 0));
    }
}

#[test]
fn a_leaderboard_with_changed_resets_is_decoded_to_the_same_value() {
    let id = LeaderboardId::new("l").unwrap();
    let now = Timestamp::parse("2026-11-09T12:00:00Z").unwrap();
    let mut board = Leaderboard::new(id);
    for (at, cron) in [(0, "0 0 * * *"), (90, "0 0 * * 1"), (91, "0 * * * *")] {
        let now = now.saturating_add_ms(at * 60 * MINUTE_MS);
        board.schedule = board
            .schedule
            .changed_to(&schedule(cron), 12, now, at == 91)
            .unwrap();
        let stored = crate::codec::encode_leaderboard(&board);
        let read = crate::codec::decode_leaderboard(&stored).unwrap();
        assert_eq!(read, board);
        assert!(read.schedule.is_recorded(Timestamp::MIN));
    }
    assert_eq!(board.schedule.changes().count(), 3);
}

#[test]
fn the_last_instant_before_a_repeated_hour_is_in_the_first_pass() {
    let hourly = schedule("0 * * * *");
    let first_pass = hourly.period_at(Timestamp::parse("2026-10-25T00:30:00Z").unwrap());
    for instant in ["2026-10-25T00:59:59.500Z", "2026-10-25T00:59:59.999Z"] {
        let fresh = schedule("0 * * * *");
        assert_eq!(fresh.period_at(Timestamp::parse(instant).unwrap()), first_pass);
    }
}
