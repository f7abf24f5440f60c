//! The document cache, and the circuit breaker in front of the store. A cached read of documents goes through these files, in
//! this order:
//!
//! 1. [`documents`] looks in the memory tier, then in the region's key-value store, and asks the store after that.
//! 2. [`generations`] says whether a cached copy is older than the last change of the documents.
//! 3. [`circuit_breaker`] says whether the store answers; while it does not, an older copy is used.

pub mod circuit_breaker;
pub mod documents;
pub mod generations;

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
    /// The generation of each group of documents.
    pub generations: generations::Generations,
}
