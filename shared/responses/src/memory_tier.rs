//! What an instance remembers of views, and of changes.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use leaderboard_core::Timestamp;

use super::cache_entry::CacheEntry;
use super::freshness::MAX_AHEAD_MS;
use super::single_flight::SingleFlight;

/// How many bytes of views an instance remembers, about.
const MAX_BYTES: usize = 8 << 20;
/// How many leaderboards' changes an instance remembers.
const MAX_PLACES: usize = 1_000;

/// What the region has noted of a leaderboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadMark {
    /// When the region was request, in milliseconds since the epoch.
    pub checked_at: i64,
    /// The instant that was noted, likewise.
    pub instant: i64,
}

impl ReadMark {
    /// The instant, if the region was request within so many milliseconds, and not by a clock that was ahead.
    pub fn within(self, trust_ms: i64, now: i64) -> Option<i64> {
        (0..trust_ms)
            .contains(&(now - self.checked_at))
            .then_some(self.instant)
    }
}

/// An instance's memory of views.
#[derive(Debug, Default)]
pub struct MemoryTier {
    views: RefCell<HashMap<Box<str>, Rc<CacheEntry>>>,
    bytes: Cell<usize>,
    /// Until when leaderboards change.
    seen: RefCell<HashMap<Box<str>, ReadMark>>,
    /// Before when answers about them are void.
    void: RefCell<HashMap<Box<str>, ReadMark>>,
    /// Until when a writer has marked a leaderboard as changing.
    marked: RefCell<HashMap<Box<str>, i64>>,
    /// Leaderboards whose answers are not kept, and since when that is known.
    uncached: RefCell<HashMap<Box<str>, i64>>,
    pub single_flight: SingleFlight,
    /// Whose warm views are being made.
    pub warming: SingleFlight,
}

impl MemoryTier {
    pub fn find(&self, name: &str) -> Option<Rc<CacheEntry>> {
        self.views.borrow().get(name).cloned()
    }

    /// Remembers a entry, unless a later one is there, or the same with the codings of its body.
    pub fn remember(&self, entry: Rc<CacheEntry>, now: Timestamp) {
        let mut views = self.views.borrow_mut();
        if let Some(known) = views.get(&entry.metadata.name) {
            let (known_at, made_at) = (known.metadata.made_at, entry.metadata.made_at);
            let believable = known_at <= now.saturating_add_ms(MAX_AHEAD_MS);
            let same = known_at == made_at && known.metadata.etag == entry.metadata.etag;
            if believable && (known_at > made_at || same) {
                return;
            }
            self.bytes.set(self.bytes.get().saturating_sub(known.size()));
        }
        if self.bytes.get() + entry.size() > MAX_BYTES {
            // An instance lives for some requests only: it is not worth knowing which entry is the best to lose.
            views.clear();
            self.bytes.set(0);
        }
        self.bytes.set(self.bytes.get() + entry.size());
        views.insert(entry.metadata.name.clone(), entry);
    }

    /// Forgets a entry that answers nothing any more.
    pub fn forget(&self, name: &str) {
        if let Some(known) = self.views.borrow_mut().remove(name) {
            self.bytes.set(self.bytes.get().saturating_sub(known.size()));
        }
    }

    pub fn seen(&self, place: &str) -> Option<ReadMark> {
        self.seen.borrow().get(place).copied()
    }

    pub fn see(&self, place: &str, seen: ReadMark) {
        put(&mut self.seen.borrow_mut(), place, seen);
    }

    pub fn void(&self, place: &str) -> Option<ReadMark> {
        self.void.borrow().get(place).copied()
    }

    pub fn see_void(&self, place: &str, seen: ReadMark) {
        put(&mut self.void.borrow_mut(), place, seen);
    }

    /// Until when a writer of this instance has marked a leaderboard, or a tenant.
    pub fn marked_until(&self, place: &str) -> i64 {
        self.marked.borrow().get(place).copied().unwrap_or(i64::MIN)
    }

    pub fn mark(&self, place: &str, until: i64) {
        put(&mut self.marked.borrow_mut(), place, until);
    }

    /// Whether the answers about a leaderboard were not to be kept, when one was last made within `trust_ms`.
    pub fn is_uncached(&self, place: &str, now: Timestamp, trust_ms: i64) -> bool {
        let since = self.uncached.borrow().get(place).copied();
        since.is_some_and(|since| (0..trust_ms).contains(&(now.as_unix_ms() - since)))
    }

    pub fn set_uncached(&self, place: &str, now: Timestamp, uncached: bool) {
        if uncached {
            put(&mut self.uncached.borrow_mut(), place, now.as_unix_ms());
        } else if !self.uncached.borrow().is_empty() {
            self.uncached.borrow_mut().remove(place);
        }
    }
}

fn put<T>(known: &mut HashMap<Box<str>, T>, place: &str, value: T) {
    if let Some(known) = known.get_mut(place) {
        *known = value;
        return;
    }
    if known.len() >= MAX_PLACES {
        known.clear();
    }
    known.insert(place.into(), value);
}
