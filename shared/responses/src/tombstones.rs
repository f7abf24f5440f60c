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

/// The value of a tombstone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TombstoneValue {
    /// The instant of the tombstone, in milliseconds since the epoch.
    pub instant: i64,
    /// The position in the leaderboard's log that a replica needs while the leaderboard is changing; 0 if no position is known.
    pub position: u64,
    /// Until when the leaderboard is changing without a known position, in milliseconds since the epoch: a replica needs everything
    /// that the primary had at this instant.
    pub unpositioned_until: i64,
}

impl TombstoneValue {
    /// The value of a leaderboard without a tombstone.
    pub(crate) const NONE: Self = Self::new(i64::MIN, 0);

    /// Returns the value with this instant, and with this position if it is not 0.
    pub(crate) const fn new(instant: i64, position: u64) -> Self {
        Self {
            instant,
            position,
            unpositioned_until: if position == 0 { instant } else { i64::MIN },
        }
    }

    /// Returns the value of an invalidation until `until` that is written at `now` after `self`. `position` is that of the change in
    /// the leaderboard's log; 0 if it is not known. The position of an invalidation that has ended is dropped: from then on, a replica
    /// needs everything until that end.
    pub(crate) fn invalidate(self, now: i64, until: i64, position: u64) -> Self {
        let known = if self.instant > now { self.position } else { 0 };
        Self::new(self.instant.max(until), known.max(position))
    }

    /// Returns the value for a leaderboard whose tenant has a tombstone with this instant.
    pub(crate) fn with_tenant(self, instant: i64) -> Self {
        Self {
            instant: self.instant.max(instant),
            unpositioned_until: self.unpositioned_until.max(instant),
            ..self
        }
    }

    /// Encodes the value: the instant, and the position if there is one. Earlier versions know the instant alone.
    fn to_bytes(self) -> Vec<u8> {
        let mut bytes = self.instant.to_be_bytes().to_vec();
        if self.position != 0 {
            bytes.extend(self.position.to_be_bytes());
        }
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (instant, rest) = bytes.split_first_chunk()?;
        let position = match rest {
            [] => 0,
            rest => u64::from_be_bytes(rest.try_into().ok()?),
        };
        Some(Self::new(i64::from_be_bytes(*instant), position))
    }
}

/// Reads a leaderboard's tombstone. Returns `None` if the key-value store does not answer, or with a value of an unknown form.
pub(crate) async fn read_tombstone<E: ResponseEnvironment>(
    env: &E,
    tombstone: Tombstone,
    tenant: &TenantId,
    leaderboard: &LeaderboardId,
) -> Option<TombstoneValue> {
    let key = format_tombstone_key(tombstone, tenant, leaderboard);
    match env.key_value_store().get(&key).await.ok()? {
        Some(bytes) => TombstoneValue::from_bytes(&bytes),
        None => Some(TombstoneValue::NONE),
    }
}

/// Puts a leaderboard's tombstone. Returns whether the key-value store accepted it.
pub(crate) async fn write_tombstone<E: ResponseEnvironment>(
    env: &E,
    tombstone: Tombstone,
    tenant: &TenantId,
    leaderboard: &LeaderboardId,
    value: TombstoneValue,
) -> bool {
    let key = format_tombstone_key(tombstone, tenant, leaderboard);
    env.key_value_store().put(&key, &value.to_bytes()).await.is_ok()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_survives_its_bytes_and_damaged_bytes_are_none() {
        let positioned = TombstoneValue::new(2_000, 7);
        for value in [TombstoneValue::NONE, TombstoneValue::new(5, 0), positioned] {
            assert_eq!(TombstoneValue::from_bytes(&value.to_bytes()), Some(value));
        }
        assert_eq!(TombstoneValue::new(5, 0).to_bytes(), 5_i64.to_be_bytes());
        for cut in [0, 7, 9, 15] {
            assert_eq!(TombstoneValue::from_bytes(&positioned.to_bytes()[..cut]), None);
        }
    }

    #[test]
    fn an_invalidation_keeps_the_position_of_an_earlier_one_until_that_ends() {
        let first = TombstoneValue::NONE.invalidate(1_000, 2_000, 7);
        assert_eq!(first, TombstoneValue::new(2_000, 7));
        // A late put of an earlier position, and a change of unknown position.
        for position in [6, 0] {
            assert_eq!(
                first.invalidate(1_500, 2_500, position),
                TombstoneValue::new(2_500, 7)
            );
        }
        // A position can be lower after the leaderboard was deleted and created again.
        assert_eq!(first.invalidate(2_000, 3_000, 2), TombstoneValue::new(3_000, 2));
        assert_eq!(first.invalidate(2_000, 3_000, 0).unpositioned_until, 3_000);
    }
}
