//! The state of a leaderboard as the result of its event log.

use std::collections::{BTreeMap, BTreeSet};

use leaderboard_core::{
    Decision, Entry, EntryChange, Event, EventBody, Layout, Leaderboard, Period, PeriodId, PlayerErasure,
    PlayerId, RecordedEvent, RefusalReason, Values,
};

use crate::ranking::sorted;

/// The state of one leaderboard after the events up to [`Projection::position`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Projection {
    /// The position of the last event; 0 before the first.
    pub position: u64,
    /// The configuration; `None` before the first event.
    pub leaderboard: Option<Leaderboard>,
    /// The periods that have had an entry.
    pub periods: BTreeMap<PeriodId, PeriodState>,
    /// The banned players that have entries on this leaderboard.
    pub banned: BTreeSet<PlayerId>,
}

/// The entries of one period.
#[derive(Debug, Clone, PartialEq)]
pub struct PeriodState {
    /// The period, by the schedule at the time of its first score.
    pub period: Period,
    /// The order of the entries.
    pub layout: Layout,
    /// The position of the last event that changed the entries.
    pub version: u64,
    /// The entries, including those of banned players.
    pub entries: BTreeMap<PlayerId, Entry>,
}

/// The reason why a log cannot be replayed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReplayError {
    /// An event does not have the position that follows that of the previous event.
    Gap {
        /// The position that the event should have.
        expected: u64,
        /// The position that the event has.
        found: u64,
    },
    /// An event does not follow from earlier events, for example because it names an entry that does not
    /// exist.
    Unfounded {
        /// The event's position.
        position: u64,
    },
    /// An event is a submission that the leaderboard would have refused.
    Refused {
        /// The event's position.
        position: u64,
        /// Why the submission would have been refused.
        reason: RefusalReason,
    },
}

impl std::fmt::Display for ReplayError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Gap { expected, found } => write!(f, "event {found} stands where {expected} should"),
            Self::Unfounded { position } => write!(f, "event {position} speaks of what is not there"),
            Self::Refused { position, reason } => write!(f, "event {position} is refused: {reason:?}"),
        }
    }
}

impl std::error::Error for ReplayError {}

