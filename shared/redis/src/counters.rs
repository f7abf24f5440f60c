//! The [`Counters`] port: counters of the installation.

use std::collections::BTreeMap;

use leaderboard_core::StoreError;
use leaderboard_core::ports::{ANNOUNCEMENT_FAILED_AT, Counters, FIRST_SHARD};

use crate::connection::Connection;
use crate::reply_reader::{ReplyReader, corrupt};
use crate::script::ScriptCall;
use crate::scripts::ADD_COUNTERS;
use crate::{RedisStore, keys};

impl<C: Connection> Counters for RedisStore<C> {
    async fn add(&self, counts: &[(Box<str>, u64)]) -> Result<(), StoreError> {
        if counts.is_empty() {
            return Ok(());
        }
        let mut call = ScriptCall::with_keys([keys::counters()]);
        for (name, count) in counts {
            call.add_text(name);
            call.add_text(count);
        }
        ADD_COUNTERS.run(&self.server, &call).await?;
        Ok(())
    }

    async fn counters(&self) -> Result<Vec<(Box<str>, u64)>, StoreError> {
        let mut counters = BTreeMap::new();
        for (number, shard) in self.server.shards() {
            let reply = shard.command("HGETALL", &[&keys::counters()]).await;
            match (number, reply) {
                (_, Ok(replies)) => add_counters(&mut counters, ReplyReader::new(replies))?,
                (FIRST_SHARD, Err(error)) => return Err(error.into()),
                // A further shard counts only announcements that it refused.
                (_, Err(_)) => {}
            }
        }
        Ok(counters.into_iter().collect())
    }
}

/// Adds the counters of a shard to those of others. Of instants, the latest counts.
fn add_counters(counters: &mut BTreeMap<Box<str>, u64>, mut reply: ReplyReader) -> Result<(), StoreError> {
    while !reply.is_empty() {
        let name = String::from_utf8(reply.read_bytes()?).map_err(corrupt)?;
        let value = reply.read_number()?;
        let is_instant = name == ANNOUNCEMENT_FAILED_AT;
        let known = counters.entry(name.into_boxed_str()).or_default();
        *known = if is_instant {
            value.max(*known)
        } else {
            known.saturating_add(value)
        };
    }
    Ok(())
}
