//! Counters of the installation: the [`Counters`] port.

use leaderboard_core::StoreError;
use leaderboard_core::ports::Counters;

use crate::RedisStore;
use crate::answer::{Answer, corrupt};
use crate::connection::Connection;
use crate::keys;
use crate::script::{COUNT, Call};

impl<C: Connection> Counters for RedisStore<C> {
    async fn add(&self, counts: &[(Box<str>, u64)]) -> Result<(), StoreError> {
        if counts.is_empty() {
            return Ok(());
        }
        let mut call = Call::on([keys::counters()]);
        for (name, count) in counts {
            call.text(name);
            call.text(count);
        }
        COUNT.run(&self.connection, &call).await?;
        Ok(())
    }

    async fn counters(&self) -> Result<Vec<(Box<str>, u64)>, StoreError> {
        let key = keys::counters();
        let mut answer = Answer::new(self.connection.command("HGETALL", &[&key]).await?);
        let mut counters = Vec::with_capacity(answer.left() / 2);
        while !answer.is_empty() {
            let name = String::from_utf8(answer.bytes()?).map_err(corrupt)?;
            counters.push((name.into_boxed_str(), answer.number()?));
        }
        counters.sort_unstable();
        Ok(counters)
    }
}
