//! The leaderboard ports on Redis 7.0 or newer.
//!
//! This crate knows commands, keys and scripts. It reaches the server through a [`Connection`], which it is
//! given: the components have one from their host, the tests a native one. Everything that must be atomic is
//! one Lua script, and every script is one command; a script checks all before its first write, because
//! Redis does not undo what a failed script has written.
//!
//! - An entry is a member of a sorted set whose scores are all 0, so that the order is the order key's bytes.
//! - Scripts work on 64-bit integers in halves (`words.lua`). Only rate limits, usage, the versions of
//!   configurations and documents, and the count of what a tenant holds go by the server's clock (`clock.lua`).
//! - A period expires by the time that passes after a write, so that clocks need not agree on the date.
//!
//! [`keys`](self) are named in one module, `keys.rs`, where the layout of the data is told.

mod announcements;
mod answer;
mod audit;
mod bans;
mod connection;
mod counters;
mod dead_letters;
mod documents;
mod entry_counts;
mod events;
mod keys;
mod leaderboards;
mod metering;
mod packing;
mod reads;
mod scores;
mod script;
mod settings;
mod submit;

use leaderboard_core::StoreError;
use leaderboard_core::ports::{Readiness, SettingCheck};

pub use connection::{Connection, ConnectionError, Reply};

/// The ports on one connection.
#[derive(Debug, Clone)]
pub struct RedisStore<C> {
    connection: C,
}

impl<C: Connection> RedisStore<C> {
    /// A store that sends its commands over `connection`.
    pub fn new(connection: C) -> Self {
        Self { connection }
    }
}

impl<C: Connection> Readiness for RedisStore<C> {
    async fn ready(&self) -> Result<(), StoreError> {
        match self.connection.command("PING", &[]).await?.as_slice() {
            [Reply::Status(status)] if status == "PONG" => Ok(()),
            _ => Err(answer::corrupt("answer to PING")),
        }
    }

    async fn check_settings(&self) -> Result<Vec<SettingCheck>, StoreError> {
        settings::check(&self.connection).await
    }
}
