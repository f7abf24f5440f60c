//! The [`Counters`] port: counters of the installation.

use leaderboard_core::StoreError;
use leaderboard_core::ports::Counters;

use crate::connection::Connection;
use crate::reply_reader::corrupt;
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
        let key = keys::counters();
        let mut reply = self.server.send_command("HGETALL", &[&key]).await?;
        let mut counters = Vec::with_capacity(reply.remaining() / 2);
        while !reply.is_empty() {
            let name = String::from_utf8(reply.read_bytes()?).map_err(corrupt)?;
            counters.push((name.into_boxed_str(), reply.read_number()?));
        }
        counters.sort_unstable();
        Ok(counters)
    }
}
