//! What can go wrong, by whose fault: the input ([`Invalid`]), the state ([`Refusal`]) or the store
//! ([`StoreError`]).

use crate::{LeaderboardId, SubmissionId};

/// A value that breaks a rule of the domain, with the place it stands at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid {
    /// A JSON pointer (RFC 6901) relative to the object that was checked: `/columns/0/name`, or empty.
    pub pointer: String,
    /// What is wrong, in words for the caller.
    pub detail: String,
}

impl Invalid {
    /// A broken rule at `pointer`.
    pub fn new(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            pointer: pointer.into(),
            detail: detail.into(),
        }
    }

    /// The same rule seen from the object that holds this one.
    #[must_use]
    pub fn within(mut self, parent: &str) -> Self {
        self.pointer.insert_str(0, parent);
        self
    }
}

impl std::fmt::Display for Invalid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.pointer.is_empty() {
            f.write_str(&self.detail)
        } else {
            write!(f, "{}: {}", self.pointer, self.detail)
        }
    }
}

impl std::error::Error for Invalid {}

/// A well-formed submission that the leaderboard does not accept. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The leaderboard that refused; the others of the same submission are unchanged too.
    pub leaderboard: LeaderboardId,
    /// Why.
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
    /// Adding or subtracting left the range of a signed 64-bit integer.
    Overflow,
    /// The player has used all of [`crate::Limits::max_attempts`] in this period.
    AttemptsExhausted {
        /// How many submissions a player has in a period.
        max_attempts: u32,
    },
    /// A player's own token sets no instant: it decides the period and the tie-break.
    TimeNotAllowed,
    /// A player's own token overrides no operator: that decides how the score counts.
    OverrideNotAllowed,
    /// The tenant holds as many entries as its quota allows, and this would make one more.
    TenantFull {
        /// The quota.
        max_entries: u64,
    },
    /// The tenant's idempotency records weigh as much as its quota allows, and this would make one more.
    LogFull {
        /// The quota.
        max_log_bytes: u64,
    },
    /// The period already has [`crate::Limits::max_entries`] entries, and the player has none of them.
    Full {
        /// How many entries a period may have.
        max_entries: u64,
    },
    /// The score happened before the leaderboard opened.
    NotStarted {
        /// When it opens.
        starts_at: crate::Timestamp,
    },
    /// The score happened at or after the instant the leaderboard closed.
    Ended {
        /// When it closed.
        ends_at: crate::Timestamp,
    },
    /// The period the score belongs to is older than the periods that are kept.
    PeriodExpired,
    /// The period was ordered under an earlier configuration and is closed to late scores.
    PeriodReordered,
    /// The period's entries are being put into another order. Try again: it takes seconds at most.
    Rebuilding,
    /// The same `id` was used within 24 hours with other content.
    IdConflict {
        /// The id in question.
        id: SubmissionId,
    },
    /// The caller may not submit scores of this player here.
    Forbidden,
    /// The score claims to have happened further in the future than clocks differ.
    InTheFuture {
        /// What time it is here.
        now: crate::Timestamp,
    },
    /// The leaderboard takes no operator from a submission.
    OperatorNotAllowed,
    /// The submission's columns are not the leaderboard's.
    ColumnsMismatch {
        /// What is missing or unknown, in words.
        detail: String,
    },
    /// The configuration the caller decided with is no longer the current one: reload it and try again.
    StaleConfiguration,
}

/// A port could not do its work. The text is for the log, never for a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreError {
    /// The store is out of reach, or did not answer in time.
    Unavailable(String),
    /// The store answers and has no room for more data: nothing was written. What takes data out still works.
    OutOfMemory(String),
    /// The store answered with something that this program did not write, or cannot read.
    Corrupt(String),
    /// The store refused the command: a bug, or a store that is set up wrongly.
    Rejected(String),
}

impl std::fmt::Display for StoreError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unavailable(cause) => write!(f, "store unavailable: {cause}"),
            Self::OutOfMemory(cause) => write!(f, "store out of memory: {cause}"),
            Self::Corrupt(cause) => write!(f, "store corrupt: {cause}"),
            Self::Rejected(cause) => write!(f, "store rejected the command: {cause}"),
        }
    }
}

impl std::error::Error for StoreError {}
