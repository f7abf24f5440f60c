//! Values that tests start from.

use std::rc::Rc;

use leaderboard_core::ports::{Charge, ChargeRequest, RateLimitDecision, Usage};
use leaderboard_core::{
    Column, Columns, Leaderboard, LeaderboardId, Metadata, Operator, Order, PlayerId, PreparedSubmission,
    Reset, Schedule, Submission, SubmissionId, SubmittedValues, TenantId, Ties, Timestamp, Values, Versioned,
};

/// A configuration as the store knows it.
pub(crate) type Board = Rc<Versioned<Leaderboard>>;

pub(crate) const DAY_MS: i64 = 86_400_000;

/// 2026-07-19T12:00:00Z plus so many milliseconds.
pub(crate) fn at(ms: i64) -> Timestamp {
    Timestamp::saturating_from_unix_ms(1_784_462_400_000 + ms)
}

pub(crate) fn instant(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

pub(crate) fn tenant(name: &str) -> TenantId {
    TenantId::new(name).unwrap()
}

pub(crate) fn id(name: &str) -> LeaderboardId {
    LeaderboardId::new(name).unwrap()
}

pub(crate) fn player(name: &str) -> PlayerId {
    PlayerId::new(name).unwrap()
}

pub(crate) fn submission_id(name: &str) -> SubmissionId {
    SubmissionId::new(name).unwrap()
}

pub(crate) fn metadata(json: &str) -> Metadata {
    Metadata::from_json_text(json).unwrap()
}

/// Columns `a`, `b`, `c`, as many as there are directions.
pub(crate) fn columns(orders: &[Order]) -> Columns {
    let named = ["a", "b", "c"].iter().zip(orders);
    Columns::new(
        named
            .map(|(name, order)| Column::new(*name, *order).unwrap())
            .collect(),
    )
    .unwrap()
}

pub(crate) fn schedule(cron: &str, time_zone: &str) -> Schedule {
    Schedule::new(Reset {
        cron: cron.into(),
        time_zone: time_zone.into(),
    })
    .unwrap()
}

/// One descending column, operator `set`, which may be overridden.
pub(crate) fn board(name: &str) -> Leaderboard {
    Leaderboard {
        operator: Operator::Set,
        operator_override: true,
        ..Leaderboard::new(id(name))
    }
}

pub(crate) fn with_ties(name: &str, ties: Ties) -> Leaderboard {
    Leaderboard { ties, ..board(name) }
}

pub(crate) fn daily(name: &str) -> Leaderboard {
    Leaderboard {
        schedule: schedule("0 0 * * *", "UTC"),
        ..board(name)
    }
}

/// A score on its way in; the values go by the columns' names.
pub(crate) fn submission(boards: &[&Board], name: &str, values: &[i64]) -> Submission {
    let columns = boards[0].value.columns.iter();
    Submission {
        leaderboards: boards.iter().map(|board| board.value.id.clone()).collect(),
        player: player(name),
        values: SubmittedValues::Named(
            columns
                .map(|c| c.name().to_owned())
                .zip(values.iter().copied())
                .collect(),
        ),
        operator: None,
        metadata: None,
        occurred_at: None,
        id: None,
        request: None,
    }
}

/// What `submission` becomes once the configurations are applied.
pub(crate) fn resolved(submission: &Submission, boards: &[&Board], now: Timestamp) -> PreparedSubmission {
    let boards: Vec<Board> = boards.iter().map(|board| Rc::clone(board)).collect();
    submission.resolve(&boards, now).unwrap()
}

pub(crate) fn values(values: &[i64]) -> Values {
    Values::new(values.to_vec())
}

/// The time in which one unit of a rate limit grows back in tests: none does while a test runs.
pub(crate) const HOUR_US: u64 = 3_600_000_000;

pub(crate) fn charge(bucket: &str, burst: u64, cost: u64) -> Charge {
    Charge {
        bucket: bucket.into(),
        interval_us: HOUR_US,
        burst,
        needs: (cost > 0).then_some(cost),
        cost,
    }
}

pub(crate) fn charges(charges: &[Charge]) -> ChargeRequest {
    ChargeRequest {
        charges: charges.to_vec(),
        ..ChargeRequest::default()
    }
}

pub(crate) fn requests(requests: u64, scores: u64) -> ChargeRequest {
    ChargeRequest {
        usage: Usage { requests, scores },
        ..ChargeRequest::default()
    }
}

/// How many units each bucket is ahead, rounded up: the time that a test takes does not show.
pub(crate) fn units(rate_limit_decision: &RateLimitDecision) -> Vec<u64> {
    let ahead_us = rate_limit_decision.ahead_us.iter();
    ahead_us.map(|ahead_us| ahead_us.div_ceil(HOUR_US)).collect()
}
