//! Leaderboards, submissions and other values for tests.

use std::rc::Rc;

use leaderboard_core::ports::{
    Charge, ChargeRequest, Expected, Leaderboards, PeriodRef, PutLeaderboard, RankDetail, SubmitOptions,
    Usage,
};
use leaderboard_core::{
    Column, Columns, Fingerprint, Leaderboard, LeaderboardId, Operator, Order, PeriodId, PlayerId,
    PreparedSubmission, Refusal, Reset, Schedule, Submission, SubmittedValues, TenantId, Ties, Timestamp,
    Versioned,
};

/// A fixed instant: 2026-03-01T12:00:00Z.
pub(crate) const NOW_MS: i64 = 1_772_366_400_000;
pub(crate) const DAY_MS: i64 = 86_400_000;
/// An hour in microseconds: a limit that grows back so slowly does not change while a test runs.
pub(crate) const HOUR_US: u64 = 3_600_000_000;

pub(crate) fn at(ms: i64) -> Timestamp {
    Timestamp::from_unix_ms(ms).unwrap()
}

pub(crate) fn tenant() -> TenantId {
    TenantId::new("acme").unwrap()
}

pub(crate) fn player(name: &str) -> PlayerId {
    PlayerId::new(name).unwrap()
}

pub(crate) fn board_id(name: &str) -> LeaderboardId {
    LeaderboardId::new(name).unwrap()
}

/// A leaderboard with these directions, one column each, that allows any operator.
pub(crate) fn board(name: &str, orders: &[Order], ties: Ties, operator: Operator) -> Leaderboard {
    let columns = orders.iter().enumerate();
    let columns = columns.map(|(at, order)| Column::new(format!("c{at}"), *order).unwrap());
    let mut board = Leaderboard::new(board_id(name));
    board.columns = Columns::new(columns.collect()).unwrap();
    board.ties = ties;
    board.operator = operator;
    board.operator_override = true;
    board
}

pub(crate) fn daily() -> Schedule {
    Schedule::new(Reset {
        cron: "0 0 * * *".into(),
        time_zone: "UTC".into(),
    })
    .unwrap()
}

/// One simple leaderboard: `best`, one descending column.
pub(crate) fn simple(name: &str) -> Leaderboard {
    board(name, &[Order::Descending], Ties::Earliest, Operator::Best)
}

/// Stores a configuration over any existing one.
pub(crate) async fn put(store: &impl Leaderboards, board: &Leaderboard) -> Rc<Versioned<Leaderboard>> {
    let current = board.schedule.period_at(at(NOW_MS)).id;
    let put = PutLeaderboard {
        max_leaderboards: None,
        tenant: &tenant(),
        leaderboard: board,
        expected: Expected::Any,
        current: &current,
        rebuild: true,
        expiries: &[],
        at: at(NOW_MS),
    };
    let (version, _) = store.put(&put).await.unwrap().unwrap();
    Rc::new(Versioned {
        version,
        value: board.clone(),
    })
}

/// A submission to leaderboards of as many columns as there are values.
pub(crate) fn submission(name: &str, values: &[i64]) -> Submission {
    let named = values.iter().enumerate();
    Submission {
        leaderboards: Vec::new(),
        player: player(name),
        values: SubmittedValues::Named(named.map(|(at, value)| (format!("c{at}"), *value)).collect()),
        operator: None,
        metadata: None,
        occurred_at: None,
        id: None,
        request: None,
    }
}

pub(crate) fn resolve(
    submission: &Submission,
    boards: &[Rc<Versioned<Leaderboard>>],
    now_ms: i64,
) -> Result<PreparedSubmission, Refusal> {
    submission.resolve(boards, at(now_ms))
}

/// An attempt with one value on one leaderboard.
pub(crate) fn attempt(
    board: &Rc<Versioned<Leaderboard>>,
    name: &str,
    value: i64,
    now_ms: i64,
) -> PreparedSubmission {
    resolve(&submission(name, &[value]), std::slice::from_ref(board), now_ms).unwrap()
}

pub(crate) fn fingerprint(byte: u8) -> Fingerprint {
    [byte; 16]
}

/// Options without ranks.
pub(crate) fn terms() -> SubmitOptions {
    SubmitOptions::new(RankDetail::Omitted)
}

/// Returns a charge on a limit of `burst` units an hour.
pub(crate) fn hourly(bucket: &str, burst: u64, cost: u64) -> Charge {
    Charge {
        bucket: bucket.into(),
        interval_us: HOUR_US,
        burst,
        needs: (cost > 0).then_some(cost),
        cost,
    }
}

/// One request with these charges.
pub(crate) fn request(charges: Vec<Charge>) -> ChargeRequest {
    ChargeRequest {
        charges,
        usage: Usage {
            requests: 1,
            scores: 0,
        },
        max_requests_per_day: None,
    }
}

/// A place in the period `all`, or another one.
pub(crate) fn place<'a>(
    tenant: &'a TenantId,
    board: &'a Rc<Versioned<Leaderboard>>,
    period: &'a PeriodId,
) -> PeriodRef<'a> {
    PeriodRef {
        tenant,
        leaderboard: board,
        period,
        now: at(NOW_MS),
    }
}