impl Projection {
    /// Rebuilds a leaderboard from its log, from the first event on.
    ///
    /// # Errors
    /// [`ReplayError`] at the first event that does not follow from the earlier events.
    pub fn replay<'a>(events: impl IntoIterator<Item = &'a RecordedEvent>) -> Result<Self, ReplayError> {
        let mut projection = Self::default();
        for event in events {
            projection.apply(event)?;
        }
        Ok(projection)
    }

    /// Applies the next event. An error leaves the projection unchanged.
    ///
    /// # Errors
    /// [`ReplayError`] when the event does not follow from the earlier events.
    pub fn apply(&mut self, recorded: &RecordedEvent) -> Result<(), ReplayError> {
        let position = recorded.position;
        let expected = self.position + 1;
        if position != expected {
            return Err(ReplayError::Gap {
                expected,
                found: position,
            });
        }
        if self.leaderboard.is_none() && !matches!(recorded.event.body, EventBody::Configured { .. }) {
            return Err(ReplayError::Unfounded { position });
        }
        match &recorded.event.body {
            EventBody::Configured {
                leaderboard,
                current,
                rebuild,
            } => self.configure(position, leaderboard, current, *rebuild)?,
            EventBody::Submitted { .. } => self.apply_submission(position, &recorded.event)?,
            EventBody::Removed { player, period } => {
                let unfounded = ReplayError::Unfounded { position };
                let state = self.periods.get_mut(period).ok_or(unfounded.clone())?;
                state.entries.remove(player).ok_or(unfounded)?;
                state.version = position;
            }
            EventBody::Banned { player } => {
                self.update_versions(position, player);
                self.banned.insert(player.clone());
            }
            EventBody::Unbanned { player } => {
                self.update_versions(position, player);
                self.banned.remove(player);
            }
        }
        self.position = position;
        Ok(())
    }

    /// Returns the entries of a period that everyone sees, best first.
    #[must_use]
    pub fn visible<'a>(&self, state: &'a PeriodState) -> Vec<&'a Entry> {
        let visible = state
            .entries
            .values()
            .filter(|entry| !self.banned.contains(&entry.player));
        sorted(&state.layout, visible)
    }

    /// Returns the visible entries except the entry of `player`. The player's rank is counted among these
    /// entries.
    pub(crate) fn others<'a>(&self, state: &'a PeriodState, player: &PlayerId) -> Vec<&'a Entry> {
        let mut visible = self.visible(state);
        visible.retain(|entry| entry.player != *player);
        visible
    }

    /// Stores a configuration, and reorders the current period if the order is new.
    fn configure(
        &mut self,
        position: u64,
        leaderboard: &Leaderboard,
        current: &PeriodId,
        rebuild: bool,
    ) -> Result<(), ReplayError> {
        let layout = leaderboard.layout();
        if let Some(state) = self.periods.get_mut(current)
            && state.layout != layout
        {
            if !state.entries.is_empty() {
                if !rebuild {
                    return Err(ReplayError::Unfounded { position });
                }
                state.version = position;
            }
            for entry in state.entries.values_mut() {
                entry.values = values_by_name(&state.layout, &layout, &entry.values);
            }
            state.layout = layout;
        }
        self.leaderboard = Some(leaderboard.clone());
        Ok(())
    }

    /// Applies the event of an accepted submission.
    fn apply_submission(&mut self, position: u64, event: &Event) -> Result<(), ReplayError> {
        let unfounded = ReplayError::Unfounded { position };
        let EventBody::Submitted {
            player,
            period,
            operator,
            values,
            metadata,
            occurred_at,
            banned,
            kept,
            ..
        } = &event.body
        else {
            return Err(unfounded);
        };
        let leaderboard = self.leaderboard.as_ref().ok_or(unfounded.clone())?;
        let state = self.periods.get(period);
        if state.is_some_and(|state| state.layout != leaderboard.layout()) {
            return Err(unfounded);
        }
        let existing = state.and_then(|state| state.entries.get(player));
        let change = EntryChange {
            operator: *operator,
            values,
            // The event of a submission that kept the entry has no metadata, because the entry keeps its own.
            metadata: match existing {
                Some(entry) if *kept => entry.metadata.as_ref(),
                _ => metadata.as_ref(),
            },
            occurred_at: *occurred_at,
        };
        let count = state.map_or(0, |state| state.entries.len() as u64);
        let decision = Decision::from_change(existing, count, player, change, leaderboard)
            .map_err(|reason| ReplayError::Refused { position, reason })?;
        let changed = decision.status != leaderboard_core::Status::Kept;
        if *kept && changed {
            return Err(unfounded);
        }
        // The event of an erased player does not say that the metadata changed.
        let changed = changed || (!*kept && PlayerErasure::may_be_pseudonym(player));
        let fresh = || PeriodState {
            period: leaderboard.schedule.period_at(*occurred_at),
            layout: leaderboard.layout(),
            version: 0,
            entries: BTreeMap::new(),
        };
        let state = self.periods.entry(period.clone()).or_insert_with(fresh);
        state.entries.insert(player.clone(), decision.entry);
        if changed {
            state.version = position;
        }
        if *banned {
            self.banned.insert(player.clone());
        } else {
            self.banned.remove(player);
        }
        Ok(())
    }

    /// Gives a new version to every period in which the player has an entry.
    fn update_versions(&mut self, position: u64, player: &PlayerId) {
        for state in self.periods.values_mut() {
            if state.entries.contains_key(player) {
                state.version = position;
            }
        }
    }
}

/// Returns the values for the columns of another layout, matched by name. The value of a new column is 0.
fn values_by_name(from: &Layout, to: &Layout, values: &Values) -> Values {
    let value_of = |name: &str| {
        let mut named = from.columns.iter().zip(values.as_slice());
        named
            .find(|(column, _)| column.name() == name)
            .map_or(0, |(_, value)| *value)
    };
    Values::new(to.columns.iter().map(|column| value_of(column.name())).collect())
}
