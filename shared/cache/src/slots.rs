//! The slots of the region's key-value store in which documents are cached.
//!
//! A slot holds the documents of one group, and says when the groups that share the slot last changed. So one read gives an
//! instance the documents and whether they are current (docs/decisions/0038). The number of slots is fixed, so that invented
//! names cannot fill the key-value store; documents of one group replace those of another group.
//!
//! The key-value store has no atomic operation. If one instance puts a value between another instance's read and its put, the
//! first value is lost. So a change is put again after [`CONFIRM_AFTER_MS`] if it was lost ([`confirm_changes`]). An instance that
//! takes longer than [`PUT_WITHIN_MS`] after its read does not put what it read: documents are not put at all, and a change is put
//! into a slot that purges and refetches everything ([`Slot::unknown`]).

use std::collections::HashMap;

use leaderboard_core::Timestamp;
use leaderboard_core::ports::Cache;

use crate::cached_documents::{CachedDocuments, Generation};
use crate::slot::{GroupChanges, Slot};
use crate::{CacheEnvironment, hash_fnv};

/// How many slots each kind of groups has. The default tenant has a slot of its own beside them.
const SLOTS: u64 = 1_024;
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
/// For how long documents stay in their slot if a group that has none of its own wants it, in milliseconds: those of a group in use
/// are put again earlier.
const KEPT_MS: i64 = 60_000;
/// The longest slot that is put, in bytes. Larger documents are read from the store.
const MAX_SLOT_BYTES: usize = 128 << 10;
/// After how many failures of the key-value store in a row a change of all slots of a kind is given up.
const MAX_FAILURES: u32 = 3;

/// Returns the key of a group's slot. The kind of a group is the part of its name before the first colon, followed by the name of
/// the tenant or document.
pub(crate) fn slot_key<E: CacheEnvironment>(env: &E, group: &str) -> String {
    let (kind, name) = group.split_once(':').unwrap_or((group, ""));
    if name == env.default_tenant().as_str() {
        format_default_slot_key(kind)
    } else {
        format_slot_key(kind, hash_fnv(group.as_bytes()) % SLOTS)
    }
}

fn format_slot_key(kind: &str, slot: u64) -> String {
    format!("documents:{kind}:{slot}")
}

/// Returns the key of the default tenant's slot, which no other group shares: every request needs the operator's documents in it.
fn format_default_slot_key(kind: &str) -> String {
    format!("documents:{kind}:default")
}

/// Reads a slot and keeps its changes in memory. Returns an empty slot if the key-value store has none, or `None` if the
/// key-value store does not answer.
pub(crate) async fn read_slot<E: CacheEnvironment>(env: &E, slot_key: &str) -> Option<Slot> {
    let read_at = env.clock().as_unix_ms();
    let mut slot = match env.key_value_store().get(slot_key).await.ok()? {
        Some(bytes) => Slot::unpack(&bytes).unwrap_or_else(|| Slot::unknown(hash_fnv(&bytes), read_at)),
        None => Slot::default(),
    };
    slot.changes = slot.changes.plausible_at(read_at);
    env.cache_state().slots.insert(slot_key, slot.changes, read_at);
    Some(slot)
}

/// Returns when the documents and responses of a group last changed, and when the group's slot was read, in milliseconds since the
/// epoch. The instance reads the slot again after [`SLOT_TTL_MS`]. Returns `None` if the key-value store does not answer.
pub async fn find_changes<E: CacheEnvironment>(env: &E, group: &str) -> Option<(GroupChanges, i64)> {
    let (slot_key, now) = (slot_key(env, group), env.clock().as_unix_ms());
    match env.cache_state().slots.find(&slot_key, SLOT_TTL_MS, now) {
        Some(recent) => Some(recent),
        None => Some((read_slot(env, &slot_key).await?.changes, now)),
    }
}

/// Returns the same changes as [`find_changes`], but always reads the slot.
pub async fn read_changes<E: CacheEnvironment>(env: &E, group: &str) -> Option<GroupChanges> {
    Some(read_slot(env, &slot_key(env, group)).await?.changes)
}

