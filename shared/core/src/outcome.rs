//! Outcomes of submissions.

use crate::{Columns, LeaderboardId, PeriodId, PlayerId, Values};

/// What happened to the entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// The player had no entry in the period and has one now.
    Created,
    /// The entry's tuple is better than before.
    Improved,
    /// The entry changed, and its tuple is not better than before: the tuple is worse, or only the metadata changed.
    Changed,
    /// The entry did not change.
    Kept,
}

/// The entry before the submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Previous {
    /// The values of that entry.
    pub values: Values,
    /// The rank just before the submission; `None` if the caller did not ask for ranks.
    pub rank: Option<u64>,
}

/// The outcome of one submission on one leaderboard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The leaderboard.
    pub leaderboard: LeaderboardId,
    /// The period of the score.
    pub period: PeriodId,
    /// The player of the score.
    pub player: PlayerId,
    /// What happened to the entry.
    pub status: Status,
    /// The columns at the time of the submission: a replay can be older than the current configuration. `None` in a replay of an
    /// outcome that an earlier release stored; the current columns are then the best guess.
    pub columns: Option<Columns>,
    /// The entry's values after the submission.
    pub values: Values,
    /// The entry's rank at `version`; `None` if the caller did not ask for ranks.
    pub rank: Option<u64>,
    /// The entry before the submission; `None` if the player had no entry.
    pub previous: Option<Previous>,
    /// The period's version: the position of the last event that changed one of its entries.
    pub version: u64,
    /// Whether this is the outcome of an earlier submission with the same id.
    pub replayed: bool,
}
