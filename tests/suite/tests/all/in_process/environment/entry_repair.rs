//! The port of stored entries in the store of tests.

use leaderboard_core::ports::{Correction, EntryRepair, PeriodRef, ReadError, ScannedPlayers, StoredEntries};
use leaderboard_core::{Layout, PlayerId};

use super::store::Store;

impl EntryRepair for Store {
    async fn read_stored_entries(
        &self,
        period_ref: &PeriodRef<'_>,
        players: &[PlayerId],
    ) -> Result<StoredEntries, ReadError> {
        self.model_if_up()?.read_stored_entries(period_ref, players).await
    }

    async fn scan_stored_players(
        &self,
        period_ref: &PeriodRef<'_>,
        from: &[u8],
        removes_strays: bool,
    ) -> Result<ScannedPlayers, ReadError> {
        self.model_if_up()?
            .scan_stored_players(period_ref, from, removes_strays)
            .await
    }

    async fn correct_entries(
        &self,
        period_ref: &PeriodRef<'_>,
        layout: &Layout,
        corrections: &[Correction<'_>],
    ) -> Result<u64, ReadError> {
        self.model_if_room()?
            .correct_entries(period_ref, layout, corrections)
            .await
    }
}
