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
    /// The player's entries; `None` for one that was removed. A period that is not here may have an entry from lost events.
    entries: BTreeMap<PeriodId, Option<Entry>>,
    bests: VecDeque<PersonalBest>,
    /// When the first handled event was recorded.
    first_at: Option<Timestamp>,
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
            first_at: None,
            lacks_base: false,
        }
    }

    /// Returns the configuration after the handled events. Its columns are those of the bests.
    #[must_use]
    pub fn leaderboard(&self) -> &Leaderboard {
        &self.leaderboard
    }

    /// Returns whether a submission added to an entry that may have had earlier events than the handled ones. If the log has lost
    /// events, the values are unknown then.
    #[must_use]
    pub fn lacks_base(&self) -> bool {
        self.lacks_base
    }

    fn configure(&mut self, leaderboard: &Leaderboard, current: &PeriodId) {
        let (old, new) = (self.leaderboard.layout(), leaderboard.layout());
        if old.columns != new.columns {
            if let Some(Some(entry)) = self.entries.get_mut(current) {
                entry.values = convert_values(&old, &new, &entry.values);
            }
            self.bests.clear();
        }
        self.leaderboard = leaderboard.clone();
    }

    /// Returns whether the period that contains an instant began before the handled events.
    fn began_earlier(&self, occurred_at: Timestamp) -> bool {
        let starts_at = self.leaderboard.schedule.period_at(occurred_at).starts_at;
        starts_at.is_none_or(|starts_at| self.first_at.is_none_or(|first| starts_at < first))
    }

    /// Applies a submission of the player. Returns `None` if the leaderboard would have refused it, because earlier events are missing.
    fn submit(&mut self, position: u64, event: &Event) -> Option<()> {
        let EventBody::Submitted {
            period,
            operator,
            values,
            occurred_at,
            kept,
            ..
        } = &event.body
        else {
            return None;
        };
        let known = self.entries.get(period);
        let existing = known.and_then(Option::as_ref);
        if existing.is_none() && *kept {
            // The entry was better, and its event is lost.
            return None;
        }
        if known.is_none() && matches!(operator, Operator::Increment | Operator::Decrement) {
            self.lacks_base |= self.began_earlier(*occurred_at);
        }
        let change = EntryChange {
            operator: *operator,
            values,
            metadata: None,
            occurred_at: *occurred_at,
        };
        let decision = Decision::from_change(existing, 0, &self.player, change, &self.leaderboard).ok()?;
        let reached = decision.entry.values.clone();
        self.entries.insert(period.clone(), Some(decision.entry));
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
        self.first_at.get_or_insert(recorded.event.recorded_at);
        match &recorded.event.body {
            EventBody::Configured {
                leaderboard, current, ..
            } => self.configure(leaderboard, current),
            EventBody::Submitted { player, .. } if *player == self.player => {
                // Where the log has lost its beginning, the values follow from what is left.
                let _ = self.submit(recorded.position, &recorded.event);
            }
            EventBody::Removed { player, period } if *player == self.player => {
                self.entries.insert(period.clone(), None);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{LeaderboardId, Reset, Schedule};

    const DAY_MS: i64 = 24 * 60 * 60 * 1000;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_unix_ms(ms).unwrap()
    }

    fn ann() -> PlayerId {
        PlayerId::new("ann").unwrap()
    }

    fn daily() -> Leaderboard {
        let reset = Reset {
            cron: "0 0 * * *".into(),
            time_zone: "UTC".into(),
        };
        Leaderboard {
            schedule: Schedule::new(reset).unwrap(),
            ..Leaderboard::new(LeaderboardId::new("l").unwrap())
        }
    }

    fn period_at(ms: i64) -> PeriodId {
        daily().schedule.period_at(at(ms)).id
    }

    /// Handles an event that was recorded at this instant.
    fn handle(bests: &mut PersonalBests, ms: i64, body: EventBody) {
        bests.handle(&RecordedEvent {
            position: 7,
            event: Event {
                recorded_at: at(ms),
                body,
            },
        });
    }

    fn submitted(ms: i64, operator: Operator, value: i64, kept: bool) -> EventBody {
        EventBody::Submitted {
            player: ann(),
            period: period_at(ms),
            operator,
            values: Values::new(vec![value]),
            metadata: None,
            occurred_at: at(ms),
            id: None,
            banned: false,
            kept,
        }
    }

    fn values(bests: &PersonalBests) -> Vec<i64> {
        let all = bests.read(&());
        all.iter().map(|best| best.values.as_slice()[0]).collect()
    }

    #[test]
    fn a_score_that_kept_a_lost_entry_is_no_best() {
        let mut bests = PersonalBests::new(ann(), daily());
        handle(&mut bests, 5, submitted(5, Operator::Best, 3, true));
        handle(&mut bests, 6, submitted(6, Operator::Best, 9, false));
        assert_eq!(values(&bests), [9]);
    }

    #[test]
    fn an_addition_lacks_its_base_only_if_earlier_events_can_be_lost() {
        let added = |ms| submitted(ms, Operator::Increment, 3, false);
        let mut bests = PersonalBests::new(ann(), daily());
        handle(&mut bests, 5, EventBody::Banned { player: ann() });
        // A period that began after the first event.
        handle(&mut bests, DAY_MS, added(DAY_MS));
        assert!(!bests.lacks_base());
        // An entry that was removed.
        let (player, period) = (ann(), period_at(5));
        handle(&mut bests, DAY_MS, EventBody::Removed { player, period });
        handle(&mut bests, DAY_MS, added(6));
        assert!(!bests.lacks_base());

        let mut bests = PersonalBests::new(ann(), daily());
        handle(&mut bests, 5, added(5));
        assert!(bests.lacks_base());
    }
}