/// Puts documents into the slot of their group, unless the slot has later documents of the group, or those of another group that has
/// a better claim ([`is_taken`]). Returns false if the documents must not be used again: a document of the slot's groups has changed
/// since the store was asked, or may have.
pub(crate) async fn put_documents<E: CacheEnvironment>(
    env: &E,
    group: &str,
    cached: &CachedDocuments,
) -> bool {
    let (slot_key, read_at) = (slot_key(env, group), env.clock());
    let Some(mut slot) = read_slot(env, &slot_key).await else {
        return true;
    };
    if slot.changes.generation != cached.generation {
        return false;
    }
    let now = env.clock();
    if is_taken(&slot, group, cached, now) {
        return true;
    }
    // A change of all groups of a kind skips slots without content ([`change_kind`]), so the generation of such a slot does not
    // tell whether there was a change while the store was asked. The next fetch puts its documents.
    let may_have_changed = slot.changes.generation == 0 && !is_in_time(cached.checked_at, now);
    slot.documents = if may_have_changed {
        slot.changes.generation = new_generation(env, 0);
        None
    } else {
        Some((group.into(), cached.clone()))
    };
    let (bytes, now) = (slot.pack(), env.clock());
    let is_in_time = is_in_time(read_at, now);
    if is_in_time
        && bytes.len() <= MAX_SLOT_BYTES
        && env.key_value_store().put(&slot_key, &bytes).await.is_ok()
    {
        let read_at = now.as_unix_ms();
        env.cache_state().slots.insert(&slot_key, slot.changes, read_at);
    }
    !may_have_changed && (is_in_time || cached.generation != 0)
}

/// Returns whether what was read at `read_at` may still be put.
fn is_in_time(read_at: Timestamp, now: Timestamp) -> bool {
    (0..PUT_WITHIN_MS).contains(&(now.as_unix_ms() - read_at.as_unix_ms()))
}

/// Returns whether a slot has later documents of the group, or documents of another group that the group must not replace: a group
/// without documents of its own leaves others alone that are in use, so that invented names cannot displace them.
fn is_taken(slot: &Slot, group: &str, cached: &CachedDocuments, now: Timestamp) -> bool {
    let Some((owner, known)) = &slot.documents else {
        return false;
    };
    known.has_plausible_time(now)
        && if **owner == *group {
            known.checked_at >= cached.checked_at
        } else {
            !cached.has_own_documents && known.age_ms(now) < KEPT_MS
        }
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
    change_slot(env, slot_key(env, group), change_generation).await
}

fn change_generation<E: CacheEnvironment>(env: &E, changes: &mut GroupChanges) {
    changes.generation = new_generation(env, changes.generation);
}

