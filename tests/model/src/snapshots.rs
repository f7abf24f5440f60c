//! The port of snapshots.

use leaderboard_core::ports::{NewSnapshot, SNAPSHOT_OVERHEAD_BYTES, SnapshotSummary, Snapshots};
use leaderboard_core::{LeaderboardId, StoreError, TenantId, Timestamp};

use crate::Model;
use crate::edge::version_after;

/// Returns the weight of a snapshot.
pub(crate) fn weight(bytes: &[u8]) -> u64 {
    SNAPSHOT_OVERHEAD_BYTES + bytes.len() as u64
}

impl Snapshots for Model {
    async fn list_snapshots(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
    ) -> Result<Vec<SnapshotSummary>, StoreError> {
        let tenants = self.tenants.borrow();
        let board = tenants
            .get(tenant)
            .and_then(|tenant| tenant.boards.get(leaderboard));
        let snapshots = board.into_iter().flat_map(|board| &board.snapshots);
        let summaries = snapshots.map(|(position, (latest_at, _))| SnapshotSummary {
            position: *position,
            latest_at: *latest_at,
        });
        Ok(summaries.collect())
    }

    async fn read_snapshot(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
        position: u64,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let tenants = self.tenants.borrow();
        let board = tenants
            .get(tenant)
            .and_then(|tenant| tenant.boards.get(leaderboard));
        let found = board.and_then(|board| board.snapshots.get(&position));
        Ok(found.map(|(_, bytes)| bytes.clone()))
    }

    async fn put_snapshot(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
        snapshot: &NewSnapshot<'_>,
    ) -> Result<bool, StoreError> {
        let mut tenants = self.tenants.borrow_mut();
        let Some(tenant) = tenants.get_mut(tenant) else {
            return Ok(false);
        };
        let Some(board) = tenant
            .boards
            .get_mut(leaderboard)
            .filter(|board| board.configuration.version == snapshot.configuration_version)
        else {
            return Ok(false);
        };
        for position in snapshot.replaced {
            board.snapshots.remove(position);
        }
        let SnapshotSummary { position, latest_at } = snapshot.summary;
        if board.snapshots.contains_key(&position) {
            return Ok(true);
        }
        let others = tenant.entry_quota(snapshot.at).log_bytes;
        let room = snapshot
            .max_log_bytes
            .is_none_or(|most| others + weight(snapshot.bytes) <= most);
        if room && let Some(board) = tenant.boards.get_mut(leaderboard) {
            board
                .snapshots
                .insert(position, (latest_at, snapshot.bytes.to_vec()));
        }
        Ok(room)
    }

    async fn delete_snapshots(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
        _at: Timestamp,
    ) -> Result<(), StoreError> {
        let mut tenants = self.tenants.borrow_mut();
        let Some(tenant) = tenants.get_mut(tenant) else {
            return Ok(());
        };
        if let Some(board) = tenant.boards.get_mut(leaderboard) {
            tenant.last_version = version_after(tenant.last_version, self.edge.borrow().clock_us);
            board.configuration.version = tenant.last_version;
            board.snapshots.clear();
        }
        Ok(())
    }
}
