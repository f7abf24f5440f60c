//! What a request is answered with: the stores, the clock, randomness, and the way out to other services.
//!
//! The composition root implements [`Environment`] for each request. Each crate that keeps state in the instance has a trait of its
//! own that gives access to this state, so that no crate sees the state of another.

mod fetch;

pub use fetch::{Fetch, FetchError};

use std::rc::Rc;

use leaderboard_core::usecase::{LeaderboardMemory, Store};
use leaderboard_core::{TenantId, Timestamp, ports};

/// The environment of one request. A clone refers to the same environment, for work that goes on after the response.
#[expect(
    async_fn_in_trait,
    reason = "a component runs on one thread, so no Send bound is wanted"
)]
pub trait Environment: Clone + 'static {
    /// The store of record.
    type Store: Store
        + ports::Bans
        + ports::Events
        + ports::DeadLetters
        + ports::Readiness
        + ports::Documents
        + ports::RateLimits
        + ports::Counters
        + ports::AuditLog
        + ports::Announcements;
    /// The region's cache.
    type Cache: ports::Cache;
    /// The way out to other services.
    type Fetch: Fetch;

    /// What the instance keeps between its requests. Each crate asks for the part that it needs with a bound such as
    /// `State: AsRef<CacheState>`.
    type State;

    /// What the instance keeps between its requests.
    fn state(&self) -> &Self::State;
    /// The store of record.
    fn store(&self) -> &Self::Store;
    /// The region's cache, where it stands in front of a store that is elsewhere.
    fn cache(&self) -> Option<&Self::Cache>;
    /// The region's cache, whatever the store is: for what is costly to make, such as finished views.
    fn region(&self) -> &Self::Cache;
    /// The way out to other services.
    fn fetch(&self) -> &Self::Fetch;
    /// What this instance remembers of configurations.
    fn boards(&self) -> &LeaderboardMemory;
    /// The instant of the request. Called once for each request.
    fn now(&self) -> Timestamp;
    /// The clock, read again: for work that goes on after the response, and for how long something took.
    fn clock(&self) -> Timestamp;
    /// The tenant of a request that names none.
    fn default_tenant(&self) -> &TenantId;
    /// The region's channel on which changed leaderboards are announced; `None` when changes are not announced.
    fn changes_channel(&self) -> Option<&Rc<str>>;
    /// 16 random bytes, not all of them zero.
    fn new_trace_id(&self) -> [u8; 16];
    /// 32 bytes that nobody can guess.
    ///
    /// # Errors
    /// When the host has no randomness.
    fn random(&self) -> Result<[u8; 32], leaderboard_core::StoreError>;
    /// Runs `work` after the response has gone out. The instance lives until `work` is done.
    fn later(&self, work: impl Future<Output = ()> + 'static);
    /// Waits. A request waits for another one by looking again after a pause (docs/decisions/0012).
    async fn pause(&self, milliseconds: u64);
}
