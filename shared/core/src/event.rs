//! The log of a leaderboard: every accepted change, in order. While the log reaches back to the first event, the entries can be
//! computed from it.

use crate::{
    Leaderboard, Metadata, Operator, PeriodId, PlayerId, PreparedSubmission, Status, SubmissionId, Target,
    Timestamp, Values,
};

/// An accepted change, without its position in the log.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// When it was accepted.
    pub recorded_at: Timestamp,
    /// The change.
    pub body: EventBody,
}

/// The kinds of events.
#[derive(Debug, Clone, PartialEq)]
pub enum EventBody {
    /// The configuration changed.
    Configured {
        /// The configuration.
        leaderboard: Box<Leaderboard>,
        /// The period that was the current one.
        current: PeriodId,
        /// Whether the current period was put into the new order, if the order changed. Other periods keep their order.
        rebuild: bool,
    },
    /// A submission was accepted. It may have left the entry as it was.
    Submitted {
        /// The player.
        player: PlayerId,
        /// The period it fell into.
        period: PeriodId,
        /// How the values were combined with those of the entry.
        operator: Operator,
        /// The numbers as submitted.
        values: Values,
        /// The metadata as submitted; none when the entry was kept.
        metadata: Option<Metadata>,
        /// When it happened.
        occurred_at: Timestamp,
        /// The client's id of the submission.
        id: Option<SubmissionId>,
        /// Whether the player was banned when it was accepted. The store sets this.
        banned: bool,
        /// Whether the entry stayed as it was, except for its count of attempts. The store sets this.
        kept: bool,
    },
    /// An entry was removed.
    Removed {
        /// The player.
        player: PlayerId,
        /// From which period.
        period: PeriodId,
    },
    /// A player was banned (shadow ban).
    Banned {
        /// The player.
        player: PlayerId,
    },
    /// A player was unbanned.
    Unbanned {
        /// The player.
        player: PlayerId,
    },
}

/// An event and its position in the leaderboard's log.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedEvent {
    /// The position, from 1, without gaps. Trimming the log removes the first positions.
    pub position: u64,
    /// What happened.
    pub event: Event,
}

impl Event {
    /// Creates the event of an accepted target. If the entry was kept, the event has no metadata, so that clients cannot fill the
    /// log with it.
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
