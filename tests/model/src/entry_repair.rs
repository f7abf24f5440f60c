//! The port of stored entries. The model's entries are those of its log, so there is nothing to correct.

use leaderboard_core::ports::{
    Correction, EntryRepair, ListedEntry, PeriodRef, ReadError, ScannedPlayers, StoredEntries, StoredEntry,
};
use leaderboard_core::{Layout, PlayerId};

use crate::Model;

impl EntryRepair for Model {
    async fn read_stored_entries(
        &self,
        period_ref: &PeriodRef<'_>,
        players: &[PlayerId],
    ) -> Result<StoredEntries, ReadError> {
        self.read(period_ref, |projection, state| {
            let stored = |player: &PlayerId| match state.and_then(|state| state.entries.get(player)) {
                None => StoredEntry::Absent,
                Some(entry) => StoredEntry::Present(ListedEntry {
                    entry: entry.clone(),
                    is_banned: projection.banned.contains(player),
                }),
            };
            StoredEntries {
                position: projection.position,
                version: state.map_or(0, |state| state.version),
                layout: state.map(|state| state.layout.clone()),
                entries: players
                    .iter()
                    .map(|player| (stored(player), Vec::new()))
                    .collect(),
            }
        })
    }

    async fn scan_stored_players(
        &self,
        period_ref: &PeriodRef<'_>,
        _from: &[u8],
        _removes_strays: bool,
    ) -> Result<ScannedPlayers, ReadError> {
        self.read(period_ref, |_, state| ScannedPlayers {
            players: state
                .into_iter()
                .flat_map(|state| state.entries.keys().cloned())
                .collect(),
            ..ScannedPlayers::default()
        })
    }

    async fn correct_entries(
        &self,
        _period_ref: &PeriodRef<'_>,
        _layout: &Layout,
        _corrections: &[Correction<'_>],
    ) -> Result<u64, ReadError> {
        Ok(0)
    }
}
