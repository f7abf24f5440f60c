//! Shares high usage of limits between the instances of a region.
//!
//! An instance of Spin serves 128 requests. A caller who has used up a limit must not get a full bucket from every new
//! instance. So a bucket that is half used is written to one of 16 slots of the region's cache, with the instant at which it
//! is full again, and an instance reads the slot when it meets a bucket for the first time. A tenant's daily quota is shared
//! in the same way. When two instances write a slot at once, an entry can get lost; the next report writes it again.
//!
//! A full slot drops entries of the owner that has the most entries in it, those with the smallest used share first. So no
//! tenant can displace the entries of others from their equal part of a slot, however long the windows of its limits are.

use std::cell::RefCell;
use std::collections::BTreeMap;

use leaderboard_core::TenantId;
use leaderboard_core::codec::{Reader, Writer};
use leaderboard_core::ports::Cache;
use sha2::{Digest, Sha256};

use super::AppliedLimit;
use super::shared_usage::{DAY, DAY_US, LimitOwner, SharedUsage, UsageLevel};
use crate::RateLimitEnvironment;
use crate::micros::{micros_from_millis, now_us};

/// The number of slots. A new instance reads at most this many.
const SLOTS: u8 = 16;
/// How many entries a slot holds.
const MAX_ENTRIES: usize = 32;
/// How long an instance uses a slot that it has read, in milliseconds.
const FRESH_MS: i64 = 1000;
/// The version of a slot's format.
const FORMAT: u64 = 2;
/// The used share of a bucket or quota that is used up completely.
const WHOLE: u128 = 1_000_000;

/// The digest of a tenant and a bucket's name. It has 128 bits, so that a caller cannot find a name with the digest of
/// another caller's bucket.
type UsageKey = [u8; 16];
/// The usages that one slot has, by bucket or quota.
type SlotEntries = BTreeMap<UsageKey, SlotEntry>;

/// The usage of one bucket or quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct SlotEntry {
    owner: LimitOwner,
    level: UsageLevel,
}

impl SlotEntry {
    /// Returns whether the bucket is full again, or the day of the quota is over.
    fn is_over(&self, now_us: u64) -> bool {
        match self.level {
            UsageLevel::Bucket { full_at_us, .. } => full_at_us <= now_us,
            UsageLevel::Quota { day, .. } => day != now_us / DAY_US,
        }
    }

    /// Returns the used share, in parts of [`WHOLE`].
    fn used_share(&self, now_us: u64) -> u128 {
        let (used, whole) = match self.level {
            UsageLevel::Bucket {
                full_at_us,
                capacity_us,
            } => (full_at_us.saturating_sub(now_us), capacity_us),
            UsageLevel::Quota { requests, most, .. } => (requests, most),
        };
        u128::from(used) * WHOLE / u128::from(whole.max(1))
    }

    /// Returns whether `other` shows more usage of the same bucket, or a later day or more requests of the same quota.
    fn is_behind(&self, other: &Self) -> bool {
        match (self.level, other.level) {
            (
                UsageLevel::Bucket { full_at_us, .. },
                UsageLevel::Bucket {
                    full_at_us: other, ..
                },
            ) => full_at_us < other,
            (
                UsageLevel::Quota { day, requests, .. },
                UsageLevel::Quota {
                    day: other_day,
                    requests: other,
                    ..
                },
            ) => (day, requests) < (other_day, other),
            _ => false,
        }
    }
}

/// The slots that an instance has read, and when it read each of them, in milliseconds.
#[derive(Debug, Default)]
pub struct UsageSlots(RefCell<BTreeMap<u8, (i64, SlotEntries)>>);

/// Reads the shared usage of those limits whose buckets the instance does not have yet.
pub async fn load_usage<E: RateLimitEnvironment>(env: &E, tenant: &TenantId, limits: &[AppliedLimit]) {
    let buckets = &env.rate_limit_state().buckets;
    for limit in limits {
        if buckets.knows_bucket(tenant, &limit.bucket) {
            continue;
        }
        let full_at_us = match find_level(env, tenant, &limit.bucket).await {
            Some(UsageLevel::Bucket { full_at_us, .. }) => full_at_us,
            _ => 0,
        };
        buckets.raise_bucket(tenant, limit, full_at_us, now_us(env));
    }
}

/// Reads the number of requests of the current day for a tenant with a quota, unless the instance has it already.
pub(crate) async fn load_day_usage<E: RateLimitEnvironment>(env: &E, tenant: &TenantId) {
    let buckets = &env.rate_limit_state().buckets;
    if buckets.knows_day(tenant, now_us(env)) {
        return;
    }
    let (day, requests) = match find_level(env, tenant, DAY).await {
        Some(UsageLevel::Quota { day, requests, .. }) => (day, requests),
        _ => (0, 0),
    };
    buckets.raise_day_usage(tenant, day, requests, now_us(env));
}

/// Returns the shared usage of a bucket or of the daily quota. Reads the slot unless the instance has read it within the last
/// [`FRESH_MS`].
async fn find_level<E: RateLimitEnvironment>(env: &E, tenant: &TenantId, name: &str) -> Option<UsageLevel> {
    let key = usage_key(tenant, name);
    let slot = select_slot(key);
    let now_ms = env.now().as_unix_ms();
    let slots = &env.rate_limit_state().slots;
    if !slots.is_fresh(slot, now_ms) {
        // Requests that come in meanwhile read the slot as well. If they did not, they would begin with full buckets.
        slots.insert(slot, now_ms, read_slot(env, slot).await);
    }
    slots.find_level(slot, &key)
}

