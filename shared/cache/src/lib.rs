//! The cache: documents in tiers, their generations, and the circuit breaker in front of the store.

pub mod circuit_breaker;
pub mod documents;
pub mod generations;

use leaderboard_environment::Environment;

/// An environment whose instance has a cache.
pub trait CacheEnvironment: Environment<State: AsRef<CacheState>> {
    /// Returns the memory tier of this instance.
    fn cache_state(&self) -> &CacheState {
        self.state().as_ref()
    }
}

impl<E: Environment<State: AsRef<CacheState>>> CacheEnvironment for E {}

/// What an instance keeps of documents and of the store's state.
#[derive(Debug, Default)]
pub struct CacheState {
    /// Whether the store answers.
    pub breaker: circuit_breaker::CircuitBreaker,
    /// Cached documents.
    pub documents: documents::DocumentCache,
    /// Which generation of documents holds in the region.
    pub generations: generations::Generations,
}
