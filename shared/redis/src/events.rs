//! The [`Events`] port: the log of a leaderboard.

use leaderboard_core::codec::decode_event;
use leaderboard_core::ports::Events;
use leaderboard_core::{LeaderboardId, RecordedEvent, StoreError, TenantId};

use crate::RedisStore;
use crate::connection::Connection;
use crate::keys::LeaderboardKeys;
use crate::reply_reader::{corrupt, parse_decimal};

impl<C: Connection> Events for RedisStore<C> {
    async fn read(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<RecordedEvent>, StoreError> {
        if limit == 0 || after == u64::MAX {
            return Ok(Vec::new());
        }
        let key = LeaderboardKeys::new(tenant, leaderboard).log();
        let from = format!("0-{}", after.saturating_add(1));
        let limit = limit.to_string();
        let arguments: [&[u8]; 5] = [&key, from.as_bytes(), b"+", b"COUNT", limit.as_bytes()];
        let mut reply = self.server.send_command("XRANGE", &arguments).await?;
        let mut events = Vec::with_capacity(reply.remaining() / 3);
        while !reply.is_empty() {
            let id = reply.read_bytes()?;
            let position = parse_decimal(id.strip_prefix(b"0-").ok_or_else(|| corrupt("event id"))?)?;
            let _field = reply.read_bytes()?;
            let event = decode_event(&reply.read_bytes()?).map_err(corrupt)?;
            events.push(RecordedEvent { position, event });
        }
        Ok(events)
    }
}
