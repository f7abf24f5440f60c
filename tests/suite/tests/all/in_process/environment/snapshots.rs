//! The port of snapshots in the store of tests.

use leaderboard_core::ports::{NewSnapshot, SnapshotSummary, Snapshots};
use leaderboard_core::{LeaderboardId, StoreError, TenantId, Timestamp};

use super::store::Store;

impl Snapshots for Store {
    async fn list_snapshots(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
    ) -> Result<Vec<SnapshotSummary>, StoreError> {
        self.model_if_up()?.list_snapshots(tenant, leaderboard).await
    }

    async fn read_snapshot(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
        position: u64,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        self.model_if_up()?
            .read_snapshot(tenant, leaderboard, position)
            .await
    }

    async fn put_snapshot(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
        snapshot: &NewSnapshot<'_>,
    ) -> Result<bool, StoreError> {
        self.model_if_room()?
            .put_snapshot(tenant, leaderboard, snapshot)
            .await
    }

    async fn delete_snapshots(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.model_if_up()?
            .delete_snapshots(tenant, leaderboard, at)
            .await
    }
}
