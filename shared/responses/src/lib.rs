//! Cached responses about leaderboards. A cached read goes through these files, in this order (docs/decisions/0016):
//!
//! 1. [`serve`] makes the cache key, and charges a caller without a credential the same units for a private leaderboard as for one
//!    that does not exist.
//! 2. [`period_names`] replaces an instant or a date in the [`cache_key`] by the id of its period.
//! 3. [`serve`] looks in the [`memory_tier`]; [`invalidation`] and [`freshness`] decide whether that entry may be used.
//! 4. On a miss, [`leaderboard_cache::single_flight`] makes one request of the instance the leader; the others wait for it.
//! 5. [`fetch`] looks in the [`key_value_tier`]; then a [`leaderboard_cache::lease`] makes one instance of the region ask the store.
//! 6. [`store_fetch`] asks the store and makes the [`cache_entry`], which both tiers store.
//! 7. [`response`] selects the coding, checks preconditions, and sets the cache headers.
//!
//! Step 6 asks the region's replica if it has one ([`replica`]).
//!
//! A write goes through [`after_write`]: it writes a tombstone, and [`warm`] makes the warm responses again. Other regions do the
//! same for each [`change_message`].

mod after_write;
mod cache_entry;
mod cache_key;
mod change_message;
mod cost;
mod fetch;
mod fetch_outcome;
mod freshness;
mod instance_state;
mod invalidation;
mod key_value_tier;
mod memory_tier;
mod period_names;
mod private_leaderboards;
mod replica;
mod request_directives;
mod response;
mod serve;
mod snapshots;
mod store_fetch;
mod sweep;
mod tombstones;
mod warm;

use leaderboard_core::ports::ReadSource;
use leaderboard_core::usecase::Deps;
use leaderboard_core::{TenantId, Timestamp};
use leaderboard_environment::Environment;
use leaderboard_pipeline::PipelineEnvironment;

pub use after_write::{
    has_seen_leaderboard, invalidate_if_submitted, invalidate_submitted, purge_and_announce, purge_deleted,
    purge_made_private, with_invalidated_groups,
};
pub use cache_key::CachedRead;
pub use change_message::{ChangesError, apply_change_message};
pub use cost::{
    units_of_comparison, units_of_export, units_of_import, units_of_listed_leaderboards, units_of_replay,
    units_of_scanned_events, units_of_uncached_entries,
};
pub use instance_state::InstanceState;
pub use memory_tier::MemoryTier;
pub use private_leaderboards::refuse_read;
pub use replica::{MAX_REPLICA_LAG_MS, read_uncached};
pub use serve::answer_read;
pub use snapshots::{save_snapshot_later, take_due_snapshots};
pub use sweep::sweep_later;

/// An environment whose instance caches responses.
pub trait ResponseEnvironment: PipelineEnvironment + Environment<State: AsRef<MemoryTier>> {
    /// Returns the memory tier of cached responses.
    fn responses(&self) -> &MemoryTier {
        self.state().as_ref()
    }
}

impl<E: PipelineEnvironment + Environment<State: AsRef<MemoryTier>>> ResponseEnvironment for E {}

/// Returns the ports that a use case needs at the instant `now`.
fn build_deps<'a, E: ResponseEnvironment>(
    env: &'a E,
    tenant: &'a TenantId,
    now: Timestamp,
) -> Deps<'a, E::Store, E::Cache> {
    Deps {
        store: env.store(),
        cache: env.cache(),
        leaderboard_memory: env.leaderboard_memory(),
        tenant,
        now,
        source: ReadSource::Primary,
    }
}
