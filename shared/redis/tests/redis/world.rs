//! Leaderboards, submissions and other values for tests.

use std::rc::Rc;

use leaderboard_core::ports::{
    Charge, ChargeRequest, Expected, Leaderboards, PeriodRef, PutLeaderboard, RankDetail, RateLimits,
    ReadSource, Scores, SubmitOptions, Usage,
};
use leaderboard_core::{
    Column, Columns, Fingerprint, Leaderboard, Operator, Order, PeriodId, PreparedSubmission, Refusal,
    RefusalReason, Schedule, Submission, SubmittedValues, TenantId, Ties, Timestamp, Versioned,
};
use leaderboard_test_support::values::schedule;
pub(crate) use leaderboard_test_support::values::{DAY_MS, charge as hourly_charge, id as board_id, player};

/// A fixed instant in Unix milliseconds: 2026-03-01T12:00:00Z.
pub(crate) const NOW_MS: i64 = 1_772_366_400_000;

pub(crate) fn at(ms: i64) -> Timestamp {
    Timestamp::from_unix_ms(ms).unwrap()
}

pub(crate) fn tenant() -> TenantId {
    TenantId::new("acme").unwrap()
}

/// Returns a leaderboard that allows any operator, with one column for each of these orders.
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

/// Returns a schedule that resets at midnight in UTC.
pub(crate) fn daily_schedule() -> Schedule {
    schedule("0 0 * * *", "UTC")
}

/// Returns a leaderboard with the operator `best` and one descending column.
pub(crate) fn simple_leaderboard(name: &str) -> Leaderboard {
    board(name, &[Order::Descending], Ties::Earliest, Operator::Best)
}

/// Stores a configuration and replaces an existing configuration.
pub(crate) async fn put(store: &impl Leaderboards, board: &Leaderboard) -> Rc<Versioned<Leaderboard>> {
    let current = board.schedule.period_at(at(NOW_MS)).id;
    let put = PutLeaderboard {
        max_leaderboards: None,
        tenant: &tenant(),
        leaderboard: board,
        expected: Expected::Any,
        current: &current,
        rebuild: true,
        verified: None,
        expiries: &[],
        at: at(NOW_MS),
    };
    let (version, _) = store.put(&put).await.unwrap().unwrap();
    Rc::new(Versioned {
        version,
        value: board.clone(),
    })
}

/// Returns a submission with one value for each column.
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
        received_at: None,
    }
}

pub(crate) fn resolve(
    submission: &Submission,
    boards: &[Rc<Versioned<Leaderboard>>],
    now_ms: i64,
) -> Result<PreparedSubmission, Refusal> {
    submission.resolve(boards, at(now_ms))
}

/// Returns a prepared submission with one value to one leaderboard.
pub(crate) fn prepare(
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

/// Returns submit options without ranks.
pub(crate) fn submit_options() -> SubmitOptions {
    SubmitOptions::new(RankDetail::Omitted)
}

/// Returns a request with these charges.
pub(crate) fn charge_request(charges: Vec<Charge>) -> ChargeRequest {
    ChargeRequest {
        charges,
        usage: Usage {
            requests: 1,
            scores: 0,
        },
        max_requests_per_day: None,
    }
}

/// Returns a reference to a period of a leaderboard at [`NOW_MS`].
pub(crate) fn make_period_ref<'a>(
    tenant: &'a TenantId,
    board: &'a Rc<Versioned<Leaderboard>>,
    period: &'a PeriodId,
) -> PeriodRef<'a> {
    PeriodRef {
        tenant,
        leaderboard: board,
        period,
        now: at(NOW_MS),
        source: ReadSource::Primary,
    }
}

/// Returns how many entries the tenant has.
pub(crate) async fn count_entries(store: &impl RateLimits) -> u64 {
    store.usage(&tenant(), 0).await.unwrap().1.entries
}

/// Submits a score of a tenant that may have this many entries. Returns the reason if it is refused.
pub(crate) async fn submit_within_quota(
    store: &impl Scores,
    prepared: PreparedSubmission,
    max_entries: Option<u64>,
) -> Result<(), RefusalReason> {
    let options = SubmitOptions {
        max_tenant_entries: max_entries,
        ..submit_options()
    };
    let submitted = store
        .submit_with_options(&tenant(), &[prepared], &options)
        .await
        .unwrap();
    let answer = submitted.answers.into_iter().next().unwrap();
    answer.map(drop).map_err(|refusal| refusal.reason)
}
