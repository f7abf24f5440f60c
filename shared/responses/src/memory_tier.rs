//! The memory tier: the entries and tombstones that an instance keeps in its memory.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use leaderboard_cache::freshness::CLOCK_MARGIN_MS;
use leaderboard_cache::single_flight::SingleFlight;
use leaderboard_core::Timestamp;

use super::cache_entry::CacheEntry;
use super::fetch_outcome::FetchOutcome;
use super::tombstones::Tombstone;

/// How many bytes of entries an instance keeps, approximately.
const MAX_BYTES: usize = 8 << 20;
/// How many scopes (leaderboards, tenants) each map of tombstones holds.
const MAX_SCOPES: usize = 1_000;

/// A tombstone, and when this instance read it from the key-value store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ReadTombstone {
    /// The instant just before the key-value store was asked, in milliseconds since the epoch.
    pub read_at: i64,
    /// The tombstone's instant, in milliseconds since the epoch.
    pub instant: i64,
}

impl ReadTombstone {
    /// Returns the tombstone's instant if this instance read it within the last `ttl_ms`. Returns `None` if the read is older, or
    /// lies in the future because the clock was set back.
    pub(crate) fn instant_if_recent(self, ttl_ms: i64, now: i64) -> Option<i64> {
        (0..ttl_ms)
            .contains(&(now - self.read_at))
            .then_some(self.instant)
    }
}

/// Values by scope: `tenant:leaderboard`, or `tenant`.
type ByScope<T> = RefCell<HashMap<Box<str>, T>>;

/// The memory tier of an instance.
#[derive(Debug, Default)]
pub struct MemoryTier {
    /// The entries, by the text of their cache keys.
    entries: RefCell<HashMap<Box<str>, Rc<CacheEntry>>>,
    /// How many bytes `entries` take.
    bytes: Cell<usize>,
    invalidations: ByScope<ReadTombstone>,
    purges: ByScope<ReadTombstone>,
    /// When the last invalidation that this instance wrote ends, in milliseconds since the epoch.
    invalidated_until: ByScope<i64>,
    /// The leaderboards whose responses may not be stored, and when this instance read their configuration, in milliseconds since
    /// the epoch.
    uncached: ByScope<i64>,
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

    /// Returns a tombstone as this instance last read it.
    pub(crate) fn find_tombstone(&self, tombstone: Tombstone, scope: &str) -> Option<ReadTombstone> {
        self.tombstones(tombstone).borrow().get(scope).copied()
    }

    /// Stores a tombstone that this instance has read.
    pub(crate) fn store_tombstone(&self, tombstone: Tombstone, scope: &str, read: ReadTombstone) {
        insert_bounded(&mut self.tombstones(tombstone).borrow_mut(), scope, read);
    }

    const fn tombstones(&self, tombstone: Tombstone) -> &ByScope<ReadTombstone> {
        match tombstone {
            Tombstone::Invalidation => &self.invalidations,
            Tombstone::Purge => &self.purges,
        }
    }

    /// Returns when the last invalidation that this instance wrote ends, in milliseconds since the epoch; `i64::MIN` if there is
    /// none.
    pub fn invalidated_until(&self, scope: &str) -> i64 {
        self.invalidated_until
            .borrow()
            .get(scope)
            .copied()
            .unwrap_or(i64::MIN)
    }

    /// Sets when the last invalidation that this instance wrote ends, in milliseconds since the epoch.
    pub fn set_invalidated_until(&self, scope: &str, until: i64) {
        insert_bounded(&mut self.invalidated_until.borrow_mut(), scope, until);
    }

    /// Returns whether a leaderboard's responses may not be stored, if this instance read that within the last `ttl_ms`;
    /// otherwise false.
    pub fn is_uncached(&self, scope: &str, now: Timestamp, ttl_ms: i64) -> bool {
        let since = self.uncached.borrow().get(scope).copied();
        since.is_some_and(|since| (0..ttl_ms).contains(&(now.as_unix_ms() - since)))
    }

    /// Sets whether a leaderboard's responses may not be stored.
    pub fn set_uncached(&self, scope: &str, now: Timestamp, uncached: bool) {
        if uncached {
            insert_bounded(&mut self.uncached.borrow_mut(), scope, now.as_unix_ms());
        } else if !self.uncached.borrow().is_empty() {
            self.uncached.borrow_mut().remove(scope);
        }
    }
}

/// Inserts a value. If the map is full, clears it first; every value can be read again from the key-value store.
fn insert_bounded<T>(map: &mut HashMap<Box<str>, T>, scope: &str, value: T) {
    if let Some(known) = map.get_mut(scope) {
        *known = value;
        return;
    }
    if map.len() >= MAX_SCOPES {
        map.clear();
    }
    map.insert(scope.into(), value);
}
