//! The backends of stores: a file of SQLite, a Redis server.

use leaderboard_core::ports::{
    AuditLog, Bans, Counters, DeadLetters, Documents, EntryRepair, Erasures, Events, Exports, Imports,
    Leaderboards, Queue, RateLimits, Readiness, Scores, Snapshots, Standings,
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
    LeaderboardPorts
    + Snapshots
    + EntryRepair
    + Exports
    + Imports
    + Standings
    + Documents
    + RateLimits
    + Counters
    + AuditLog
    + Queue
    + Erasures
{
}
impl<S> AllPorts for S where
    S: LeaderboardPorts
        + Snapshots
        + EntryRepair
        + Exports
        + Imports
        + Standings
        + Documents
        + RateLimits
        + Counters
        + AuditLog
        + Queue
        + Erasures
{
}

/// Where stores keep their data. Two stores on one backend see the same data.
pub trait StoreBackend: Sync {
    /// The type of a store on this backend.
    type Store: AllPorts;
    /// Creates a backend without data.
    fn new() -> Self;
    /// Opens a store.
    fn open(&self) -> impl Future<Output = Self::Store>;
    /// Changes stored data without the store: by SQL in SQLite, by a script in Redis.
    fn damage(&self, sql: &str, script: &str) -> impl Future<Output = ()>;
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
        SqliteStore::new(NativeSqlite::open(self.path()).unwrap())
    }

    async fn damage(&self, sql: &str, _script: &str) {
        let connection = rusqlite::Connection::open(self.path()).unwrap();
        connection.execute_batch(sql).unwrap();
    }
}

#[cfg(feature = "sqlite")]
impl SqliteBackend {
    fn path(&self) -> std::path::PathBuf {
        self.0.path().join("edgeboard.db")
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

    #[expect(clippy::unwrap_used, reason = "a test stops where it cannot go on")]
    async fn damage(&self, _sql: &str, script: &str) {
        let connection = native_redis::connect(&self.0.url()).await;
        let arguments: [&[u8]; 2] = [script.as_bytes(), b"0"];
        leaderboard_redis::Connection::command(&connection, "EVAL", &arguments)
            .await
            .unwrap();
    }
}

/// A backend with Redis servers that are shards; a new one has three.
#[cfg(feature = "redis")]
#[derive(Debug)]
pub struct ShardedBackend(pub Vec<RedisServer>);

#[cfg(feature = "redis")]
impl StoreBackend for ShardedBackend {
    type Store = RedisStore<NativeRedis>;

    fn new() -> Self {
        Self((0..3).map(|_| RedisServer::start()).collect())
    }

    #[expect(clippy::unwrap_used, reason = "a test stops where it cannot go on")]
    async fn open(&self) -> Self::Store {
        let (first, further) = self.0.split_first().unwrap();
        let mut store = RedisStore::new(native_redis::connect(&first.url()).await);
        for server in further {
            store = store.with_shard(native_redis::connect(&server.url()).await);
        }
        store
    }

    async fn damage(&self, _sql: &str, script: &str) {
        let mut ran = false;
        for server in &self.0 {
            let connection = native_redis::connect(&server.url()).await;
            let arguments: [&[u8]; 2] = [script.as_bytes(), b"0"];
            // A script can fail on a shard that does not have its keys.
            ran |= leaderboard_redis::Connection::command(&connection, "EVAL", &arguments)
                .await
                .is_ok();
        }
        assert!(ran, "the script failed on every shard");
    }
}
