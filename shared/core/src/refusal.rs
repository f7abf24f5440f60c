//! Why a leaderboard refuses a valid submission.

use crate::{LeaderboardId, SubmissionId, Timestamp};

/// The refusal of a valid submission. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The leaderboard that refused. The other leaderboards of the submission are unchanged too.
    pub leaderboard: LeaderboardId,
    /// The reason.
    pub reason: RefusalReason,
}

/// Why a leaderboard refused a submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefusalReason {
    /// No leaderboard of that id exists in the tenant.
    UnknownLeaderboard,
    /// The resulting value of the first column is below [`crate::Limits::min`].
    BelowMin {
        /// The leaderboard's lower bound.
        min: i64,
    },
    /// The resulting value of the first column is above [`crate::Limits::max`].
    AboveMax {
        /// The leaderboard's upper bound.
        max: i64,
    },
    /// The first column would change by more than [`crate::Limits::max_change`].
    ChangeTooLarge {
        /// The largest change allowed, as an absolute value.
        max_change: u64,
    },
    /// The sum or difference is outside the range of a signed 64-bit integer.
    Overflow,
    /// The player has used all of [`crate::Limits::max_attempts`] in this period.
    AttemptsExhausted {
        /// How many submissions a player may make in a period.
        max_attempts: u32,
    },
    /// A player sent the time of a score. The time decides the period and the order of ties, so a player may not choose it.
    TimeNotAllowed,
    /// A player sent an operator. Only servers may override the leaderboard's operator.
    OverrideNotAllowed,
    /// The submission would exceed the tenant's quota of entries.
    TenantFull {
        /// The quota.
        max_entries: u64,
    },
    /// The submission's idempotency records would exceed the tenant's quota.
    LogFull {
        /// The quota.
        max_log_bytes: u64,
    },
    /// The period already has [`crate::Limits::max_entries`] entries, and the player has no entry in it.
    Full {
        /// How many entries a period may have.
        max_entries: u64,
    },
    /// The score happened before the start of the leaderboard.
    NotStarted {
        /// The start of the leaderboard.
        starts_at: Timestamp,
    },
    /// The score happened at or after the end of the leaderboard.
    Ended {
        /// The end of the leaderboard.
        ends_at: Timestamp,
    },
    /// The period of the score is older than the periods that are kept.
    PeriodExpired,
    /// The entries of the period have the order of an earlier configuration, so the period accepts no late scores.
    PeriodReordered,
    /// The standings of the period of the score are final, and the leaderboard refuses late scores or the period has prizes.
    StandingsFinal,
    /// The period's entries are being rebuilt in another order. The caller can retry after a few seconds.
    Rebuilding,
    /// The same `id` was used within 24 hours with other content.
    IdConflict {
        /// The repeated id.
        id: SubmissionId,
    },
    /// The caller may not submit scores of this player to this leaderboard.
    Forbidden,
    /// The time of the score is further in the future than clocks may differ.
    InTheFuture {
        /// The current time of this service.
        now: Timestamp,
    },
    /// The leaderboard does not allow a submission to name an operator.
    OperatorNotAllowed,
    /// The submission's columns are not the leaderboard's.
    ColumnsMismatch {
        /// Which columns are missing or unknown, as text.
        detail: String,
    },
    /// The caller used a configuration that is not the current one. The caller reloads the configuration and tries again.
    StaleConfiguration,
}
