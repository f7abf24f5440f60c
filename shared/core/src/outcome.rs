//! Outcomes of submissions.

use crate::{Columns, LeaderboardId, PeriodId, PlayerId, Values};

/// What happened to the entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// The player had no entry in the period and has one now.
    Created,
    /// The entry's tuple is better than before.
    Improved,
    /// The entry changed without a better tuple: its tuple is worse, or only its metadata changed.
    Changed,
    /// The entry is as it was.
    Kept,
}

/// The entry before the submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Previous {
    /// Its values.
    pub values: Values,
    /// Its rank just before; `None` when the caller asked for no ranks.
    pub rank: Option<u64>,
}

/// The outcome of one submission on one leaderboard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The leaderboard.
    pub leaderboard: LeaderboardId,
    /// The period the score fell into.
    pub period: PeriodId,
    /// Whose it was.
    pub player: PlayerId,
    /// What happened to the entry.
    pub status: Status,
    /// The columns of the values at the time of the submission: a replay can be older than the configuration. `None` in a replay of
    /// an earlier version of the service; then the current columns are the best guess.
    pub columns: Option<Columns>,
    /// The entry's values now.
    pub values: Values,
    /// Its rank now, at `version`; `None` when the caller asked for no ranks.
    pub rank: Option<u64>,
    /// The entry before; `None` when there was none.
    pub previous: Option<Previous>,
    /// The period's version: the position of the last event that changed any of its entries.
    pub version: u64,
    /// Whether this is the outcome of an earlier submission with the same id.
    pub replayed: bool,
}
