//! What a new instance knows: which callers of the region are busy, and until when.
//!
//! An instance lives for 128 requests. So that a caller who has used up a limit cannot begin anew with every instance, a
//! bucket that is half used is written into one of a few slots of the region's cache, with the instant at which it is full
//! again, and an instance looks there when it meets a bucket for the first time. So is a tenant's quota of the day. Two
//! instances that write to a slot at once can lose an entry, which the next report writes again.
//!
//! A slot that is full drops an entry of the owner that has the most there: the one of which the smallest share is used. So
//! nobody displaces what others have in their equal part of the space, however long the windows of their limits are.

use std::cell::RefCell;
use std::collections::BTreeMap;

use leaderboard_core::TenantId;
use leaderboard_core::codec::{Reader, Writer};
use leaderboard_core::ports::Cache;
use sha2::{Digest, Sha256};

use super::AppliedLimit;
use super::busy::{BusyBucket, DAY, DAY_US, Owner, Used};
use crate::RateLimitEnvironment;

/// How many slots there are. A new instance reads at most as many.
const SLOTS: u8 = 16;
/// How many entries a slot holds.
const MAX_ENTRIES: usize = 32;
/// For how long an instance takes what it read in a slot for what is there, in milliseconds.
const TRUST_MS: i64 = 1000;
/// The form of a slot.
const FORM: u64 = 2;
/// A whole, of which shares are counted.
const WHOLE: u128 = 1_000_000;

/// What names a bucket of all tenants: 128 bits of a hash, so that nobody finds another name for somebody else's.
type Name = [u8; 16];
/// What is busy.
type Entries = BTreeMap<Name, Entry>;

/// What is known of a bucket, or of a quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    owner: Owner,
    used: Used,
}

impl Entry {
    /// Whether it is as good as new.
    fn is_over(&self, now_us: u64) -> bool {
        match self.used {
            Used::Bucket { full_at_us, .. } => full_at_us <= now_us,
            Used::Quota { day, .. } => day != now_us / DAY_US,
        }
    }

    /// The share that is used.
    fn share(&self, now_us: u64) -> u128 {
        let (used, whole) = match self.used {
            Used::Bucket {
                full_at_us,
                capacity_us,
            } => (full_at_us.saturating_sub(now_us), capacity_us),
            Used::Quota { requests, most, .. } => (requests, most),
        };
        u128::from(used) * WHOLE / u128::from(whole.max(1))
    }

    /// Whether another instance knew of more.
    fn is_behind(&self, there: &Self) -> bool {
        match (self.used, there.used) {
            (
                Used::Bucket { full_at_us: own, .. },
                Used::Bucket {
                    full_at_us: there, ..
                },
            ) => own < there,
            (
                Used::Quota { day, requests, .. },
                Used::Quota {
                    day: of,
                    requests: there,
                    ..
                },
            ) => (day, requests) < (of, there),
            _ => false,
        }
    }
}

/// What an instance has read in the slots.
#[derive(Debug, Default)]
pub struct Slots(RefCell<BTreeMap<u8, (i64, Entries)>>);

/// Looks up those limits that the instance meets for the first time.
pub async fn look<E: RateLimitEnvironment>(env: &E, tenant: &TenantId, applied: &[AppliedLimit]) {
    let now_ms = env.now().as_unix_ms();
    let now_us = micros(now_ms);
    let limiter = &env.rate_limit_state();
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
        let full_at_us = match limiter.slots.used(slot, &name) {
            Some(Used::Bucket { full_at_us, .. }) => full_at_us,
            _ => 0,
        };
        limiter.buckets.raise(tenant, one, full_at_us, now_us);
    }
}

