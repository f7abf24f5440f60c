//! The tombstones of a leaderboard in the region's key-value store. The tombstones of a tenant are in the slot of its documents.

use leaderboard_cache::GroupChanges;
use leaderboard_core::ports::Cache;
use leaderboard_core::{LeaderboardId, TenantId};

use crate::ResponseEnvironment;

/// The kinds of tombstones. The value of each is an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tombstone {
    /// Until this instant the leaderboard is changing: entries that were fetched earlier soon become stale.
    Invalidation,
    /// Entries that were fetched before this instant must not be shown, even while the store is out of reach.
    Purge,
}

impl Tombstone {
    /// Returns the instant of this kind of tombstone of a tenant.
    pub(crate) const fn of_group(self, changes: GroupChanges) -> i64 {
        match self {
            Self::Invalidation => changes.changing_until,
            Self::Purge => changes.purged_at,
        }
    }
}

/// Reads a leaderboard's tombstone, in milliseconds since the epoch; `i64::MIN` if there is no tombstone. Returns `None` if the key-value store
/// does not answer.
pub(crate) async fn read_tombstone<E: ResponseEnvironment>(
    env: &E,
    tombstone: Tombstone,
    tenant: &TenantId,
    leaderboard: &LeaderboardId,
) -> Option<i64> {
    let key = format_tombstone_key(tombstone, tenant, leaderboard);
    match env.key_value_store().get(&key).await.ok()? {
        Some(bytes) => Some(i64::from_be_bytes(bytes.try_into().ok()?)),
        None => Some(i64::MIN),
    }
}

/// Puts a leaderboard's tombstone. Returns whether the key-value store accepted it.
pub(crate) async fn write_tombstone<E: ResponseEnvironment>(
    env: &E,
    tombstone: Tombstone,
    tenant: &TenantId,
    leaderboard: &LeaderboardId,
    instant: i64,
) -> bool {
    let key = format_tombstone_key(tombstone, tenant, leaderboard);
    env.key_value_store()
        .put(&key, &instant.to_be_bytes())
        .await
        .is_ok()
}

/// Deletes the tombstones of a leaderboard.
pub(crate) async fn delete_tombstones<E: ResponseEnvironment>(
    env: &E,
    tenant: &TenantId,
    leaderboard: &LeaderboardId,
) {
    for tombstone in [Tombstone::Invalidation, Tombstone::Purge] {
        let key = format_tombstone_key(tombstone, tenant, leaderboard);
        let _ = env.key_value_store().delete(&key).await;
    }
}

fn format_tombstone_key(tombstone: Tombstone, tenant: &TenantId, leaderboard: &LeaderboardId) -> String {
    let kind = match tombstone {
        Tombstone::Invalidation => "changed",
        Tombstone::Purge => "void",
    };
    format!("{kind}:{tenant}:{leaderboard}")
}
