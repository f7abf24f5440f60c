//! The port [`Events`]: reads the log of a leaderboard.

use leaderboard_core::ports::{EncodedEvent, Events, LogBounds};
use leaderboard_core::{LeaderboardId, StoreError, TenantId};

use crate::SqliteStore;
use crate::connection::Connection;
use crate::row::Cells;

impl<C: Connection> Events for SqliteStore<C> {
    async fn read_encoded(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<EncodedEvent>, StoreError> {
        const READ: &str = "SELECT position, event FROM events WHERE leaderboard = \
             (SELECT row FROM leaderboards WHERE tenant = ?1 AND id = ?2) AND position > ?3 \
             ORDER BY position LIMIT ?4 + 0";
        let parameters = [tenant.into(), leaderboard.into(), after.into(), limit.into()];
        self.single(|session| session.map_rows(READ, &parameters, read_event))
    }

    async fn find_log_bounds(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
    ) -> Result<Option<LogBounds>, StoreError> {
        const FIRST: &str = "SELECT position, event FROM events WHERE leaderboard = \
             (SELECT row FROM leaderboards WHERE tenant = ?1 AND id = ?2) ORDER BY position LIMIT 1";
        const LAST: &str = "SELECT position, event FROM events WHERE leaderboard = \
             (SELECT row FROM leaderboards WHERE tenant = ?1 AND id = ?2) ORDER BY position DESC LIMIT 1";
        let parameters = [tenant.into(), leaderboard.into()];
        self.single(|session| {
            // The oldest event may be removed between the two statements. The newest one never is.
            let first = session.map_rows(FIRST, &parameters, read_event)?.pop();
            let last = session.map_rows(LAST, &parameters, read_event)?.pop();
            let Some((first, last)) = first.zip(last) else {
                return Ok(None);
            };
            Ok(Some(LogBounds {
                first: first.decode()?,
                last: last.decode()?,
            }))
        })
    }
}

fn read_event(cells: &mut Cells) -> Result<EncodedEvent, StoreError> {
    Ok(EncodedEvent {
        position: cells.unsigned("position")?,
        bytes: cells.blob("event")?,
    })
}