/// Looks up how many requests of the present day a tenant with a quota had, when the instance does not know.
pub async fn look_at_day<E: RateLimitEnvironment>(env: &E, tenant: &TenantId) {
    let now_ms = env.now().as_unix_ms();
    let now_us = micros(now_ms);
    let limiter = &env.rate_limit_state();
    if limiter.buckets.knows_day(tenant, now_us) {
        return;
    }
    let name = name(tenant, DAY);
    let slot = slot(name);
    if !limiter.slots.known(slot, now_ms) {
        limiter.slots.remember(slot, now_ms, read(env, slot).await);
    }
    let (day, requests) = match limiter.slots.used(slot, &name) {
        Some(Used::Quota { day, requests, .. }) => (day, requests),
        _ => (0, 0),
    };
    limiter.buckets.raise_day(tenant, day, requests, now_us);
}

/// Tells the region what is busy.
pub(crate) async fn publish<E: RateLimitEnvironment>(env: &E, busy: &[BusyBucket]) {
    let now_ms = env.clock().as_unix_ms();
    let mut by_slot: BTreeMap<u8, Entries> = BTreeMap::new();
    for one in busy {
        let name = name(&one.tenant, &one.name);
        let entry = Entry {
            owner: one.owner,
            used: one.used,
        };
        by_slot.entry(slot(name)).or_default().insert(name, entry);
    }
    for (slot, news) in by_slot {
        let mut entries = read(env, slot).await;
        for (name, entry) in news {
            if !entries.get(&name).is_some_and(|there| entry.is_behind(there)) {
                entries.insert(name, entry);
            }
        }
        make_room(&mut entries, micros(now_ms));
        // What is not written is learned from the store, a little later.
        let _ = env.region().put(&key(slot), &pack(&entries)).await;
        env.rate_limit_state().slots.remember(slot, now_ms, entries);
    }
}

