//! A player's personal bests over time.

use std::collections::{BTreeMap, VecDeque};

use super::event_projection::EventProjection;
use crate::projection::convert_values;
use crate::{
    Decision, Entry, EntryChange, Event, EventBody, Leaderboard, Operator, PeriodId, PlayerId, RecordedEvent,
    Status, Timestamp, Values,
};

/// The most personal bests that a projection keeps. The oldest are removed first.
pub const MAX_BESTS: usize = 1_000;

/// The personal bests of one player on one leaderboard, in all periods together. A change of the columns begins them again, because
/// values of other columns cannot be compared.
#[derive(Debug, Clone)]
pub struct PersonalBests {
    player: PlayerId,
    /// The configuration before the first event.
    first: Leaderboard,
    leaderboard: Leaderboard,
    entries: BTreeMap<PeriodId, Entry>,
    bests: VecDeque<PersonalBest>,
    lacks_base: bool,
}

/// A value that was better than all earlier ones of the player.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonalBest {
    /// The position of the event.
    pub position: u64,
    /// The period.
    pub period: PeriodId,
    /// The values of the entry.
    pub values: Values,
    /// When the score happened.
    pub occurred_at: Timestamp,
    /// When the submission was accepted.
    pub recorded_at: Timestamp,
}

impl PersonalBests {
    /// Creates the projection of a player. `leaderboard` is the configuration that holds if the log does not begin with one.
    #[must_use]
    pub fn new(player: PlayerId, leaderboard: Leaderboard) -> Self {
        Self {
            player,
            first: leaderboard.clone(),
            leaderboard,
            entries: BTreeMap::new(),
            bests: VecDeque::new(),
            lacks_base: false,
        }
    }

    /// Returns the configuration after the handled events. Its columns are those of the bests.
    #[must_use]
    pub fn leaderboard(&self) -> &Leaderboard {
        &self.leaderboard
    }

    /// Returns whether a submission added to an entry of which no earlier event is known. If the log has lost events, the values are
    /// unknown then.
    #[must_use]
    pub fn lacks_base(&self) -> bool {
        self.lacks_base
    }

    fn configure(&mut self, leaderboard: &Leaderboard, current: &PeriodId) {
        let (old, new) = (self.leaderboard.layout(), leaderboard.layout());
        if old.columns != new.columns {
            if let Some(entry) = self.entries.get_mut(current) {
                entry.values = convert_values(&old, &new, &entry.values);
            }
            self.bests.clear();
        }
        self.leaderboard = leaderboard.clone();
    }

    /// Applies a submission of the player. Returns `None` if the leaderboard would have refused it, because earlier events are missing.
    fn submit(&mut self, position: u64, event: &Event) -> Option<()> {
        let EventBody::Submitted {
            period,
            operator,
            values,
            occurred_at,
            ..
        } = &event.body
        else {
            return None;
        };
        let existing = self.entries.get(period);
        if existing.is_none() && matches!(operator, Operator::Increment | Operator::Decrement) {
            self.lacks_base = true;
        }
        let change = EntryChange {
            operator: *operator,
            values,
            metadata: None,
            occurred_at: *occurred_at,
        };
        let decision = Decision::from_change(existing, 0, &self.player, change, &self.leaderboard).ok()?;
        let reached = decision.entry.values.clone();
        self.entries.insert(period.clone(), decision.entry);
        let columns = &self.leaderboard.columns;
        let is_best = self
            .bests
            .back()
            .is_none_or(|best| reached.is_better_than(&best.values, columns));
        if decision.status != Status::Kept && is_best {
            self.bests.push_back(PersonalBest {
                position,
                period: period.clone(),
                values: reached,
                occurred_at: *occurred_at,
                recorded_at: event.recorded_at,
            });
        }
        if self.bests.len() > MAX_BESTS {
            self.bests.pop_front();
        }
        Some(())
    }
}

impl EventProjection for PersonalBests {
    const NAME: &'static str = "personal-bests";
    type Query = ();
    /// The bests, oldest first.
    type View = Vec<PersonalBest>;

    fn handle(&mut self, recorded: &RecordedEvent) {
        match &recorded.event.body {
            EventBody::Configured {
                leaderboard, current, ..
            } => self.configure(leaderboard, current),
            EventBody::Submitted { player, .. } if *player == self.player => {
                // Where the log has lost its beginning, the values follow from what is left.
                let _ = self.submit(recorded.position, &recorded.event);
            }
            EventBody::Removed { player, period } if *player == self.player => {
                self.entries.remove(period);
                self.bests.retain(|best| best.period != *period);
            }
            _ => {}
        }
    }

    fn rebuild(&mut self) {
        *self = Self::new(self.player.clone(), self.first.clone());
    }

    fn read(&self, (): &Self::Query) -> Self::View {
        self.bests.iter().cloned().collect()
    }
}
