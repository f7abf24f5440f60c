//! The memory tier: the entries and tombstones that an instance keeps in its memory.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use leaderboard_cache::RecentReads;
use leaderboard_cache::freshness::CLOCK_MARGIN_MS;
use leaderboard_cache::single_flight::SingleFlight;
use leaderboard_core::{LruMap, Timestamp};

use super::cache_entry::CacheEntry;
use super::fetch_outcome::FetchOutcome;
use super::tombstones::{Tombstone, TombstoneValue};

/// How many bytes of entries an instance keeps, approximately.
const MAX_BYTES: usize = 8 << 20;
/// How many scopes (leaderboards, tenants) an instance keeps the end of its last invalidation for.
const MAX_SCOPES: usize = 1_000;

/// The memory tier of an instance.
#[derive(Debug, Default)]
pub struct MemoryTier {
    /// The entries, by the text of their cache keys.
    entries: RefCell<HashMap<Box<str>, Rc<CacheEntry>>>,
    /// How many bytes `entries` take.
    bytes: Cell<usize>,
    /// The later tombstone of a leaderboard and of its tenant, by the leaderboard's scope.
    invalidations: RecentReads<TombstoneValue>,
    /// As `invalidations`.
    purges: RecentReads<TombstoneValue>,
    /// When the last invalidation that this instance wrote ends, in milliseconds since the epoch, by scope: `tenant:leaderboard`, or
    /// `tenant`.
    invalidated_until: RefCell<LruMap<Box<str>, i64, MAX_SCOPES>>,
    /// The newest positions that this instance has written to the logs of leaderboards, by their scope.
    pub(crate) written_positions: RecentReads<u64>,
    /// The tasks that put these positions into the key-value store.
    pub(crate) position_puts: SingleFlight<()>,
    /// When this instance last wrote the primary's clock for the replica, in milliseconds since the epoch.
    pub(crate) clock_written_at: Cell<i64>,
    /// The leaderboards whose responses may not be stored, by their scope.
    pub(crate) uncached: RecentReads<()>,
    /// The position after which this instance looks whether a snapshot is due, by the leaderboard's scope.
    snapshots_due_after: RefCell<LruMap<Box<str>, u64, MAX_SCOPES>>,
    /// The requests that fetch an entry.
    pub single_flight: SingleFlight<FetchOutcome>,
    /// The tasks that make the warm entries of a leaderboard.
    pub warming: SingleFlight<()>,
}

impl MemoryTier {
    /// Finds an entry by the text of its cache key.
    pub fn find_entry(&self, key_text: &str) -> Option<Rc<CacheEntry>> {
        self.entries.borrow().get(key_text).cloned()
    }

    /// Stores an entry, unless the tier has a later entry of the same key. If the tier has the same entry already, that one
    /// stays, because it may have encoded bodies.
    pub fn store_entry(&self, entry: Rc<CacheEntry>, now: Timestamp) {
        let mut entries = self.entries.borrow_mut();
        if let Some(known) = entries.get(&entry.metadata.key_text) {
            let (known_at, fetched_at) = (known.metadata.fetched_at, entry.metadata.fetched_at);
            let believable = known_at <= now.saturating_add_ms(CLOCK_MARGIN_MS);
            let same = known_at == fetched_at && known.metadata.etag == entry.metadata.etag;
            if believable && (known_at > fetched_at || same) {
                return;
            }
            self.bytes.set(self.bytes.get().saturating_sub(known.size()));
        }
        if self.bytes.get() + entry.size() > MAX_BYTES {
            // An instance serves at most 128 requests, so choosing which entries to evict would cost more than it saves.
            entries.clear();
            self.bytes.set(0);
        }
        self.bytes.set(self.bytes.get() + entry.size());
        entries.insert(entry.metadata.key_text.clone(), entry);
    }

    /// Deletes an entry.
    pub fn delete_entry(&self, key_text: &str) {
        if let Some(known) = self.entries.borrow_mut().remove(key_text) {
            self.bytes.set(self.bytes.get().saturating_sub(known.size()));
        }
    }

    /// Returns the tombstones of a kind that this instance has read.
    pub(crate) const fn tombstones(&self, tombstone: Tombstone) -> &RecentReads<TombstoneValue> {
        match tombstone {
            Tombstone::Invalidation => &self.invalidations,
            Tombstone::Purge => &self.purges,
        }
    }

    /// Returns when the last invalidation that this instance wrote ends, in milliseconds since the epoch; `i64::MIN` if this
    /// instance wrote no invalidation.
    pub fn invalidated_until(&self, scope: &str) -> i64 {
        let mut invalidated_until = self.invalidated_until.borrow_mut();
        invalidated_until.get(scope).copied().unwrap_or(i64::MIN)
    }

    /// Returns the position after which this instance looks whether a snapshot of a leaderboard is due; 0 if it has not looked yet.
    pub(crate) fn snapshot_due_after(&self, scope: &str) -> u64 {
        self.snapshots_due_after
            .borrow_mut()
            .get(scope)
            .copied()
            .unwrap_or_default()
    }

    /// Sets the position after which this instance looks whether a snapshot of a leaderboard is due.
    pub(crate) fn set_snapshot_due_after(&self, scope: &str, position: u64) {
        self.snapshots_due_after
            .borrow_mut()
            .insert(scope.into(), position);
    }

    /// Sets when the last invalidation that this instance wrote ends, in milliseconds since the epoch.
    pub fn set_invalidated_until(&self, scope: &str, until: i64) {
        self.invalidated_until.borrow_mut().insert(scope.into(), until);
    }
}