/// Does the same as [`begin_document_change`] for all groups of a kind, and confirms the changes. Slots without content are skipped:
/// an instance that puts older documents into such a slot in the meantime is found when the changes are confirmed. Gives up if the
/// key-value store fails several times in a row; cached documents are then used until they expire.
pub(crate) async fn change_kind<E: CacheEnvironment>(env: &E, kind: &str) {
    let mut changes: HashMap<String, PutChange> = HashMap::new();
    for round in 0..2 {
        if round > 0 {
            env.pause(CONFIRM_AFTER_MS.unsigned_abs()).await;
        }
        let mut failures = 0;
        let shared = (0..SLOTS).map(|slot| format_slot_key(kind, slot));
        for slot_key in std::iter::once(format_default_slot_key(kind)).chain(shared) {
            let read_at = env.clock();
            let Some(slot) = read_slot(env, &slot_key).await else {
                failures += 1;
                if failures == MAX_FAILURES {
                    return;
                }
                continue;
            };
            failures = 0;
            let is_changed = match changes.get(&slot_key) {
                Some(change) => !change.is_lost(slot.changes),
                None => slot.is_empty(),
            };
            if is_changed {
                continue;
            }
            let change = if is_in_time(read_at, env.clock()) {
                put_change(env, slot_key.clone(), slot, change_generation).await
            } else {
                change_slot(env, slot_key.clone(), change_generation).await
            };
            changes.insert(slot_key, change);
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
    change_slot(env, slot_key(env, group), |_, changes| {
        changes.changing_until = changes.changing_until.max(changing_until);
        changes.purged_at = changes.purged_at.max(purged_at);
    })
    .await
}

/// Reads a slot to change it. If the key-value store fails or is slow, another instance's change may be missing in what was read.
/// Then returns a slot that purges everything.
async fn read_slot_in_time<E: CacheEnvironment>(env: &E, slot_key: &str) -> Slot {
    for _ in 0..2 {
        let read_at = env.clock();
        let slot = read_slot(env, slot_key).await;
        if let Some(slot) = slot.filter(|_| is_in_time(read_at, env.clock())) {
            return slot;
        }
    }
    Slot::unknown(new_generation(env, 0), env.clock().as_unix_ms())
}

async fn change_slot<E: CacheEnvironment>(
    env: &E,
    slot_key: String,
    change: impl Fn(&E, &mut GroupChanges),
) -> PutChange {
    let slot = read_slot_in_time(env, &slot_key).await;
    put_change(env, slot_key, slot, change).await
}

/// Changes a slot that was read in time, and puts it.
async fn put_change<E: CacheEnvironment>(
    env: &E,
    slot_key: String,
    mut slot: Slot,
    change: impl Fn(&E, &mut GroupChanges),
) -> PutChange {
    let before = slot.changes;
    change(env, &mut slot.changes);
    if slot.changes.generation != before.generation {
        slot.documents = None;
    }
    let now = env.clock().as_unix_ms();
    let accepted = env.key_value_store().put(&slot_key, &slot.pack()).await.is_ok();
    env.cache_state().slots.insert(&slot_key, slot.changes, now);
    PutChange {
        slot_key,
        before,
        after: slot.changes,
        accepted,
    }
}

/// Confirms a change after the response ([`confirm_changes`]).
pub fn confirm_later<E: CacheEnvironment>(env: &E, change: PutChange) {
    let own_env = env.clone();
    env.later(async move { confirm_changes(&own_env, vec![change]).await });
}

/// Puts changes again if another instance has overwritten them. Waits [`CONFIRM_AFTER_MS`] first: by then, the other instance has
/// put what it read before the changes.
pub(crate) async fn confirm_changes<E: CacheEnvironment>(env: &E, mut changes: Vec<PutChange>) {
    for _ in 0..MAX_CONFIRMATIONS {
        env.pause(CONFIRM_AFTER_MS.unsigned_abs()).await;
        let mut lost = Vec::new();
        for change in changes {
            let found = read_slot(env, &change.slot_key).await;
            if found.is_none_or(|slot| change.is_lost(slot.changes)) {
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
    use std::rc::Rc;

    use super::*;
    use crate::freshness::CLOCK_MARGIN_MS;

    #[test]
    fn groups_of_a_kind_share_a_bounded_number_of_slots() {
        let key =
            |kind: &str, n: u64| format_slot_key(kind, hash_fnv(format!("{kind}:{n}").as_bytes()) % SLOTS);
        let keys: std::collections::BTreeSet<_> = (0..100_000).map(|n| key("tenant", n)).collect();
        assert_eq!(keys.len() as u64, SLOTS);
        assert!(!keys.contains(&key("key", 1)) && !keys.contains(&format_default_slot_key("tenant")));
    }

    fn documents(group: &str, checked_at: i64, has_own_documents: bool) -> (Box<str>, CachedDocuments) {
        let cached = CachedDocuments {
            bodies: Rc::default(),
            checked_at: Timestamp::from_unix_ms(checked_at).unwrap(),
            generation: 1,
            has_own_documents,
        };
        (group.into(), cached)
    }

    #[test]
    fn a_group_without_own_documents_displaces_none_that_are_in_use() {
        let now = Timestamp::from_unix_ms(1_000_000).unwrap();
        let is_taken_by = |known: (Box<str>, CachedDocuments), (group, new): (Box<str>, CachedDocuments)| {
            let slot = Slot {
                changes: GroupChanges {
                    generation: 1,
                    ..GroupChanges::default()
                },
                documents: Some(known),
            };
            is_taken(&slot, &group, &new, now)
        };
        let (invented, tenant) = (documents("b", 1_000_000, false), documents("b", 1_000_000, true));
        for has_own_documents in [true, false] {
            let in_use = || documents("a", 1_000_000 - KEPT_MS + 1, has_own_documents);
            assert!(is_taken_by(in_use(), invented.clone()));
            assert!(!is_taken_by(in_use(), tenant.clone()));
        }
        let out_of_use = documents("a", 1_000_000 - KEPT_MS, true);
        assert!(!is_taken_by(out_of_use, invented.clone()));
        assert!(is_taken_by(documents("b", 1_000_000, false), invented.clone()));
        assert!(!is_taken_by(documents("b", 999_999, true), invented.clone()));
        assert!(!is_taken_by(
            documents("a", 1_000_000 + CLOCK_MARGIN_MS + 1, true),
            invented
        ));
    }
}
