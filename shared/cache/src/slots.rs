//! The slots of the region's key-value store in which documents are cached.
//!
//! A slot holds the documents of one group, and says when the groups that share the slot last changed. So one read gives an
//! instance the documents and whether they are current (docs/decisions/0038). The number of slots is fixed, so that invented
//! names cannot fill the key-value store; documents of one group replace those of another group.
//!
//! The key-value store has no atomic operation. If one instance puts a value between another instance's read and its put, the
//! first value is lost. So a change is put again after [`CONFIRM_AFTER_MS`] if it was lost ([`confirm_change`]). An instance that
//! takes longer than [`PUT_WITHIN_MS`] after its read does not put.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use leaderboard_core::ports::Cache;

use crate::cached_documents::{CachedDocuments, Generation};
use crate::freshness::CLOCK_MARGIN_MS;
use crate::slot::{GroupChanges, Slot};
use crate::{CacheEnvironment, hash_fnv};

/// How many slots each kind of groups has.
const SLOTS: u64 = 4_096;
/// How long an instance uses a slot's changes before it reads the slot again, in milliseconds.
pub const SLOT_TTL_MS: i64 = 20;
/// The longest time between the read of a slot and the put that depends on it, in milliseconds.
const PUT_WITHIN_MS: i64 = 20;
/// How long after a change the change is confirmed, in milliseconds. By then, every put that depends on an older read has
/// arrived.
pub const CONFIRM_AFTER_MS: i64 = 2 * PUT_WITHIN_MS + CLOCK_STEP_MS;
/// The largest rounding error of a time between two readings of a clock that counts whole milliseconds.
pub(crate) const CLOCK_STEP_MS: i64 = 2;
/// How often a change that was lost is put again.
const MAX_CONFIRMATIONS: u32 = 3;
/// How many slots an instance keeps in memory.
const MAX_SLOTS_IN_MEMORY: usize = 1_000;

/// For each slot that this instance has read, its changes and when it was read, in milliseconds since the epoch.
#[derive(Debug, Default)]
pub struct SlotMemory(RefCell<HashMap<Rc<str>, (GroupChanges, i64)>>);

impl SlotMemory {
    /// Returns the changes of a slot if this instance read the slot within the last `ttl_ms`.
    pub(crate) fn find(&self, slot_key: &str, ttl_ms: i64, now: i64) -> Option<GroupChanges> {
        let known = self.0.borrow();
        let (changes, read_at) = known.get(slot_key)?;
        (0..ttl_ms).contains(&(now - read_at)).then_some(*changes)
    }

    pub(crate) fn insert(&self, slot_key: &str, changes: GroupChanges, read_at: i64) {
        let mut known = self.0.borrow_mut();
        if known.len() >= MAX_SLOTS_IN_MEMORY && !known.contains_key(slot_key) {
            // Every slot can be read again.
            known.clear();
        }
        known.insert(slot_key.into(), (changes, read_at));
    }
}

/// Returns the key of a group's slot. The kind of a group is the part of its name before the first colon.
pub(crate) fn slot_key(group: &str) -> String {
    format_slot_key(kind_of(group), hash_fnv(group.as_bytes()) % SLOTS)
}

fn kind_of(group: &str) -> &str {
    group.split(':').next().unwrap_or(group)
}

fn format_slot_key(kind: &str, slot: u64) -> String {
    format!("documents:{kind}:{slot}")
}

/// Reads a slot and keeps its changes in memory. Returns an empty slot if the key-value store has none, or `None` if the
/// key-value store does not answer.
pub(crate) async fn read_slot<E: CacheEnvironment>(env: &E, slot_key: &str) -> Option<Slot> {
    let read_at = env.clock().as_unix_ms();
    let bytes = env.region().get(slot_key).await.ok()?;
    let mut slot = bytes.and_then(|bytes| Slot::unpack(&bytes)).unwrap_or_default();
    slot.changes = slot.changes.plausible_at(read_at);
    env.cache_state().slots.insert(slot_key, slot.changes, read_at);
    Some(slot)
}

/// Returns when the documents and responses of a group last changed, from the group's slot. The instance reads the slot again
/// after [`SLOT_TTL_MS`]. Returns `None` if the key-value store does not answer.
pub async fn find_changes<E: CacheEnvironment>(env: &E, group: &str) -> Option<GroupChanges> {
    let (slot_key, now) = (slot_key(group), env.clock().as_unix_ms());
    match env.cache_state().slots.find(&slot_key, SLOT_TTL_MS, now) {
        Some(changes) => Some(changes),
        None => Some(read_slot(env, &slot_key).await?.changes),
    }
}

/// Does the same as [`find_changes`], but always reads the slot.
pub async fn read_changes<E: CacheEnvironment>(env: &E, group: &str) -> Option<GroupChanges> {
    Some(read_slot(env, &slot_key(group)).await?.changes)
}

/// Puts documents into the slot of their group, unless the slot has later documents of the group. Returns false, and puts
/// nothing, if a document of the slot's groups has changed since the store was asked for the documents.
pub(crate) async fn put_documents<E: CacheEnvironment>(
    env: &E,
    group: &str,
    cached: &CachedDocuments,
) -> bool {
    let (slot_key, read_at) = (slot_key(group), env.clock());
    let Some(mut slot) = read_slot(env, &slot_key).await else {
        return true;
    };
    if slot.changes.generation != cached.generation {
        return false;
    }
    let has_later = slot.documents_of(group).is_some_and(|known| {
        known.checked_at >= cached.checked_at && known.age_ms(env.clock()) >= -CLOCK_MARGIN_MS
    });
    if has_later {
        return true;
    }
    if slot.changes.generation == 0 && cached.age_ms(env.clock()) >= PUT_WITHIN_MS {
        // A change of all groups of a kind skips slots without content ([`change_kind`]), so the generation of such a
        // slot does not tell whether there was a change while the store was asked. The next fetch puts its documents.
        slot.changes.generation = new_generation(env, 0);
    } else {
        slot.documents = Some((group.into(), cached.clone()));
    }
    let waited_ms = env.clock().as_unix_ms() - read_at.as_unix_ms();
    if (0..PUT_WITHIN_MS).contains(&waited_ms) && env.region().put(&slot_key, &slot.pack()).await.is_ok() {
        let now = env.clock().as_unix_ms();
        env.cache_state().slots.insert(&slot_key, slot.changes, now);
    }
    true
}

