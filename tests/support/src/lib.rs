//! Tools that tests share: servers for single tests, native connections to both stores, a running service, a
//! client of its API, and example values.
//!
//! Each feature adds one part. `redis` and `sqlite` add the connections and the stores that use them,
//! `client` adds the client of the API, and `service` adds the real components on the local host.

mod backends;
#[cfg(feature = "client")]
mod client;
#[cfg(feature = "client")]
mod expected;
mod held_link;
#[cfg(feature = "redis")]
pub mod native_redis;
#[cfg(feature = "sqlite")]
pub mod native_sqlite;
mod no_cache;
mod paths;
mod pseudo_random;
mod redis_server;
#[cfg(feature = "client")]
mod request;
#[cfg(feature = "service")]
mod service;
#[cfg(feature = "service")]
mod shared_service;
mod stores;
#[cfg(feature = "client")]
mod transport;
pub mod values;
mod wait;

#[cfg(feature = "sqlite")]
pub use backends::SqliteBackend;
pub use backends::{AllPorts, LeaderboardPorts, StoreBackend};
#[cfg(feature = "redis")]
pub use backends::{RedisBackend, ShardedBackend};
#[cfg(feature = "client")]
pub use client::{ADMIN_KEY, ApiClient};
#[cfg(feature = "client")]
pub use expected::{ExpectedTies, ListedEntry, ScoreOrder, ScoredPlayer, ranked_entries};
pub use held_link::HeldLink;
pub use no_cache::NoCache;
pub use paths::{built_program, project_root, target_dir, tool_program};
pub use pseudo_random::PseudoRandom;
pub use redis_server::{RedisServer, free_port};
#[cfg(feature = "client")]
pub use request::{ApiRequest, ApiResponse, encode_segment};
#[cfg(feature = "service")]
pub use service::{StoreKind, TestService, host_config, state_dir};
#[cfg(feature = "service")]
pub use shared_service::run_on_shared_service;
pub use stores::{
    ALL, RankedLine, StoreFixture, put_leaderboard, ranked_line, ranked_lines, run_on, with_submission_id,
};
#[cfg(feature = "client")]
pub use transport::{HttpTransport, Transport};
pub use wait::{block_on, wait_until};