/// Writes usage to the slots, where other instances read it.
pub(crate) async fn share_usage<E: RateLimitEnvironment>(env: &E, usage: &[SharedUsage]) {
    let now_ms = env.clock().as_unix_ms();
    let mut by_slot: BTreeMap<u8, SlotEntries> = BTreeMap::new();
    for shared in usage {
        let key = usage_key(&shared.tenant, &shared.name);
        let entry = SlotEntry {
            owner: shared.owner,
            level: shared.level,
        };
        by_slot.entry(select_slot(key)).or_default().insert(key, entry);
    }
    for (slot, changed) in by_slot {
        let mut entries = read_slot(env, slot).await;
        for (key, entry) in changed {
            if !entries.get(&key).is_some_and(|stored| entry.is_behind(stored)) {
                entries.insert(key, entry);
            }
        }
        make_room(&mut entries, micros_from_millis(now_ms));
        // When the write fails, other instances learn the usage from the store a little later.
        let _ = env
            .key_value_store()
            .put(&slot_key(slot), &encode_slot(&entries))
            .await;
        env.rate_limit_state().slots.insert(slot, now_ms, entries);
    }
}

/// Removes entries that are over. If there are still too many, removes entries of the owner that has the most, those with the
/// smallest used share first.
fn make_room(entries: &mut SlotEntries, now_us: u64) {
    entries.retain(|_, entry| !entry.is_over(now_us));
    while entries.len() > MAX_ENTRIES {
        let mut counts: BTreeMap<LimitOwner, usize> = BTreeMap::new();
        for entry in entries.values() {
            *counts.entry(entry.owner).or_default() += 1;
        }
        let most = counts.values().max().copied();
        let least_used = entries
            .iter()
            .filter(|(_, entry)| counts.get(&entry.owner).copied() == most)
            .min_by_key(|(_, entry)| entry.used_share(now_us))
            .map(|(key, _)| *key);
        least_used.and_then(|key| entries.remove(&key));
    }
}

impl UsageSlots {
    fn is_fresh(&self, slot: u8, now_ms: i64) -> bool {
        let read = self.0.borrow();
        read.get(&slot)
            .is_some_and(|(read_at, _)| (0..FRESH_MS).contains(&now_ms.saturating_sub(*read_at)))
    }

    fn insert(&self, slot: u8, now_ms: i64, entries: SlotEntries) {
        self.0.borrow_mut().insert(slot, (now_ms, entries));
    }

    fn find_level(&self, slot: u8, key: &UsageKey) -> Option<UsageLevel> {
        let read = self.0.borrow();
        let (_, entries) = read.get(&slot)?;
        entries.get(key).map(|entry| entry.level)
    }
}

async fn read_slot<E: RateLimitEnvironment>(env: &E, slot: u8) -> SlotEntries {
    // Without the cache, the instance begins with full buckets.
    let found = env.key_value_store().get(&slot_key(slot)).await.ok().flatten();
    found.and_then(|bytes| decode_slot(&bytes)).unwrap_or_default()
}

fn slot_key(slot: u8) -> String {
    format!("limits:busy:{slot}")
}

fn usage_key(tenant: &TenantId, bucket: &str) -> UsageKey {
    let digest = Sha256::new()
        .chain_update(tenant.as_str())
        .chain_update(":")
        .chain_update(bucket)
        .finalize();
    let mut key = UsageKey::default();
    for (to, from) in key.iter_mut().zip(digest) {
        *to = from;
    }
    key
}

fn select_slot(key: UsageKey) -> u8 {
    key.first().map_or(0, |byte| byte % SLOTS)
}

fn encode_slot(entries: &SlotEntries) -> Vec<u8> {
    let mut w = Writer::default();
    w.unsigned(FORMAT);
    w.unsigned(entries.len() as u64);
    for (key, SlotEntry { owner, level }) in entries {
        w.bytes(key);
        w.unsigned(u64::from(*owner));
        let numbers = match *level {
            UsageLevel::Bucket {
                full_at_us,
                capacity_us,
            } => [0, full_at_us, capacity_us, 0],
            UsageLevel::Quota { day, requests, most } => [1, day, requests, most],
        };
        for number in numbers {
            w.unsigned(number);
        }
    }
    w.finish()
}

/// Decodes a slot. Returns `None` for another format.
fn decode_slot(bytes: &[u8]) -> Option<SlotEntries> {
    let mut r = Reader::new(bytes);
    (r.unsigned().ok()? == FORMAT).then_some(())?;
    let count = usize::try_from(r.unsigned().ok()?).ok()?;
    (count <= MAX_ENTRIES).then_some(())?;
    let mut entries = SlotEntries::new();
    for _ in 0..count {
        let key = UsageKey::try_from(r.bytes().ok()?).ok()?;
        let owner = LimitOwner::try_from(r.unsigned().ok()?).ok()?;
        let mut number = || r.unsigned().ok();
        let level = match (number()?, number()?, number()?, number()?) {
            (0, full_at_us, capacity_us, _) => UsageLevel::Bucket {
                full_at_us,
                capacity_us,
            },
            (1, day, requests, most) => UsageLevel::Quota { day, requests, most },
            _ => return None,
        };
        entries.insert(key, SlotEntry { owner, level });
    }
    r.end().ok()?;
    Some(entries)
}

#[cfg(test)]
mod tests;
