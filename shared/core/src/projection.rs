//! The projection of an event log: the entries of a leaderboard as its events made them. Its reads give what the reads of
//! [`crate::ports::Scores`] gave when the last applied event was the newest one.

mod reads;

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::{
    Decision, Entry, EntryChange, Event, EventBody, Layout, Leaderboard, Period, PeriodId, PlayerErasure,
    PlayerId, RecordedEvent, Status, Values,
};

/// A leaderboard after the events of its log up to a position.
#[derive(Debug, Default)]
pub struct Projection {
    position: u64,
    leaderboard: Option<Leaderboard>,
    periods: BTreeMap<PeriodId, ProjectedPeriod>,
    /// The banned players that this leaderboard's log names.
    banned: HashSet<PlayerId>,
}

/// The entries of a period.
#[derive(Debug)]
struct ProjectedPeriod {
    /// The period, by the schedule at the time of its first score.
    period: Period,
    layout: Layout,
    /// The position of the last event that changed the entries.
    version: u64,
    /// The entries, including those of banned players.
    entries: HashMap<PlayerId, Entry>,
}

/// An event does not follow from the events before it: one of them is missing, or the log is damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnfoundedEvent {
    /// The position of the event.
    pub position: u64,
}

impl Projection {
    /// Returns the position of the last applied event; 0 before the first.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Returns the configuration; `None` before the first event.
    #[must_use]
    pub fn leaderboard(&self) -> Option<&Leaderboard> {
        self.leaderboard.as_ref()
    }

    /// Returns a period that has had an entry, with the bounds that it had at its first score.
    #[must_use]
    pub fn period(&self, id: &PeriodId) -> Option<&Period> {
        self.periods.get(id).map(|state| &state.period)
    }

    /// Applies the next event.
    ///
    /// # Errors
    /// [`UnfoundedEvent`]; the projection is then of no use.
    pub fn apply(&mut self, recorded: &RecordedEvent) -> Result<(), UnfoundedEvent> {
        let position = recorded.position;
        let unfounded = UnfoundedEvent { position };
        if position != self.position.saturating_add(1) {
            return Err(unfounded);
        }
        self.position = position;
        match &recorded.event.body {
            EventBody::Configured {
                leaderboard, current, ..
            } => self.configure(leaderboard, current),
            EventBody::Submitted { .. } => self.apply_submission(&recorded.event).ok_or(unfounded)?,
            EventBody::Removed { player, period } => {
                let state = self.periods.get_mut(period).ok_or(unfounded)?;
                state.entries.remove(player).ok_or(unfounded)?;
                state.version = position;
            }
            EventBody::Banned { player } => {
                self.update_versions(player);
                self.banned.insert(player.clone());
            }
            EventBody::Unbanned { player } => {
                self.update_versions(player);
                self.banned.remove(player);
            }
        }
        Ok(())
    }

    /// Sets the configuration, and puts the current period into its order.
    fn configure(&mut self, leaderboard: &Leaderboard, current: &PeriodId) {
        let layout = leaderboard.layout();
        if let Some(state) = self.periods.get_mut(current)
            && state.layout != layout
        {
            if !state.entries.is_empty() {
                state.version = self.position;
            }
            for entry in state.entries.values_mut() {
                entry.values = convert_values(&state.layout, &layout, &entry.values);
            }
            state.layout = layout;
        }
        self.leaderboard = Some(leaderboard.clone());
    }

    /// Applies an accepted submission. Returns `None` if the leaderboard would have refused it.
    fn apply_submission(&mut self, event: &Event) -> Option<()> {
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
            return None;
        };
        let leaderboard = self.leaderboard.as_ref()?;
        let state = self
            .periods
            .entry(period.clone())
            .or_insert_with(|| ProjectedPeriod {
                period: leaderboard.schedule.period_at(*occurred_at),
                layout: leaderboard.layout(),
                version: 0,
                entries: HashMap::new(),
            });
        let existing = state.entries.get(player);
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
        // The number of entries was checked when the submission was accepted.
        let decision = Decision::from_change(existing, 0, player, change, leaderboard).ok()?;
        // If only the metadata changed, and they are erased, nothing else says that the entry changed.
        if decision.status != Status::Kept || (!*kept && PlayerErasure::may_be_pseudonym(player)) {
            state.version = self.position;
        }
        state.entries.insert(player.clone(), decision.entry);
        if *banned {
            self.banned.insert(player.clone());
        } else if !self.banned.is_empty() {
            self.banned.remove(player);
        }
        Some(())
    }

    /// Gives a new version to every period in which the player has an entry.
    fn update_versions(&mut self, player: &PlayerId) {
        for state in self.periods.values_mut() {
            if state.entries.contains_key(player) {
                state.version = self.position;
            }
        }
    }
}

/// Returns the values for the columns of another layout, by their names. The value of a new column is 0.
pub(crate) fn convert_values(from: &Layout, to: &Layout, values: &Values) -> Values {
    let value_of = |name: &str| {
        let mut named = from.columns.iter().zip(values.as_slice());
        let found = named.find(|(column, _)| column.name() == name);
        found.map_or(0, |(_, value)| *value)
    };
    Values::new(to.columns.iter().map(|column| value_of(column.name())).collect())
}
