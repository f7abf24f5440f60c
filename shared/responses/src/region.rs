//! Entries, notes and leases in the region's key-value store. A store that fails costs a key to the store of record, never
//! an answer.
//!
//! Every key begins with what it is for: an id holds no colon, so that no name can be mistaken for another's.

use leaderboard_core::ports::Cache;
use leaderboard_core::{LeaderboardId, TenantId};

use super::cache_entry::CacheEntry;
use super::cache_key::{CacheKey, SLOTS};
use super::changes;
use crate::ResponseEnvironment;

/// The most bytes of an answer that few ask for, for the region to keep it. It has many such places.
const MAX_RARE_BYTES: usize = 64 << 10;

/// What is noted of a leaderboard, or of a whole tenant: an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    /// Until when it goes on changing.
    Changing,
    /// What was made before that may not be shown any more, not even without the store.
    Purged,
}

/// The region's copy of an answer.
pub(crate) async fn find<E: ResponseEnvironment>(env: &E, key: &CacheKey, name: &str) -> Option<CacheEntry> {
    for slot in key.slots(name) {
        if let Some(entry) = at(env, key, slot)
            .await
            .filter(|entry| *entry.metadata.name == *name)
        {
            return Some(entry);
        }
    }
    None
}

/// Keeps an answer for the region, unless there is a later one to the same key. Where both its places are taken by others,
/// the older one makes way.
pub(crate) async fn keep<E: ResponseEnvironment>(env: &E, key: &CacheKey, entry: &CacheEntry) {
    if !key.is_common() && entry.body.len() > MAX_RARE_BYTES {
        return;
    }
    let mut place = None;
    for slot in key.slots(&entry.metadata.name) {
        let there = at(env, key, slot).await;
        let (same, made_at) = there.map_or((false, None), |there| {
            (
                there.metadata.name == entry.metadata.name,
                Some(there.metadata.made_at),
            )
        });
        if same {
            if made_at > Some(entry.metadata.made_at) {
                return;
            }
            place = Some((slot, None));
            break;
        }
        if place.is_none_or(|(_, oldest)| made_at < oldest) {
            place = Some((slot, made_at));
        }
    }
    let Some((slot, _)) = place else { return };
    let slot_key = slot_key(key, "view", slot);
    let _ = env.region().put(&slot_key, &entry.to_bytes()).await;
    // Whoever forbade it has noted that before deleting what was there: either saw the other.
    let (tenant, leaderboard) = (&key.tenant, &key.leaderboard);
    if changes::is_void_now(env, tenant, leaderboard, entry.metadata.made_at).await {
        let _ = env.region().delete(&slot_key).await;
    }
}

/// Keeps an answer again, with codings of its body that it did not have, if it is still the region's.
pub(crate) async fn complete<E: ResponseEnvironment>(env: &E, key: &CacheKey, entry: &CacheEntry) {
    let there = find(env, key, &entry.metadata.name).await;
    if there.is_some_and(|there| there.metadata.made_at == entry.metadata.made_at) {
        keep(env, key, entry).await;
    }
}

/// Deletes the region's copy of an answer that is none any more.
pub(crate) async fn forget<E: ResponseEnvironment>(env: &E, key: &CacheKey, name: &str) {
    for slot in key.slots(name) {
        let there = at(env, key, slot).await;
        if there.is_some_and(|entry| *entry.metadata.name == *name) {
            let _ = env.region().delete(&slot_key(key, "view", slot)).await;
        }
    }
}

/// The instant that is noted, in milliseconds since the epoch, or `i64::MIN`; `None` when the region cannot tell.
pub(crate) async fn noted<E: ResponseEnvironment>(
    env: &E,
    note: Mark,
    tenant: &TenantId,
    leaderboard: Option<&LeaderboardId>,
) -> Option<i64> {
    let Some(bytes) = env
        .region()
        .get(&note_key(note, tenant, leaderboard))
        .await
        .ok()?
    else {
        return Some(i64::MIN);
    };
    Some(i64::from_be_bytes(bytes.try_into().ok()?))
}

/// Notes an instant. Whether the region took it.
pub(crate) async fn note<E: ResponseEnvironment>(
    env: &E,
    note: Mark,
    tenant: &TenantId,
    leaderboard: Option<&LeaderboardId>,
    instant: i64,
) -> bool {
    let key = note_key(note, tenant, leaderboard);
    env.region().put(&key, &instant.to_be_bytes()).await.is_ok()
}

/// Deletes all there is of a leaderboard.
pub(crate) async fn clear<E: ResponseEnvironment>(env: &E, tenant: &TenantId, leaderboard: &LeaderboardId) {
    for note in [Mark::Changing, Mark::Purged] {
        let key = note_key(note, tenant, Some(leaderboard));
        let _ = env.region().delete(&key).await;
    }
    for slot in 0..SLOTS {
        for kind in ["view", "lease"] {
            let _ = env
                .region()
                .delete(&format_key(kind, tenant, leaderboard, slot))
                .await;
        }
    }
}

async fn at<E: ResponseEnvironment>(env: &E, key: &CacheKey, slot: u64) -> Option<CacheEntry> {
    let bytes = env.region().get(&slot_key(key, "view", slot)).await.ok()??;
    CacheEntry::from_bytes(&bytes)
}

/// The key of the lease to make an answer.
pub(crate) fn lease_key(key: &CacheKey, name: &str) -> String {
    let [slot, _] = key.places(name);
    slot_key(key, "lease", slot)
}

fn slot_key(key: &CacheKey, kind: &str, slot: u64) -> String {
    format_key(kind, &key.tenant, &key.leaderboard, slot)
}

fn format_key(kind: &str, tenant: &TenantId, leaderboard: &LeaderboardId, slot: u64) -> String {
    format!("{kind}:{tenant}:{leaderboard}:{slot}")
}

fn note_key(note: Mark, tenant: &TenantId, leaderboard: Option<&LeaderboardId>) -> String {
    let kind = match note {
        Mark::Changing => "changed",
        Mark::Purged => "void",
    };
    match leaderboard {
        Some(leaderboard) => format!("{kind}:{tenant}:{leaderboard}"),
        None => format!("{kind}:{tenant}"),
    }
}
