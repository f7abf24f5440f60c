//! The key-value tier: entries, tombstones and leases in the region's key-value store. If the key-value store fails, the store of
//! record is asked more often; no response is wrong.
//!
//! Each key begins with the kind of its value. An id contains no colon, so two different names never make the same key.

use leaderboard_core::ports::Cache;
use leaderboard_core::{LeaderboardId, TenantId};

use super::cache_entry::CacheEntry;
use super::cache_key::{CacheKey, SLOTS};
use super::invalidation;
use crate::ResponseEnvironment;

/// The longest body, in bytes, that is stored for a key that few clients ask for. There are many slots for such keys.
const MAX_RARE_BYTES: usize = 64 << 10;

/// The kinds of tombstones of a leaderboard or a tenant. The value of each is an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tombstone {
    /// The leaderboard is changing until this instant: entries fetched earlier are soon stale.
    Invalidation,
    /// Entries fetched before this instant must not be shown, not even while the store is out of reach.
    Purge,
}

/// Finds the entry of a cache key. Another key's entry may be in a slot of this key; it does not count.
pub(crate) async fn find_entry<E: ResponseEnvironment>(
    env: &E,
    key: &CacheKey,
    key_text: &str,
) -> Option<CacheEntry> {
    for slot in key.slots(key_text) {
        let found = read_slot(env, key, slot).await;
        if let Some(entry) = found.filter(|entry| *entry.metadata.key_text == *key_text) {
            return Some(entry);
        }
    }
    None
}

/// Stores an entry, unless a later one of the same key is there. If other keys' entries are in both slots, replaces the older one.
pub(crate) async fn store_entry<E: ResponseEnvironment>(env: &E, key: &CacheKey, entry: &CacheEntry) {
    if !key.is_common() && entry.body.len() > MAX_RARE_BYTES {
        return;
    }
    let Some(slot) = choose_slot(env, key, entry).await else {
        return;
    };
    let slot_key = format_slot_key(key, "view", slot);
    let _ = env.region().put(&slot_key, &entry.to_bytes()).await;
    // A purge writes its tombstone before it deletes entries, and we read the tombstone after our put. So either the purge deletes
    // this entry, or we see the tombstone and delete it.
    let (tenant, leaderboard) = (&key.tenant, &key.leaderboard);
    if invalidation::is_purged_now(env, tenant, leaderboard, entry.metadata.fetched_at).await {
        let _ = env.region().delete(&slot_key).await;
    }
}

/// Returns the slot of the same key's entry, otherwise the slot that is empty or has the older entry. Returns `None` if the same
/// key's entry is later than `entry`.
async fn choose_slot<E: ResponseEnvironment>(env: &E, key: &CacheKey, entry: &CacheEntry) -> Option<u64> {
    let mut chosen = None;
    for slot in key.slots(&entry.metadata.key_text) {
        let found = read_slot(env, key, slot).await;
        let fetched_at = found.as_ref().map(|found| found.metadata.fetched_at);
        if found.is_some_and(|found| found.metadata.key_text == entry.metadata.key_text) {
            return (fetched_at <= Some(entry.metadata.fetched_at)).then_some(slot);
        }
        if chosen.is_none_or(|(_, oldest)| fetched_at < oldest) {
            chosen = Some((slot, fetched_at));
        }
    }
    chosen.map(|(slot, _)| slot)
}

/// Stores an entry again because its body has been encoded, if the entry is still the tier's.
pub(crate) async fn store_encoded_body<E: ResponseEnvironment>(env: &E, key: &CacheKey, entry: &CacheEntry) {
    let found = find_entry(env, key, &entry.metadata.key_text).await;
    if found.is_some_and(|found| found.metadata.fetched_at == entry.metadata.fetched_at) {
        store_entry(env, key, entry).await;
    }
}

/// Deletes the entry of a cache key.
pub(crate) async fn delete_entry<E: ResponseEnvironment>(env: &E, key: &CacheKey, key_text: &str) {
    for slot in key.slots(key_text) {
        let found = read_slot(env, key, slot).await;
        if found.is_some_and(|entry| *entry.metadata.key_text == *key_text) {
            let _ = env.region().delete(&format_slot_key(key, "view", slot)).await;
        }
    }
}

/// Reads a tombstone, in milliseconds since the epoch; `i64::MIN` if there is no tombstone. Returns `None` if the key-value store
/// does not answer.
pub(crate) async fn read_tombstone<E: ResponseEnvironment>(
    env: &E,
    tombstone: Tombstone,
    tenant: &TenantId,
    leaderboard: Option<&LeaderboardId>,
) -> Option<i64> {
    let key = format_tombstone_key(tombstone, tenant, leaderboard);
    match env.region().get(&key).await.ok()? {
        Some(bytes) => Some(i64::from_be_bytes(bytes.try_into().ok()?)),
        None => Some(i64::MIN),
    }
}

/// Puts a tombstone. Returns whether the key-value store accepted it.
pub(crate) async fn write_tombstone<E: ResponseEnvironment>(
    env: &E,
    tombstone: Tombstone,
    tenant: &TenantId,
    leaderboard: Option<&LeaderboardId>,
    instant: i64,
) -> bool {
    let key = format_tombstone_key(tombstone, tenant, leaderboard);
    env.region().put(&key, &instant.to_be_bytes()).await.is_ok()
}

/// Deletes all entries, tombstones and leases of a leaderboard.
pub(crate) async fn delete_leaderboard<E: ResponseEnvironment>(
    env: &E,
    tenant: &TenantId,
    leaderboard: &LeaderboardId,
) {
    for tombstone in [Tombstone::Invalidation, Tombstone::Purge] {
        let key = format_tombstone_key(tombstone, tenant, Some(leaderboard));
        let _ = env.region().delete(&key).await;
    }
    for slot in 0..SLOTS {
        for kind in ["view", "lease"] {
            let key = format_key(kind, tenant, leaderboard, slot);
            let _ = env.region().delete(&key).await;
        }
    }
}

async fn read_slot<E: ResponseEnvironment>(env: &E, key: &CacheKey, slot: u64) -> Option<CacheEntry> {
    let bytes = env
        .region()
        .get(&format_slot_key(key, "view", slot))
        .await
        .ok()??;
    CacheEntry::from_bytes(&bytes)
}

/// Returns the key of the lease to fetch an entry.
pub(crate) fn lease_key(key: &CacheKey, key_text: &str) -> String {
    let [slot, _] = key.slot_pair(key_text);
    format_slot_key(key, "lease", slot)
}

fn format_slot_key(key: &CacheKey, kind: &str, slot: u64) -> String {
    format_key(kind, &key.tenant, &key.leaderboard, slot)
}

fn format_key(kind: &str, tenant: &TenantId, leaderboard: &LeaderboardId, slot: u64) -> String {
    format!("{kind}:{tenant}:{leaderboard}:{slot}")
}

fn format_tombstone_key(
    tombstone: Tombstone,
    tenant: &TenantId,
    leaderboard: Option<&LeaderboardId>,
) -> String {
    let kind = match tombstone {
        Tombstone::Invalidation => "changed",
        Tombstone::Purge => "void",
    };
    match leaderboard {
        Some(leaderboard) => format!("{kind}:{tenant}:{leaderboard}"),
        None => format!("{kind}:{tenant}"),
    }
}
