//! The log of a leaderboard: every accepted change, in order. Entries are a projection of it, for as long as it reaches
//! back to the first.

use crate::{
    Leaderboard, Metadata, Operator, PeriodId, PlayerId, PreparedSubmission, Status, SubmissionId, Target,
    Timestamp, Values,
};

/// What happened, without its place in the log.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// When it was accepted.
    pub recorded_at: Timestamp,
    /// What it was.
    pub body: EventBody,
}

/// The kinds of events.
#[derive(Debug, Clone, PartialEq)]
pub enum EventBody {
    /// The configuration became this.
    Configured {
        /// The configuration.
        leaderboard: Box<Leaderboard>,
        /// The period that was the current one.
        current: PeriodId,
        /// Whether the current period was put into the new order, if the order changed. Other periods keep
        /// the order they have.
        rebuild: bool,
    },
    /// A submission was accepted, whether it changed the entry or not.
    Submitted {
        /// Whose it was.
        player: PlayerId,
        /// The period it fell into.
        period: PeriodId,
        /// How it met the entry.
        operator: Operator,
        /// The numbers as submitted.
        values: Values,
        /// The metadata as submitted; none when the entry was kept.
        metadata: Option<Metadata>,
        /// When it happened.
        occurred_at: Timestamp,
        /// The client's name for it.
        id: Option<SubmissionId>,
        /// Whether the player was banned when it was accepted. The store knows, and says so.
        banned: bool,
        /// Whether the entry stayed as it was, but for the submission. The store says so.
        kept: bool,
    },
    /// An entry was removed.
    Removed {
        /// Whose it was.
        player: PlayerId,
        /// From which period.
        period: PeriodId,
    },
    /// A player was banned from everyone else (shadow ban).
    Banned {
        /// The player.
        player: PlayerId,
    },
    /// A hidden player was shown again.
    Unbanned {
        /// The player.
        player: PlayerId,
    },
}

/// An event and its place in the leaderboard's log.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedEvent {
    /// From 1, without gaps; the first ones go when the log is trimmed.
    pub position: u64,
    /// What happened.
    pub event: Event,
}

impl Event {
    /// The event of an accepted target of a submission that came to `status`. Metadata that was not taken is left out: a
    /// log is no place to put it.
    #[must_use]
    pub fn submitted(submission: &PreparedSubmission, target: &Target, banned: bool, status: Status) -> Self {
        let kept = status == Status::Kept;
        Self {
            recorded_at: submission.recorded_at,
            body: EventBody::Submitted {
                player: submission.player.clone(),
                period: target.period.id.clone(),
                operator: target.operator,
                values: target.values.clone(),
                metadata: submission.metadata.clone().filter(|_| !kept),
                occurred_at: submission.occurred_at,
                id: submission.id.clone(),
                banned,
                kept,
            },
        }
    }
}
