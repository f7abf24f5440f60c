//! Example values of the domain. Each function panics when its arguments are not valid.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "a test stops where it cannot go on"
)]

use std::rc::Rc;

use leaderboard_core::ports::{Charge, ChargeRequest, RateLimitDecision, Usage};
use leaderboard_core::{
    Column, Columns, Leaderboard, LeaderboardId, Metadata, Operator, Order, PlayerId, PreparedSubmission,
    Reset, Schedule, Submission, SubmissionId, SubmittedValues, TenantId, Ties, Timestamp, Values, Versioned,
};

/// A configuration with the version that the store gave it.
pub type Board = Rc<Versioned<Leaderboard>>;

/// A day in milliseconds.
pub const DAY_MS: i64 = 86_400_000;

/// Returns 2026-07-19T12:00:00Z plus `ms` milliseconds.
#[must_use]
pub fn at(ms: i64) -> Timestamp {
    Timestamp::saturating_from_unix_ms(1_784_462_400_000 + ms)
}

/// Parses an instant in the format of RFC 3339.
#[must_use]
pub fn instant(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

/// Returns the id of a tenant.
#[must_use]
pub fn tenant(name: &str) -> TenantId {
    TenantId::new(name).unwrap()
}

/// Returns the id of a leaderboard.
#[must_use]
pub fn id(name: &str) -> LeaderboardId {
    LeaderboardId::new(name).unwrap()
}

/// Returns the name of a player.
#[must_use]
pub fn player(name: &str) -> PlayerId {
    PlayerId::new(name).unwrap()
}

/// Returns the id of a submission.
#[must_use]
pub fn submission_id(name: &str) -> SubmissionId {
    SubmissionId::new(name).unwrap()
}

/// Returns metadata with this JSON text.
#[must_use]
pub fn metadata(json: &str) -> Metadata {
    Metadata::from_json_text(json).unwrap()
}

/// Returns columns named `a`, `b`, `c`, one for each order.
#[must_use]
pub fn columns(orders: &[Order]) -> Columns {
    let named = ["a", "b", "c"].iter().zip(orders);
    Columns::new(
        named
            .map(|(name, order)| Column::new(*name, *order).unwrap())
            .collect(),
    )
    .unwrap()
}

/// Returns a schedule of resets.
#[must_use]
pub fn schedule(cron: &str, time_zone: &str) -> Schedule {
    Schedule::new(Reset {
        cron: cron.into(),
        time_zone: time_zone.into(),
    })
    .unwrap()
}

/// Returns a leaderboard with one descending column and the operator `set`, which a submission may override.
#[must_use]
pub fn board(name: &str) -> Leaderboard {
    Leaderboard {
        operator: Operator::Set,
        operator_override: true,
        ..Leaderboard::new(id(name))
    }
}

/// Returns a leaderboard as [`board`], with this tie policy.
#[must_use]
pub fn with_ties(name: &str, ties: Ties) -> Leaderboard {
    Leaderboard { ties, ..board(name) }
}

/// Returns a leaderboard as [`board`], with a reset at midnight UTC.
#[must_use]
pub fn daily(name: &str) -> Leaderboard {
    Leaderboard {
        schedule: schedule("0 0 * * *", "UTC"),
        ..board(name)
    }
}

/// Returns a submission to `boards`. The values are in the order of the first leaderboard's columns.
#[must_use]
pub fn submission(boards: &[&Board], name: &str, values: &[i64]) -> Submission {
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
        received_at: None,
    }
}

/// Returns the submission, prepared for these leaderboards at `now`.
#[must_use]
pub fn prepared(submission: &Submission, boards: &[&Board], now: Timestamp) -> PreparedSubmission {
    let boards: Vec<Board> = boards.iter().map(|board| Rc::clone(board)).collect();
    submission.resolve(&boards, now).unwrap()
}

/// Returns the values of an entry.
#[must_use]
pub fn values(values: &[i64]) -> Values {
    Values::new(values.to_vec())
}

/// The time in which one unit of a rate limit grows back in tests, in microseconds. No unit grows back during
/// a test.
pub const HOUR_US: u64 = 3_600_000_000;

/// Returns a charge to a rate limit of which one unit grows back in each hour.
#[must_use]
pub fn charge(bucket: &str, burst: u64, cost: u64) -> Charge {
    Charge {
        bucket: bucket.into(),
        interval_us: HOUR_US,
        burst,
        needs: (cost > 0).then_some(cost),
        cost,
    }
}

/// Returns a request for these charges.
#[must_use]
pub fn charges(charges: &[Charge]) -> ChargeRequest {
    ChargeRequest {
        charges: charges.to_vec(),
        ..ChargeRequest::default()
    }
}

/// Returns a request that only counts usage.
#[must_use]
pub fn requests(requests: u64, scores: u64) -> ChargeRequest {
    ChargeRequest {
        usage: Usage { requests, scores },
        ..ChargeRequest::default()
    }
}

/// Returns by how many units each bucket is ahead, rounded up, so that the time of a test has no effect.
#[must_use]
pub fn units(rate_limit_decision: &RateLimitDecision) -> Vec<u64> {
    let ahead_us = rate_limit_decision.ahead_us.iter();
    ahead_us.map(|ahead_us| ahead_us.div_ceil(HOUR_US)).collect()
}
