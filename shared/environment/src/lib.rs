//! What the service needs from its host: the stores, the clock, randomness, and requests to other services.
//!
//! The composition root implements [`Environment`] for each request. Each crate that keeps state in the instance has its own
//! trait for access to this state, so that no crate sees the state of another. `fetch` has the trait for outgoing requests.

mod fetch;

pub use fetch::{Fetch, FetchError, PostRequest, PostResponse};

use std::rc::Rc;

use leaderboard_core::usecase::{LeaderboardMemory, Store};
use leaderboard_core::{TenantId, Timestamp, ports};

/// The environment of one request. A clone refers to the same environment; work that continues after the response uses a clone.
#[expect(
    async_fn_in_trait,
    reason = "a component runs on one thread, so no Send bound is wanted"
)]
pub trait Environment: Clone + 'static {
    /// The store of record.
    type Store: Store
        + ports::Bans
        + ports::Erasures
        + ports::Events
        + ports::Snapshots
        + ports::EntryRepair
        + ports::Exports
        + ports::Imports
        + ports::DeadLetters
        + ports::Queue
        + ports::Readiness
        + ports::Replica
        + ports::Shards
        + ports::Documents
        + ports::RateLimits
        + ports::Counters
        + ports::AuditLog
        + ports::Announcements;
    /// The region's key-value store.
    type Cache: ports::Cache;
    /// Sends requests to other services.
    type Fetch: Fetch;

    /// The state that the instance keeps between requests. Each crate asks for the part that it needs with a bound such as
    /// `State: AsRef<CacheState>`.
    type State;

    /// Returns the state that the instance keeps between requests.
    fn state(&self) -> &Self::State;
    /// Returns the store of record.
    fn store(&self) -> &Self::Store;
    /// Returns the region's cache for data of the store; `None` if the store is embedded, because its reads need no cache.
    fn cache(&self) -> Option<&Self::Cache>;
    /// Returns the region's key-value store, which exists with every kind of store. It has what all instances of the region share:
    /// cached responses and documents, tombstones, leases, usage of rate limits.
    fn key_value_store(&self) -> &Self::Cache;
    /// Returns the sender of requests to other services.
    fn fetch(&self) -> &Self::Fetch;
    /// Returns the configurations of leaderboards that this instance has read.
    fn leaderboard_memory(&self) -> &LeaderboardMemory;
    /// Returns the instant at which the request began.
    fn now(&self) -> Timestamp;
    /// Returns the same environment with the present instant as its `now`, for work that goes on long after the response.
    #[must_use]
    fn renewed(&self) -> Self;
    /// Reads the clock, for work after the response and for durations.
    fn clock(&self) -> Timestamp;
    /// Returns the tenant of a request that does not name a tenant.
    fn default_tenant(&self) -> &TenantId;
    /// Returns the channel on which changed leaderboards are announced; `None` when changes are not announced.
    fn changes_channel(&self) -> Option<&Rc<str>>;
    /// Returns 16 random bytes, at least one of which is not zero.
    fn new_trace_id(&self) -> [u8; 16];
    /// Returns 32 bytes that nobody can guess.
    ///
    /// # Errors
    /// When the host has no source of randomness.
    fn random(&self) -> Result<[u8; 32], leaderboard_core::StoreError>;
    /// Runs `work` after the response has been sent. The instance lives until `work` is done.
    fn later(&self, work: impl Future<Output = ()> + 'static);
    /// Waits for this many milliseconds. A request that waits for another request checks again after each pause
    /// (docs/decisions/0012).
    async fn pause(&self, milliseconds: u64);
}
