//! The port [`Snapshots`].

use leaderboard_core::ports::{NewSnapshot, SNAPSHOT_OVERHEAD_BYTES, SnapshotSummary, Snapshots};
use leaderboard_core::{LeaderboardId, StoreError, TenantId, Timestamp};

use crate::SqliteStore;
use crate::connection::Connection;
use crate::leaderboards;
use crate::retention::read_weights;
use crate::session::Session;

// The triggers add this weight.
const _: () = assert!(SNAPSHOT_OVERHEAD_BYTES == 128);

impl<C: Connection> Snapshots for SqliteStore<C> {
    async fn list_snapshots(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
    ) -> Result<Vec<SnapshotSummary>, StoreError> {
        const LIST: &str = "SELECT position, latest_at FROM snapshots WHERE leaderboard = \
             (SELECT row FROM leaderboards WHERE tenant = ?1 AND id = ?2) ORDER BY position";
        let parameters = [tenant.into(), leaderboard.into()];
        self.single(|session| {
            session.map_rows(LIST, &parameters, |cells| {
                Ok(SnapshotSummary {
                    position: cells.unsigned("position of a snapshot")?,
                    latest_at: cells.instant("instant of a snapshot")?,
                })
            })
        })
    }

    async fn read_snapshot(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
        position: u64,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        const READ: &str = "SELECT bytes FROM snapshots WHERE position = ?3 AND leaderboard = \
             (SELECT row FROM leaderboards WHERE tenant = ?1 AND id = ?2)";
        let parameters = [tenant.into(), leaderboard.into(), position.into()];
        self.single(|session| session.map_row(READ, &parameters, |cells| cells.blob("snapshot")))
    }

    async fn put_snapshot(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
        snapshot: &NewSnapshot<'_>,
    ) -> Result<bool, StoreError> {
        self.write(|session| put(session, tenant, leaderboard, snapshot))
            .await
    }

    async fn delete_snapshots(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
        _at: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(|session| delete_all(session, tenant, leaderboard))
            .await
    }
}

/// Deletes all snapshots of a leaderboard, and gives its configuration a new version. Does nothing if there is no such leaderboard.
fn delete_all(
    session: &Session<'_>,
    tenant: &TenantId,
    leaderboard: &LeaderboardId,
) -> Result<(), StoreError> {
    const BOARD: &str = "SELECT row FROM leaderboards WHERE tenant = ?1 AND id = ?2";
    const DELETE: &str = "DELETE FROM snapshots WHERE leaderboard = ?1";
    const CHANGE: &str = "UPDATE leaderboards SET version = ?2 WHERE row = ?1";
    let Some(mut cells) = session.row(BOARD, &[tenant.into(), leaderboard.into()])? else {
        return Ok(());
    };
    let board = cells.integer("leaderboard row")?;
    session.run(DELETE, &[board.into()])?;
    let version = leaderboards::next_version(session, tenant)?;
    session.run(CHANGE, &[board.into(), version.into()])?;
    Ok(())
}

fn put(
    session: &Session<'_>,
    tenant: &TenantId,
    leaderboard: &LeaderboardId,
    snapshot: &NewSnapshot<'_>,
) -> Result<bool, StoreError> {
    const BOARD: &str = "SELECT row FROM leaderboards WHERE tenant = ?1 AND id = ?2 AND version = ?3";
    const DELETE: &str = "DELETE FROM snapshots WHERE leaderboard = ?1 AND position = ?2";
    const FIND: &str = "SELECT 1 FROM snapshots WHERE leaderboard = ?1 AND position = ?2";
    const STORE: &str =
        "INSERT INTO snapshots (leaderboard, position, latest_at, bytes) VALUES (?1, ?2, ?3, ?4)";
    let version = snapshot.configuration_version.into();
    let found = session.row(BOARD, &[tenant.into(), leaderboard.into(), version])?;
    let Some(mut cells) = found else {
        return Ok(false);
    };
    let board = cells.integer("leaderboard row")?;
    for position in snapshot.replaced {
        session.run(DELETE, &[board.into(), (*position).into()])?;
    }
    let position = snapshot.summary.position;
    if session.row(FIND, &[board.into(), position.into()])?.is_some() {
        return Ok(true);
    }
    if let Some(max_log_bytes) = snapshot.max_log_bytes {
        let weight = SNAPSHOT_OVERHEAD_BYTES.saturating_add(snapshot.bytes.len() as u64);
        let others = read_weights(session, tenant, snapshot.at)?.total();
        if others.saturating_add(weight) > max_log_bytes {
            return Ok(false);
        }
    }
    let parameters = [
        board.into(),
        position.into(),
        snapshot.summary.latest_at.into(),
        snapshot.bytes.into(),
    ];
    session.run(STORE, &parameters)?;
    Ok(true)
}
