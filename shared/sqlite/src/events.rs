//! The port [`Events`]: reads the log of a leaderboard.

use leaderboard_core::codec::decode_event;
use leaderboard_core::ports::Events;
use leaderboard_core::{LeaderboardId, RecordedEvent, StoreError, TenantId};

use crate::SqliteStore;
use crate::connection::Connection;
use crate::row::malformed;

impl<C: Connection> Events for SqliteStore<C> {
    async fn read(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<RecordedEvent>, StoreError> {
        const READ: &str = "SELECT position, event FROM events WHERE leaderboard = \
             (SELECT row FROM leaderboards WHERE tenant = ?1 AND id = ?2) AND position > ?3 \
             ORDER BY position LIMIT ?4 + 0";
        let parameters = [tenant.into(), leaderboard.into(), after.into(), limit.into()];
        self.single(|session| {
            session.map_rows(READ, &parameters, |cells| {
                Ok(RecordedEvent {
                    position: cells.unsigned("position")?,
                    event: decode_event(&cells.blob("event")?).map_err(malformed)?,
                })
            })
        })
    }
}
