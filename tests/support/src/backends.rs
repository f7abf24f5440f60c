//! The backends of stores: a file of SQLite, a Redis server.

use leaderboard_core::ports::{
    AuditLog, Bans, Counters, DeadLetters, Documents, Erasures, Events, Leaderboards, Queue, RateLimits,
    Readiness, Scores, Standings,
};
#[cfg(feature = "redis")]
use leaderboard_redis::RedisStore;
#[cfg(feature = "sqlite")]
use leaderboard_sqlite::SqliteStore;

#[cfg(feature = "redis")]
use crate::RedisServer;
#[cfg(feature = "redis")]
use crate::native_redis::{self, NativeRedis};
#[cfg(feature = "sqlite")]
use crate::native_sqlite::NativeSqlite;

/// The ports of leaderboards and their scores.
pub trait LeaderboardPorts: Scores + Bans + Events + Leaderboards + DeadLetters + Readiness {}
impl<S: Scores + Bans + Events + Leaderboards + DeadLetters + Readiness> LeaderboardPorts for S {}

/// All ports that a store offers.
pub trait AllPorts:
    LeaderboardPorts + Standings + Documents + RateLimits + Counters + AuditLog + Queue + Erasures
{
}
impl<S: LeaderboardPorts + Standings + Documents + RateLimits + Counters + AuditLog + Queue + Erasures>
    AllPorts for S
{
}

/// Where stores keep their data. Two stores on one backend see the same data.
pub trait StoreBackend {
    /// The type of a store on this backend.
    type Store: AllPorts;
    /// Creates a backend without data.
    fn new() -> Self;
    /// Opens a store.
    fn open(&self) -> impl Future<Output = Self::Store>;
}

/// A directory whose files are in memory. Not every system has it. Commits to a disk take longer, and tests
/// do not need them.
#[cfg(feature = "sqlite")]
const IN_MEMORY: &str = "/dev/shm";

/// A backend with one SQLite database file.
#[cfg(feature = "sqlite")]
#[derive(Debug)]
pub struct SqliteBackend(tempfile::TempDir);

#[cfg(feature = "sqlite")]
#[expect(clippy::unwrap_used, reason = "a test stops where it cannot go on")]
impl StoreBackend for SqliteBackend {
    type Store = SqliteStore<NativeSqlite>;

    fn new() -> Self {
        let in_memory = tempfile::tempdir_in(IN_MEMORY);
        Self(in_memory.or_else(|_| tempfile::tempdir()).unwrap())
    }

    async fn open(&self) -> Self::Store {
        SqliteStore::new(NativeSqlite::open(self.0.path().join("edgeboard.db")).unwrap())
    }
}

/// A backend with one Redis server.
#[cfg(feature = "redis")]
#[derive(Debug)]
pub struct RedisBackend(pub RedisServer);

#[cfg(feature = "redis")]
impl StoreBackend for RedisBackend {
    type Store = RedisStore<NativeRedis>;

    fn new() -> Self {
        Self(RedisServer::start())
    }

    async fn open(&self) -> Self::Store {
        RedisStore::new(native_redis::connect(&self.0.url()).await)
    }
}
