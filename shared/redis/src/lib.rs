//! The leaderboard ports on Redis 7.0 or newer.
//!
//! This crate knows commands, keys and scripts. The caller passes a [`Connection`] to the server: components use their host's
//! connection, tests a native connection. Every atomic operation is one Lua script, and every script is one command: a function of
//! a library that the server keeps (`library.rs`). A script checks everything before its first write, because Redis does not undo
//! the writes of a script that fails.
//!
//! - An entry is a member of a sorted set whose scores are all 0, so Redis sorts entries by the bytes of their order keys.
//! - Scripts calculate with 64-bit integers in two halves (`numbers.lua`). Only rate limits, usage, the versions of configurations
//!   and documents, and the entry counts use the server's clock (`clock.lua`).
//! - A period expires a given time after a write, so the clocks of server and client may differ.
//!
//! The module `keys.rs` names all keys and describes the layout of the data.

mod announcements;
mod audit;
mod bans;
mod connection;
mod counters;
mod dead_letters;
mod documents;
mod entry_counts;
mod entry_repair;
mod erasures;
mod events;
mod exports;
mod fnv;
mod group_commit;
mod imports;
mod keys;
mod leaderboards;
mod library;
mod move_marker;
mod moves;
mod packing;
mod placement;
mod queue;
mod rate_limits;
mod reads;
mod replica;
mod reply_reader;
mod scores;
mod script;
mod scripts;
mod server;
mod settings;
mod shard;
mod snapshots;
mod standings;
mod submit;
mod submit_call;
mod submit_command;
mod submit_reply;

use leaderboard_core::StoreError;
use leaderboard_core::ports::{Readiness, SettingCheck};

pub use connection::{Connection, ConnectionError, Reply};
use group_commit::GroupCommit;
pub use leaderboard_core::ports::Signal;
use server::Server;

/// The leaderboard ports on a Redis connection, and on a second one for reads if the region has a replica.
#[derive(Debug, Clone)]
pub struct RedisStore<C> {
    server: Server<C>,
    replica: Option<Server<C>>,
    group_commit: GroupCommit,
}

impl<C: Connection> RedisStore<C> {
    /// Creates a store that sends its commands over `connection`.
    pub fn new(connection: C) -> Self {
        Self {
            server: Server::new(connection),
            replica: None,
            group_commit: GroupCommit::default(),
        }
    }

    /// Adds a shard over `connection`, with the next number; `new` has created the first one.
    #[must_use]
    pub fn with_shard(mut self, connection: C) -> Self {
        self.server.add_shard(connection);
        self
    }

    /// Sends reads to a replica over `connection` if their caller permits it ([`leaderboard_core::ports::ReadSource`]).
    #[must_use]
    pub fn with_replica(self, connection: C) -> Self {
        Self {
            replica: Some(Server::new_replica(connection)),
            ..self
        }
    }
}

/// Asks a server whether it serves clients.
async fn ping(connection: &impl Connection) -> Result<(), StoreError> {
    match connection.command("PING", &[]).await?.as_slice() {
        [Reply::Status(status)] if status == "PONG" => Ok(()),
        _ => Err(reply_reader::corrupt("reply to PING")),
    }
}

/// A store with several shards is ready if one of them answers: the others' tenants can be served.
impl<C: Connection> Readiness for RedisStore<C> {
    async fn check_ready(&self) -> Result<(), StoreError> {
        let mut result = Ok(());
        for (_, shard) in self.server.shards() {
            result = ping(shard).await;
            if result.is_ok() {
                break;
            }
        }
        result
    }

    async fn check_settings(&self) -> Result<Vec<SettingCheck>, StoreError> {
        let mut checks = Vec::new();
        let mut failure = None;
        for (_, shard) in self.server.shards() {
            match settings::check_settings(shard).await {
                Ok(of_shard) => checks.extend(of_shard),
                Err(error) => failure = Some(error),
            }
        }
        failure.filter(|_| checks.is_empty()).map_or(Ok(checks), Err)
    }
}
