//! The [`Events`] port: the log of a leaderboard.

use leaderboard_core::ports::{EncodedEvent, Events, LogBounds};
use leaderboard_core::{LeaderboardId, StoreError, TenantId};

use crate::RedisStore;
use crate::connection::Connection;
use crate::keys::LeaderboardKeys;
use crate::reply_reader::{ReplyReader, corrupt, parse_decimal};

impl<C: Connection> Events for RedisStore<C> {
    async fn read_encoded(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<EncodedEvent>, StoreError> {
        if limit == 0 || after == u64::MAX {
            return Ok(Vec::new());
        }
        let key = LeaderboardKeys::new(tenant, leaderboard).log();
        let from = format!("0-{}", after.saturating_add(1));
        let limit = limit.to_string();
        let arguments: [&[u8]; 5] = [&key, from.as_bytes(), b"+", b"COUNT", limit.as_bytes()];
        read_events(self.server.send_command("XRANGE", &arguments).await?)
    }

    async fn find_log_bounds(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
    ) -> Result<Option<LogBounds>, StoreError> {
        let key = LeaderboardKeys::new(tenant, leaderboard).log();
        let oldest: [&[u8]; 5] = [&key, b"-", b"+", b"COUNT", b"1"];
        let newest: [&[u8]; 5] = [&key, b"+", b"-", b"COUNT", b"1"];
        // The oldest event may be removed between the two commands. The newest one never is.
        let first = read_events(self.server.send_command("XRANGE", &oldest).await?)?.pop();
        let last = read_events(self.server.send_command("XREVRANGE", &newest).await?)?.pop();
        let Some((first, last)) = first.zip(last) else {
            return Ok(None);
        };
        Ok(Some(LogBounds {
            first: first.decode()?,
            last: last.decode()?,
        }))
    }
}

fn read_events(mut reply: ReplyReader) -> Result<Vec<EncodedEvent>, StoreError> {
    let mut events = Vec::with_capacity(reply.remaining() / 3);
    while !reply.is_empty() {
        let id = reply.read_bytes()?;
        let position = parse_decimal(id.strip_prefix(b"0-").ok_or_else(|| corrupt("event id"))?)?;
        let _field = reply.read_bytes()?;
        let bytes = reply.read_bytes()?;
        events.push(EncodedEvent { position, bytes });
    }
    Ok(events)
}
