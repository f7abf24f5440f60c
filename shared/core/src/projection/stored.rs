//! A projection that begins with stored entries instead of a log.

use super::Projection;
use super::period::{ChangedEntry, ProjectedPeriod};
use crate::ports::ListedEntry;
use crate::{Layout, Leaderboard, Period, PeriodId, RecordedEvent, Timestamp};

impl Projection {
    /// Returns a projection without entries, after the event at `position`, which was recorded at `latest_at`.
    pub(crate) fn of_leaderboard(leaderboard: Leaderboard, position: u64, latest_at: Timestamp) -> Self {
        Self {
            position,
            latest_at: Some(latest_at),
            leaderboard: Some(leaderboard),
            ..Self::default()
        }
    }

    /// Adds a period with its entries.
    pub(crate) fn add_period<'e>(
        &mut self,
        period: &Period,
        layout: &Layout,
        entries: impl Iterator<Item = &'e ListedEntry>,
    ) {
        let mut state = ProjectedPeriod::new(period.clone(), layout.clone());
        for listed in entries {
            let player = &listed.entry.player;
            if listed.is_banned {
                self.banned.insert(player.clone());
            }
            let changed = ChangedEntry {
                replaces: None,
                entry: Some(listed.entry.clone()),
            };
            state.changed.insert(player.clone(), changed);
        }
        self.periods.insert(period.id.clone(), state);
    }

    /// Goes past the next event without applying it.
    pub(crate) fn pass(&mut self, recorded: &RecordedEvent) {
        self.position = recorded.position;
        self.latest_at = self.latest_at.max(Some(recorded.event.recorded_at));
    }

    /// Sets the version of a period, unless it is larger.
    pub(crate) fn raise_version(&mut self, id: &PeriodId, version: u64) {
        if let Some(state) = self.periods.get_mut(id) {
            state.version = state.version.max(version);
        }
    }
}
