//! Finished answers that are used again: instance memory, then the region's key-value store, then the store.
//!
//! A entry is the whole answer to one key in one representation, as an ordinary reader sees it. It carries all that a hit
//! needs to know, so a hit asks nobody for the leaderboard's configuration. Whoever changes a leaderboard marks it in the
//! region ([`changes`]); the mark is looked at every [`MEMORY_TRUST_MS`], and what was made before it is not taken for fresh
//! any more. docs/decisions/0016 tells reason.

mod answer;
mod cache_entry;
mod cache_key;
mod changes;
mod cost;
mod fetch;
mod freshness;
mod hidden;
mod instance_state;
mod known;
mod lease;
mod make;
mod memory_tier;
mod message;
mod name;
mod region;
mod request_directives;
mod serve;
mod single_flight;
mod warm;
mod writers;

use leaderboard_environment::Environment;
use leaderboard_pipeline::PipelineEnvironment;

pub use cache_key::{CacheKey, CachedRead};
pub use cost::{units_made_alone, units_of_listed};
pub use hidden::{answer, refusal, respond};
pub use instance_state::InstanceState;
pub use memory_tier::MemoryTier;
pub use message::{ChangesError, apply_change_message};
pub use writers::{changed, deleted, exists, invalidate_if_submitted, invalidating, made_private, submitted};

/// How long an instance uses what it remembers without looking for a change in the region, in milliseconds.
const MEMORY_TRUST_MS: i64 = 20;

/// An environment whose instance caches responses.
pub trait ResponseEnvironment: PipelineEnvironment + Environment<State: AsRef<MemoryTier>> {
    /// Returns the memory tier of cached responses.
    fn responses(&self) -> &MemoryTier {
        self.state().as_ref()
    }
}

impl<E: PipelineEnvironment + Environment<State: AsRef<MemoryTier>>> ResponseEnvironment for E {}
