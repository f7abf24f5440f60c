//! The key-value tier: entries, tombstones and leases in the region's key-value store. If the key-value store fails, the
//! leaderboard store is asked more often, but all responses are correct.
//!
//! Each key begins with the kind of its value. An id contains no colon, so two different names have different keys.

use leaderboard_core::ports::Cache;
use leaderboard_core::{LeaderboardId, TenantId};

use super::cache_entry::CacheEntry;
use super::cache_key::{CacheKey, SLOTS};
use super::{invalidation, tombstones};
use crate::ResponseEnvironment;

/// The longest body, in bytes, that is stored for a key that few clients ask for. There are many slots for such keys.
const MAX_RARE_BYTES: usize = 64 << 10;

/// Finds the entry of a cache key. Returns `None` if the slot has no entry, or has the entry of another key.
pub(crate) async fn find_entry<E: ResponseEnvironment>(
    env: &E,
    key: &CacheKey,
    key_text: &str,
) -> Option<CacheEntry> {
    let bytes = env.key_value_store().get(&slot_key(key, key_text)).await.ok()??;
    let entry = CacheEntry::from_bytes(&bytes)?;
    (*entry.metadata.key_text == *key_text).then_some(entry)
}

/// Stores an entry, unless the slot has a later entry of the same key. Replaces the entry of another key.
pub(crate) async fn store_entry<E: ResponseEnvironment>(env: &E, key: &CacheKey, entry: &CacheEntry) {
    if !key.is_common() && entry.body.len() > MAX_RARE_BYTES {
        return;
    }
    let key_text = &entry.metadata.key_text;
    let found = find_entry(env, key, key_text).await;
    if found.is_some_and(|found| found.metadata.fetched_at > entry.metadata.fetched_at) {
        return;
    }
    let slot_key = slot_key(key, key_text);
    let _ = env.key_value_store().put(&slot_key, &entry.to_bytes()).await;
    // A purge writes its tombstone before it deletes entries, and we read the tombstone after our put. So either the purge deletes
    // this entry, or we see the tombstone and delete it.
    let (tenant, leaderboard) = (&key.tenant, &key.leaderboard);
    if invalidation::is_purged_now(env, tenant, leaderboard, entry.metadata.fetched_at).await {
        let _ = env.key_value_store().delete(&slot_key).await;
    }
}

/// Stores an entry with its newly encoded body, unless the tier now has another entry.
pub(crate) async fn store_encoded_body<E: ResponseEnvironment>(env: &E, key: &CacheKey, entry: &CacheEntry) {
    let found = find_entry(env, key, &entry.metadata.key_text).await;
    if found.is_some_and(|found| found.metadata.fetched_at == entry.metadata.fetched_at) {
        store_entry(env, key, entry).await;
    }
}

/// Deletes the entry of a cache key.
pub(crate) async fn delete_entry<E: ResponseEnvironment>(env: &E, key: &CacheKey, key_text: &str) {
    if find_entry(env, key, key_text).await.is_some() {
        let _ = env.key_value_store().delete(&slot_key(key, key_text)).await;
    }
}

/// Deletes all entries, tombstones and leases of a leaderboard.
pub(crate) async fn delete_leaderboard<E: ResponseEnvironment>(
    env: &E,
    tenant: &TenantId,
    leaderboard: &LeaderboardId,
) {
    tombstones::delete_tombstones(env, tenant, leaderboard).await;
    for slot in 0..SLOTS {
        for kind in ["response", "lease"] {
            let key = format_key(kind, tenant, leaderboard, slot);
            let _ = env.key_value_store().delete(&key).await;
        }
    }
}

/// Returns the key of the lease that permits fetching an entry.
pub(crate) fn lease_key(key: &CacheKey, key_text: &str) -> String {
    format_key("lease", &key.tenant, &key.leaderboard, key.slot(key_text))
}

fn slot_key(key: &CacheKey, key_text: &str) -> String {
    format_key("response", &key.tenant, &key.leaderboard, key.slot(key_text))
}

fn format_key(kind: &str, tenant: &TenantId, leaderboard: &LeaderboardId, slot: u64) -> String {
    format!("{kind}:{tenant}:{leaderboard}:{slot}")
}
