//! The projection of an event log: the entries of a leaderboard as its events made them. Its reads give what the reads of
//! [`crate::ports::Scores`] gave when the last applied event was the newest one.

mod kept;
mod period;
mod player_table;
mod reads;
mod snapshot;
mod stored;
mod view;

use std::collections::{BTreeMap, HashSet};

use period::ProjectedPeriod;
pub(crate) use period::convert_values;

use crate::{
    Decision, EntryChange, Event, EventBody, Leaderboard, Period, PeriodId, PlayerErasure, PlayerId,
    RecordedEvent, Status, Timestamp,
};

/// A leaderboard after the events of its log up to a position.
#[derive(Debug, Default)]
pub struct Projection {
    position: u64,
    /// When the last of the events was recorded.
    latest_at: Option<Timestamp>,
    leaderboard: Option<Leaderboard>,
    periods: BTreeMap<PeriodId, ProjectedPeriod>,
    /// The banned players that this leaderboard's log names.
    banned: HashSet<PlayerId>,
}

/// How long a projection has a period after it expired, in milliseconds. The clocks of instances differ, so one of them may still have
/// written to the period.
const EXPIRED_KEPT_MS: i64 = 24 * 60 * 60 * 1000;

/// Returns whether a period had expired for [`EXPIRED_KEPT_MS`] at `now`.
fn has_expired_long_ago(leaderboard: &Leaderboard, period: &Period, now: Timestamp) -> bool {
    let long_ago = now.saturating_add_ms(EXPIRED_KEPT_MS.saturating_neg());
    leaderboard
        .schedule
        .has_expired(period, leaderboard.keep_periods, long_ago)
}

/// An event does not follow from the events before it: one of them is missing.
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
        self.pass(recorded);
        match &recorded.event.body {
            EventBody::Configured {
                leaderboard, current, ..
            } => self.configure(leaderboard, current),
            EventBody::Submitted { .. } => self.apply_submission(&recorded.event).ok_or(unfounded)?,
            EventBody::Removed { player, period } => {
                // The stored entry can have been one that no event made: damage. Then there is nothing to remove.
                if let Some(state) = self.periods.get_mut(period) {
                    state.change(player).take();
                    state.version = position;
                }
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

    /// Sets the configuration, and puts the current period into its order. Periods that expired long ago do not come back if the
    /// leaderboard keeps more periods from now on.
    fn configure(&mut self, leaderboard: &Leaderboard, current: &PeriodId) {
        if let (Some(earlier), Some(now)) = (&self.leaderboard, self.latest_at) {
            self.periods
                .retain(|_, state| !has_expired_long_ago(earlier, &state.period, now));
        }
        let layout = leaderboard.layout();
        if let Some(state) = self.periods.get_mut(current)
            && state.layout != layout
        {
            if !state.is_empty() {
                state.version = self.position;
            }
            state.convert(layout);
        }
        self.leaderboard = Some(leaderboard.clone());
    }

    /// Applies an accepted submission. Changes no entry if the leaderboard would have refused it: the stored entry was then another
    /// one, and a comparison shows the difference. Returns `None` if there is no configuration.
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
        if !self.periods.contains_key(period) {
            let bounds = leaderboard.schedule.period_at(*occurred_at);
            let created = ProjectedPeriod::new(bounds, leaderboard.layout());
            self.periods.insert(period.clone(), created);
        }
        let state = self.periods.get_mut(period)?;
        let entry = state.change(player);
        let existing = entry.as_ref();
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
        let Ok(decision) = Decision::from_change(existing, 0, player, change, leaderboard) else {
            return Some(());
        };
        *entry = Some(decision.entry);
        // If only the metadata changed, and they are erased, nothing else says that the entry changed.
        if decision.status != Status::Kept || (!*kept && PlayerErasure::may_be_pseudonym(player)) {
            state.version = self.position;
        }
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
            if state.contains(player) {
                state.version = self.position;
            }
        }
    }
}
