//! The documents of a group, in the form that both tiers store.

use std::rc::Rc;

use leaderboard_core::{Timestamp, Versioned};

use crate::freshness::CLOCK_MARGIN_MS;

/// A number that identifies the last change of a document in a slot. Each change gets a new number; 0 means that no document has
/// changed yet.
pub(crate) type Generation = u64;

/// The bodies of some documents, in the order of their names; `None` for a document that does not exist.
pub type DocumentBodies = Vec<Option<Versioned<Vec<u8>>>>;

/// The cached documents of a group.
#[derive(Debug, Clone)]
pub struct CachedDocuments {
    /// The documents.
    pub bodies: Rc<DocumentBodies>,
    /// The instant just before the store was asked.
    pub checked_at: Timestamp,
    /// The generation that the group's slot had before the store was asked.
    pub(crate) generation: Generation,
    /// Whether a document exists that no other group has.
    pub(crate) has_own_documents: bool,
}

impl CachedDocuments {
    /// Returns whether the store was not asked further in the future than clocks differ: a wrong clock dated such documents.
    pub(crate) const fn has_plausible_time(&self, now: Timestamp) -> bool {
        self.age_ms(now) >= -CLOCK_MARGIN_MS
    }

    pub(crate) const fn age_ms(&self, now: Timestamp) -> i64 {
        now.as_unix_ms() - self.checked_at.as_unix_ms()
    }
}
