//! The leaderboard ports on SQLite, which is embedded and the default: for up to about a million players in a period.
//!
//! The library is generic over a small trait [`Connection`] (one statement in each call), so that it runs both in a component and
//! in a native test.
//!
//! The requests of an instance share one connection, which can have one transaction. A statement does not let other requests run,
//! so a transaction that has begun ends before another request uses the connection (`store.rs`). Writes run in `BEGIN IMMEDIATE`.
//!
//! **Durability.** The file is in WAL mode with `synchronous = FULL`: a commit is on the disk before the response is sent. So if
//! the machine loses power, no score is lost whose response was sent. [`Synchronous::Normal`] saves this flush (0.1 to 6 ms for each
//! call, depending on the disk and its load) and can lose the last commits. A call is one commit for up to 128 submissions, so the
//! flush hardly slows an import. Calls that arrive together share a commit (`group_commit.rs`).
//!
//! **Ranks** are counted by blocks of entries (`rank_blocks.rs`), which read about 200 rows, not all rows before the entry.
//!
//! **Deleted data** (of deleted leaderboards and expired periods) is invisible at once. Calls that write delete its rows, a
//! thousand at a time. They also delete full rate-limit buckets, old days of usage and the oldest audit records in small steps.
//!
//! **Rate limits** use the clock of the machine that has the file, in milliseconds. A charge is part of the same transaction as
//! the submissions that it is for.

mod audit;
mod ban_records;
mod bans;
mod batch;
mod charges;
mod configuration;
mod connection;
mod counters;
mod counting;
mod dead_letters;
mod documents;
mod entries;
mod entry_repair;
mod erasures;
mod events;
mod expiries;
mod exports;
mod group_commit;
mod ids;
mod import_table;
mod imports;
mod leaderboards;
mod log;
mod migrate;
mod parameters;
mod periods;
mod queue;
mod queue_table;
mod rank_blocks;
mod rate_limits;
mod reads;
mod removal;
mod retention;
mod row;
mod rows;
mod schema;
mod scores;
mod session;
mod snapshot_table;
mod snapshots;
mod standings;
mod store;
mod submit;
mod sweep;
mod target_state;
mod tuples;
mod usage;
mod writes;

use leaderboard_core::ports::{
    AnnouncedChange, Announcements, Readiness, Replica, SettingCheck, ShardNumber, Shards,
};
use leaderboard_core::{StoreError, TenantId};

pub use connection::{Cell, Connection, ConnectionError, Row, Value};
pub use leaderboard_core::ports::Signal;
pub use migrate::Synchronous;
pub use store::SqliteStore;

impl<C: Connection> Readiness for SqliteStore<C> {
    async fn check_ready(&self) -> Result<(), StoreError> {
        self.single(|session| {
            // A statement that has to read the file.
            session.run("SELECT 1 FROM leaderboards LIMIT 1", &[])
        })
    }

    async fn check_settings(&self) -> Result<Vec<SettingCheck>, StoreError> {
        Ok(Vec::new())
    }
}

/// A file has no replica.
impl<C: Connection> Replica for SqliteStore<C> {}

/// A file is one shard.
impl<C: Connection> Shards for SqliteStore<C> {
    async fn check_shard(&self, _shard: ShardNumber) -> Result<(), StoreError> {
        self.check_ready().await
    }
}

/// Does nothing: a file serves only one region, so there is no other region to tell.
impl<C: Connection> Announcements for SqliteStore<C> {
    async fn announce(
        &self,
        _channel: &str,
        _tenant: &TenantId,
        _change: AnnouncedChange<'_>,
    ) -> Result<bool, StoreError> {
        Ok(true)
    }
}