/// A change that was put into a slot.
#[derive(Debug)]
#[must_use = "a change that is not confirmed may be lost"]
pub struct PutChange {
    slot_key: String,
    before: GroupChanges,
    after: GroupChanges,
    /// Whether the key-value store accepted the change.
    pub accepted: bool,
}

impl PutChange {
    /// Returns the changes that the slot had before this change.
    pub const fn before(&self) -> GroupChanges {
        self.before
    }

    /// Returns whether `found`, the changes that a slot has now, lacks this change: another instance has overwritten it with what
    /// that instance read before.
    fn is_lost(&self, found: GroupChanges) -> bool {
        (self.after.generation != self.before.generation && found.generation == self.before.generation)
            || found.changing_until < self.after.changing_until
            || found.purged_at < self.after.purged_at
    }
}

/// Records in a group's slot that a document of the group changes. From then on, no instance uses documents that were fetched
/// before.
pub(crate) async fn begin_document_change<E: CacheEnvironment>(env: &E, group: &str) -> PutChange {
    change_slot(env, slot_key(group), change_generation).await
}

fn change_generation<E: CacheEnvironment>(env: &E, changes: &mut GroupChanges) {
    changes.generation = new_generation(env, changes.generation);
}

/// Does the same as [`begin_document_change`] for all groups of a kind, and confirms the changes. An instance may put documents
/// from before the change into an empty slot while the slots are changed, so every slot is changed twice.
pub(crate) async fn change_kind<E: CacheEnvironment>(env: &E, kind: &str) {
    for round in 0..2 {
        if round > 0 {
            env.pause(CONFIRM_AFTER_MS.unsigned_abs()).await;
        }
        for slot in 0..SLOTS {
            let slot_key = format_slot_key(kind, slot);
            if env
                .region()
                .get(&slot_key)
                .await
                .is_ok_and(|bytes| bytes.is_some())
            {
                let _ = change_slot(env, slot_key, change_generation).await;
            }
        }
    }
}

/// Records in a group's slot until when the responses that depend on the group are changing, and the instant before which fetched
/// responses are purged. An instant that is earlier than the slot's is ignored.
pub async fn change_responses<E: CacheEnvironment>(
    env: &E,
    group: &str,
    changing_until: i64,
    purged_at: i64,
) -> PutChange {
    change_slot(env, slot_key(group), |_, changes| {
        changes.changing_until = changes.changing_until.max(changing_until);
        changes.purged_at = changes.purged_at.max(purged_at);
    })
    .await
}

async fn change_slot<E: CacheEnvironment>(
    env: &E,
    slot_key: String,
    change: impl Fn(&E, &mut GroupChanges),
) -> PutChange {
    let mut slot = read_slot(env, &slot_key).await.unwrap_or_default();
    let before = slot.changes;
    change(env, &mut slot.changes);
    if slot.changes.generation != before.generation {
        slot.documents = None;
    }
    // A change is put however long the read took: it must not be lost.
    let accepted = env.region().put(&slot_key, &slot.pack()).await.is_ok();
    let now = env.clock().as_unix_ms();
    env.cache_state().slots.insert(&slot_key, slot.changes, now);
    PutChange {
        slot_key,
        before,
        after: slot.changes,
        accepted,
    }
}

/// Puts changes again if another instance has overwritten them. Waits [`CONFIRM_AFTER_MS`] first: by then, the other instance has
/// put what it read before the changes.
pub async fn confirm_changes<E: CacheEnvironment>(env: &E, mut changes: Vec<PutChange>) {
    for _ in 0..MAX_CONFIRMATIONS {
        env.pause(CONFIRM_AFTER_MS.unsigned_abs()).await;
        let mut lost = Vec::new();
        for change in changes {
            let found = read_slot(env, &change.slot_key).await;
            if found.is_some_and(|slot| change.is_lost(slot.changes)) {
                lost.push(put_again(env, change).await);
            }
        }
        if lost.is_empty() {
            return;
        }
        changes = lost;
    }
}

async fn put_again<E: CacheEnvironment>(env: &E, lost: PutChange) -> PutChange {
    change_slot(env, lost.slot_key, |env, changes| {
        if lost.after.generation != lost.before.generation {
            change_generation(env, changes);
        }
        changes.changing_until = changes.changing_until.max(lost.after.changing_until);
        changes.purged_at = changes.purged_at.max(lost.after.purged_at);
    })
    .await
}

/// Returns a new generation, different from `before` and from the generations of concurrent changes.
fn new_generation<E: CacheEnvironment>(env: &E, before: Generation) -> Generation {
    let seed = [&env.new_trace_id()[..], &before.to_be_bytes()].concat();
    hash_fnv(&seed).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_of_a_kind_share_a_bounded_number_of_slots() {
        let keys: std::collections::BTreeSet<_> =
            (0..100_000).map(|n| slot_key(&format!("tenant:{n}"))).collect();
        assert_eq!(keys.len() as u64, SLOTS);
        assert!(!keys.contains(&slot_key("key:1")));
    }
}