/// Drops what is over, and what is too much: of the owners that have the most, the entry of which the smallest share is used.
fn make_room(entries: &mut Entries, now_us: u64) {
    entries.retain(|_, entry| !entry.is_over(now_us));
    while entries.len() > MAX_ENTRIES {
        let mut counts: BTreeMap<Owner, usize> = BTreeMap::new();
        for entry in entries.values() {
            *counts.entry(entry.owner).or_default() += 1;
        }
        let most = counts.values().max().copied();
        let least_used = entries
            .iter()
            .filter(|(_, entry)| counts.get(&entry.owner).copied() == most)
            .min_by_key(|(_, entry)| entry.share(now_us))
            .map(|(name, _)| *name);
        least_used.and_then(|name| entries.remove(&name));
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

    fn used(&self, slot: u8, name: &Name) -> Option<Used> {
        let read = self.0.borrow();
        let (_, entries) = read.get(&slot)?;
        entries.get(name).map(|entry| entry.used)
    }
}

async fn read<E: RateLimitEnvironment>(env: &E, slot: u8) -> Entries {
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
pub fn micros(ms: i64) -> u64 {
    u64::try_from(ms).unwrap_or_default().saturating_mul(1000)
}

fn pack(entries: &Entries) -> Vec<u8> {
    let mut w = Writer::default();
    w.unsigned(FORM);
    w.unsigned(entries.len() as u64);
    for (name, Entry { owner, used }) in entries {
        w.bytes(name);
        w.unsigned(u64::from(*owner));
        let numbers = match *used {
            Used::Bucket {
                full_at_us,
                capacity_us,
            } => [0, full_at_us, capacity_us, 0],
            Used::Quota { day, requests, most } => [1, day, requests, most],
        };
        for number in numbers {
            w.unsigned(number);
        }
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
        let name = Name::try_from(r.bytes().ok()?).ok()?;
        let owner = Owner::try_from(r.unsigned().ok()?).ok()?;
        let mut number = || r.unsigned().ok();
        let used = match (number()?, number()?, number()?, number()?) {
            (0, full_at_us, capacity_us, _) => Used::Bucket {
                full_at_us,
                capacity_us,
            },
            (1, day, requests, most) => Used::Quota { day, requests, most },
            _ => return None,
        };
        entries.insert(name, Entry { owner, used });
    }
    r.end().ok()?;
    Some(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_US: u64 = 20_000 * DAY_US + 1_000_000;

    /// A bucket of which so many thousandths are used; a whole one takes so long to grow back.
    fn bucket(owner: Owner, thousandths: u64, capacity_us: u64) -> Entry {
        let full_at_us = NOW_US + capacity_us / 1000 * thousandths;
        let used = Used::Bucket {
            full_at_us,
            capacity_us,
        };
        Entry { owner, used }
    }

    fn name_of(number: usize) -> Name {
        let mut name = Name::default();
        name[..8].copy_from_slice(&number.to_be_bytes());
        name
    }

    fn kept(entries: &Entries, owner: Owner) -> usize {
        entries.values().filter(|entry| entry.owner == owner).count()
    }

    #[test]
    fn a_tenant_with_long_windows_displaces_nobody_from_their_part_of_the_space() {
        let mut entries = Entries::new();
        for number in 0..MAX_ENTRIES / 2 {
            entries.insert(name_of(number), bucket(1, 500, 2_000_000));
        }
        for number in 0..10 * MAX_ENTRIES {
            entries.insert(name_of(1000 + number), bucket(2, 2000, 7 * DAY_US));
        }
        make_room(&mut entries, NOW_US);
        assert_eq!(
            (kept(&entries, 1), kept(&entries, 2)),
            (MAX_ENTRIES / 2, MAX_ENTRIES / 2)
        );
        // A third one has a part of its own, too.
        let quota = Used::Quota {
            day: 20_000,
            requests: 60,
            most: 100,
        };
        entries.insert(
            name_of(1),
            Entry {
                owner: 3,
                used: quota,
            },
        );
        make_room(&mut entries, NOW_US);
        assert_eq!((entries.len(), kept(&entries, 3)), (MAX_ENTRIES, 1));
    }

    #[test]
    fn of_one_owner_the_entry_with_the_smallest_used_share_goes_first() {
        let mut entries = Entries::new();
        for number in 0..MAX_ENTRIES {
            entries.insert(name_of(number), bucket(1, 990, 2_000_000));
        }
        let (long, short) = (name_of(98), name_of(99));
        // It is full again long after the others, and is used less.
        entries.insert(long, bucket(1, 500, DAY_US));
        entries.insert(short, bucket(1, 1000, 20_000));
        entries.insert(name_of(97), bucket(1, 0, DAY_US));
        make_room(&mut entries, NOW_US);
        assert_eq!(entries.len(), MAX_ENTRIES);
        assert!(!entries.contains_key(&long) && entries.contains_key(&short));
    }

    #[test]
    fn a_slot_comes_back_as_it_was() {
        let quota = Used::Quota {
            day: 20_000,
            requests: 7,
            most: 9,
        };
        let entries: Entries = [
            (name_of(1), bucket(7, 300, 1_000)),
            (
                name_of(2),
                Entry {
                    owner: 8,
                    used: quota,
                },
            ),
        ]
        .into();
        let bytes = pack(&entries);
        assert_eq!(unpack(&bytes), Some(entries));
        for cut in 0..bytes.len() {
            assert_eq!(unpack(&bytes[..cut]), None, "{cut}");
        }
    }

    #[test]
    fn what_is_known_of_more_stays() {
        let quota = |day, requests| Entry {
            owner: 1,
            used: Used::Quota {
                day,
                requests,
                most: 100,
            },
        };
        assert!(quota(1, 99).is_behind(&quota(2, 1)) && !quota(2, 1).is_behind(&quota(1, 99)));
        assert!(quota(2, 1).is_behind(&quota(2, 2)) && !quota(2, 2).is_behind(&quota(2, 2)));
        assert!(bucket(1, 1, 5_000).is_behind(&bucket(1, 2, 5_000)));
    }
}
