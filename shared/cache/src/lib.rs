//! The cache: what every cached value of an instance and its region has in common.
//!
//! A cached value is looked for in the memory of the instance (memory tier), then in the region's key-value store (key-value tier),
//! and is fetched from its origin after that.
//!
//! 1. [`freshness`] says for what a cached value may still be used.
//! 2. [`single_flight`] lets one task of an instance fetch a value, [`lease`] one instance of a region.
//! 3. [`circuit_breaker`] says whether the store answers; while it does not, older values are used.
//! 4. [`slots`] is the key-value tier of documents. It also says when documents, or the responses that depend on them, changed.
//! 5. [`documents`] loads configuration documents through both tiers.

mod cached_documents;
pub mod circuit_breaker;
pub mod documents;
pub mod freshness;
pub mod lease;
pub mod single_flight;
pub mod slots;

pub use cached_documents::{CachedDocuments, DocumentBodies};

use leaderboard_environment::Environment;

/// An environment whose instance has a cache.
pub trait CacheEnvironment: Environment<State: AsRef<CacheState>> {
    /// Returns what this instance caches.
    fn cache_state(&self) -> &CacheState {
        self.state().as_ref()
    }
}

impl<E: Environment<State: AsRef<CacheState>>> CacheEnvironment for E {}

/// What an instance knows of documents, and of whether the store answers.
#[derive(Debug, Default)]
pub struct CacheState {
    /// Whether the store answers.
    pub breaker: circuit_breaker::CircuitBreaker,
    /// Cached documents.
    pub documents: documents::DocumentCache,
    /// What the slots of documents said when they were read last.
    pub slots: slots::SlotMemory,
    /// The tasks that fetch documents again after a response.
    refreshes: single_flight::SingleFlight<()>,
}

/// Returns the FNV-1a hash, which is the same in every instance. It only spreads keys: a client that constructs a collision causes a
/// miss.
pub fn hash_fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
