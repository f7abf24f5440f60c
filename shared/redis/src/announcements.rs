//! Telling other regions what changed: the [`Announcements`] port. `submit.lua` writes the same messages.

use leaderboard_core::ports::Announcements;
use leaderboard_core::{LeaderboardId, StoreError, TenantId};

use crate::RedisStore;
use crate::connection::Connection;

impl<C: Connection> Announcements for RedisStore<C> {
    async fn announce(
        &self,
        channel: &str,
        tenant: &TenantId,
        leaderboards: &[LeaderboardId],
    ) -> Result<(), StoreError> {
        let quoted: Vec<String> = leaderboards.iter().map(|id| format!("\"{id}\"")).collect();
        let message = format!("{}{}]}}", message_head(tenant), quoted.join(","));
        self.connection
            .command("PUBLISH", &[channel.as_bytes(), message.as_bytes()])
            .await?;
        Ok(())
    }
}

/// A message up to its first leaderboard. Ids are made of characters that JSON takes as they are.
pub(crate) fn message_head(tenant: &TenantId) -> String {
    format!("{{\"tenant\":\"{tenant}\",\"leaderboards\":[")
}
