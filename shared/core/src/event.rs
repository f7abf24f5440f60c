//! The log of a leaderboard: every accepted change, in order. The entries can be computed from a log that still has its first
//! event.

use crate::{
    Leaderboard, Metadata, Operator, PeriodId, PlayerId, PreparedSubmission, Status, SubmissionId, Target,
    Timestamp, Values,
};

/// An accepted change, without its position in the log.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// When the change was accepted.
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
        /// The period that was current at the time of the change.
        current: PeriodId,
        /// Whether the entries of the current period got the new order, if the order changed. Other periods keep their order.
        rebuild: bool,
    },
    /// A submission was accepted. The entry's values may be unchanged.
    Submitted {
        /// The player.
        player: PlayerId,
        /// The period of the score.
        period: PeriodId,
        /// How the values were combined with the values of the entry.
        operator: Operator,
        /// The submitted values.
        values: Values,
        /// The submitted metadata; `None` if the entry was kept.
        metadata: Option<Metadata>,
        /// When the score happened.
        occurred_at: Timestamp,
        /// The id that the client gave the submission.
        id: Option<SubmissionId>,
        /// Whether the player was banned when the submission was accepted. The store sets this.
        banned: bool,
        /// Whether the entry was kept: only its number of attempts changed. The store sets this.
        kept: bool,
    },
    /// An entry was removed.
    Removed {
        /// The player.
        player: PlayerId,
        /// The period of the removed entry.
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

impl EventBody {
    /// Returns the player whom the change concerns; `None` for a configuration.
    #[must_use]
    pub fn player(&self) -> Option<&PlayerId> {
        match self {
            Self::Submitted { player, .. }
            | Self::Removed { player, .. }
            | Self::Banned { player }
            | Self::Unbanned { player } => Some(player),
            Self::Configured { .. } => None,
        }
    }

    /// Returns whether the change bans or unbans a player.
    #[must_use]
    pub const fn is_ban(&self) -> bool {
        matches!(self, Self::Banned { .. } | Self::Unbanned { .. })
    }
}

/// An event and its position in the leaderboard's log.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedEvent {
    /// The position, from 1, without gaps. Trimming the log removes the first positions.
    pub position: u64,
    /// The event.
    pub event: Event,
}

/// An event of a format that this code does not have: a newer version of the code wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownEvent {
    /// When the change was accepted; `None` if the bytes do not say it.
    pub recorded_at: Option<Timestamp>,
}

/// An event as a log has it: in today's form, whatever the format of its bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct LoggedEvent {
    /// As in [`RecordedEvent::position`].
    pub position: u64,
    /// The number of the format of the event's bytes. A new format gets the next number.
    pub schema_version: u8,
    /// The event.
    pub event: Result<Event, UnknownEvent>,
}

impl LoggedEvent {
    /// Returns when the change was accepted; `None` if the format is unknown, and the bytes do not say it.
    #[must_use]
    pub fn recorded_at(&self) -> Option<Timestamp> {
        match &self.event {
            Ok(event) => Some(event.recorded_at),
            Err(unknown) => unknown.recorded_at,
        }
    }

    /// Returns the event without its format.
    ///
    /// # Errors
    /// [`UnknownEvent`] if the format is unknown.
    pub fn into_known(self) -> Result<RecordedEvent, UnknownEvent> {
        self.event.map(|event| RecordedEvent {
            position: self.position,
            event,
        })
    }
}

impl Event {
    /// Creates the event of a submission that was accepted for a target. If the entry was kept, the event has no metadata, so
    /// that clients cannot fill the log with metadata.
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
