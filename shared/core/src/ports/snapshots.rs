//! Snapshots of leaderboards, from which a replay of the log begins.

use crate::{LeaderboardId, StoreError, TenantId, Timestamp};

/// The weight of a snapshot in addition to its own bytes: about the size of its name and the store's overhead, in bytes.
pub const SNAPSHOT_OVERHEAD_BYTES: u64 = 128;
/// The largest snapshot that is stored, in bytes. An entry without metadata takes its player's id and about 25 bytes. An instance that replays from a
/// snapshot has all of it in memory, and a store does little else while it writes one.
pub const MAX_SNAPSHOT_BYTES: usize = 32 * 1024 * 1024;

/// A stored snapshot, without its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SnapshotSummary {
    /// The position of the last event in the snapshot.
    pub position: u64,
    /// When the last of the events until `position` was recorded ([`crate::Projection::latest_at`]).
    pub latest_at: Timestamp,
}

/// A snapshot to store, and the snapshots that it replaces.
#[derive(Debug, Clone)]
pub struct NewSnapshot<'a> {
    /// The position of the last event in the snapshot, and when it was recorded.
    pub summary: SnapshotSummary,
    /// The bytes ([`crate::Projection::encode_snapshot`]).
    pub bytes: &'a [u8],
    /// The version of the leaderboard's configuration. With another version, nothing is stored: the leaderboard may have been deleted
    /// and created again since the snapshot was taken.
    pub configuration_version: u64,
    /// The positions of snapshots to delete.
    pub replaced: &'a [u64],
    /// The instant of the call, by which idempotency records are valid.
    pub at: Timestamp,
    /// The most bytes that the tenant's logs, snapshots and idempotency records may weigh. If the snapshot does not fit, it is not
    /// stored.
    pub max_log_bytes: Option<u64>,
}

/// Snapshots of leaderboards. They weigh as much as events in the tenant's quota of log bytes, and are deleted with the leaderboard.
pub trait Snapshots {
    /// Returns the snapshots of a leaderboard, in the order of their positions.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn list_snapshots(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
    ) -> Result<Vec<SnapshotSummary>, StoreError>;

    /// Returns the bytes of the snapshot at a position, if there is one.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn read_snapshot(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
        position: u64,
    ) -> Result<Option<Vec<u8>>, StoreError>;

    /// Deletes the replaced snapshots and stores the new one, in one step. Does not store it if there is one at its position, the
    /// configuration has another version, or the quota has no room. Returns whether there is a snapshot at the position now.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn put_snapshot(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
        snapshot: &NewSnapshot<'_>,
    ) -> Result<bool, StoreError>;

    /// Deletes all snapshots of a leaderboard, for example because they name a player who was erased. Gives the configuration a new
    /// version, so that a snapshot of what was read before is not stored afterwards. Does nothing if there is no such leaderboard.
    /// `at` is the instant of the call.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn delete_snapshots(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
        at: Timestamp,
    ) -> Result<(), StoreError>;
}
