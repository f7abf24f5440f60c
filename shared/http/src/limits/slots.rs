//! What a new instance knows: which callers of the region are busy, and until when.
//!
//! An instance lives for 128 requests. So that a caller who has used up a limit cannot begin anew with every instance, a
//! bucket that is half used is written into one of a few slots of the region's cache, with the instant at which it is full
//! again, and an instance looks there when it meets a bucket for the first time. A slot holds the busiest buckets that
//! fall into it; two instances that write to it at once can lose an entry, which the next report writes again.

use std::cell::RefCell;
use std::collections::BTreeMap;

use leaderboard_core::TenantId;
use leaderboard_core::codec::{Reader, Writer};
use leaderboard_core::ports::Cache;
use sha2::{Digest, Sha256};

use super::Applied;
use super::buckets::Busy;
use crate::environment::Environment;

/// How many slots there are. A new instance reads at most as many.
const SLOTS: u8 = 16;
/// How many buckets a slot holds.
const MAX_ENTRIES: usize = 32;
/// For how long an instance takes what it read in a slot for what is there, in milliseconds.
const TRUST_MS: i64 = 1000;
/// The form of a slot.
const FORM: u64 = 1;

/// What names a bucket of all tenants: 128 bits of a hash, so that nobody finds another name for somebody else's.
type Name = [u8; 16];
/// When each bucket is full again, in milliseconds since the epoch.
type Entries = BTreeMap<Name, u64>;

/// What an instance has read in the slots.
#[derive(Debug, Default)]
pub(crate) struct Slots(RefCell<BTreeMap<u8, (i64, Entries)>>);

/// Looks up those limits that the instance meets for the first time.
pub(crate) async fn look<E: Environment>(env: &E, tenant: &TenantId, applied: &[Applied]) {
    let now_ms = env.now().as_unix_ms();
    let now_us = micros(now_ms);
    let limiter = &env.memory().limiter;
    for one in applied {
        if limiter.buckets.knows(tenant, &one.bucket) {
            continue;
        }
        let name = name(tenant, &one.bucket);
        let slot = slot(name);
        if !limiter.slots.known(slot, now_ms) {
            // Requests that come in meanwhile read it, too: none begins with a full bucket because another one asks.
            limiter.slots.remember(slot, now_ms, read(env, slot).await);
        }
        let full_at_us = limiter.slots.full_at_us(slot, &name);
        limiter.buckets.raise(tenant, one, full_at_us, now_us);
    }
}

/// Tells the region which buckets are busy.
pub(crate) async fn publish<E: Environment>(env: &E, busy: &[Busy]) {
    let now_ms = env.clock().as_unix_ms();
    let mut by_slot: BTreeMap<u8, Entries> = BTreeMap::new();
    for one in busy {
        let name = name(&one.tenant, &one.bucket);
        by_slot
            .entry(slot(name))
            .or_default()
            .insert(name, one.full_at_us / 1000);
    }
    for (slot, news) in by_slot {
        let mut entries = read(env, slot).await;
        for (name, full_at_ms) in news {
            // Another instance may know of more.
            let there = entries.entry(name).or_default();
            *there = full_at_ms.max(*there);
        }
        entries.retain(|_, full_at_ms| i64::try_from(*full_at_ms).is_ok_and(|at| at > now_ms));
        while entries.len() > MAX_ENTRIES {
            let first = entries.iter().min_by_key(|(_, at)| **at).map(|(name, _)| *name);
            first.and_then(|name| entries.remove(&name));
        }
        // What is not written is learned from the store, a little later.
        let _ = env.region().put(&key(slot), &pack(&entries)).await;
        env.memory().limiter.slots.remember(slot, now_ms, entries);
    }
}

impl Slots {
    fn known(&self, slot: u8, now_ms: i64) -> bool {
        let read = self.0.borrow();
        read.get(&slot)
            .is_some_and(|(read_at, _)| (0..TRUST_MS).contains(&now_ms.saturating_sub(*read_at)))
    }

    fn remember(&self, slot: u8, now_ms: i64, entries: Entries) {
        self.0.borrow_mut().insert(slot, (now_ms, entries));
    }

    fn full_at_us(&self, slot: u8, name: &Name) -> u64 {
        let read = self.0.borrow();
        let full_at_ms = read.get(&slot).and_then(|(_, entries)| entries.get(name));
        full_at_ms.copied().unwrap_or_default().saturating_mul(1000)
    }
}

async fn read<E: Environment>(env: &E, slot: u8) -> Entries {
    // A cache that fails makes an instance begin with full buckets.
    let found = env.region().get(&key(slot)).await.ok().flatten();
    found.and_then(|bytes| unpack(&bytes)).unwrap_or_default()
}

fn key(slot: u8) -> String {
    format!("limits:busy:{slot}")
}

fn name(tenant: &TenantId, bucket: &str) -> Name {
    let digest = Sha256::new()
        .chain_update(tenant.as_str())
        .chain_update(":")
        .chain_update(bucket)
        .finalize();
    let mut name = Name::default();
    for (to, from) in name.iter_mut().zip(digest) {
        *to = from;
    }
    name
}

fn slot(name: Name) -> u8 {
    name.first().map_or(0, |byte| byte % SLOTS)
}

/// Milliseconds since the epoch as microseconds.
pub(crate) fn micros(ms: i64) -> u64 {
    u64::try_from(ms).unwrap_or_default().saturating_mul(1000)
}

fn pack(entries: &Entries) -> Vec<u8> {
    let mut w = Writer::default();
    w.unsigned(FORM);
    w.unsigned(entries.len() as u64);
    for (name, full_at_ms) in entries {
        w.bytes(name);
        w.unsigned(*full_at_ms);
    }
    w.finish()
}

/// `None` for bytes of another time or another program.
fn unpack(bytes: &[u8]) -> Option<Entries> {
    let mut r = Reader::new(bytes);
    (r.unsigned().ok()? == FORM).then_some(())?;
    let count = usize::try_from(r.unsigned().ok()?).ok()?;
    (count <= MAX_ENTRIES).then_some(())?;
    let mut entries = Entries::new();
    for _ in 0..count {
        entries.insert(Name::try_from(r.bytes().ok()?).ok()?, r.unsigned().ok()?);
    }
    r.end().ok()?;
    Some(entries)
}
