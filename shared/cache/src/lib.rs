//! The cache: the parts that cached documents and cached responses share.
//!
//! A cached value is looked for in the memory of the instance (memory tier), then in the region's key-value store (key-value
//! tier). If neither tier has the value, it is fetched from its origin.
//!
//! 1. [`freshness`] decides what a cached value may be used for.
//! 2. [`single_flight`] lets one task of an instance fetch a value; [`lease`] lets one instance of a region fetch it.
//! 3. [`circuit_breaker`] knows whether the store answers; while the store does not answer, older values are used.
//! 4. [`slots`] is the key-value tier of documents. It also says when documents, or the responses that depend on them, changed.
//! 5. [`documents`] loads configuration documents through both tiers.

mod cached_documents;
pub mod circuit_breaker;
pub mod documents;
pub mod freshness;
pub mod lease;
mod recent_reads;
pub mod single_flight;
mod slot;
pub mod slots;

pub use cached_documents::{CachedDocuments, DocumentBodies};
pub use recent_reads::RecentReads;
pub use slot::{GroupChanges, MAX_FUTURE_MS};

use leaderboard_environment::Environment;

/// An environment whose instance has a cache.
pub trait CacheEnvironment: Environment<State: AsRef<CacheState>> {
    /// Returns the state of this instance's cache.
    fn cache_state(&self) -> &CacheState {
        self.state().as_ref()
    }
}

impl<E: Environment<State: AsRef<CacheState>>> CacheEnvironment for E {}

/// The state of an instance's cache: documents, slots, and whether the store answers.
#[derive(Debug, Default)]
pub struct CacheState {
    /// The circuit breakers, which know whether the shards of the store answer.
    pub breakers: circuit_breaker::ShardBreakers,
    /// The circuit breaker of the region's replica.
    replica_breaker: circuit_breaker::CircuitBreaker,
    /// Cached documents.
    pub documents: documents::DocumentCache,
    /// The changes in the slots that the instance has read, by the keys of the slots.
    pub slots: RecentReads<GroupChanges>,
    /// The tasks that fetch documents again after a response.
    refreshes: single_flight::SingleFlight<()>,
}

/// Returns the FNV-1a hash, which is the same in every instance. The hash only distributes keys over slots: a client that
/// constructs a collision only causes a miss.
pub fn hash_fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
