//! The [`Announcements`] port: tells other regions what changed. `submit.lua` writes the same messages, and both use
//! `publish.lua`.

use leaderboard_core::ports::{AnnouncedChange, Announcements};
use leaderboard_core::{StoreError, TenantId};

use crate::connection::Connection;
use crate::script::ScriptCall;
use crate::scripts::ANNOUNCE;
use crate::{RedisStore, keys};

impl<C: Connection> Announcements for RedisStore<C> {
    async fn announce(
        &self,
        channel: &str,
        tenant: &TenantId,
        change: AnnouncedChange<'_>,
    ) -> Result<bool, StoreError> {
        let head = begin_message(tenant);
        let message = match change {
            AnnouncedChange::Leaderboard(id) => format!("{head}\"{id}\"],\"void\":true}}"),
            AnnouncedChange::Leaderboards => format!("{head}],\"void\":true}}"),
            AnnouncedChange::Documents => format!("{head}],\"documents\":true}}"),
            AnnouncedChange::Probe { region, sent_at } => {
                let sent_at_ms = sent_at.as_unix_ms();
                format!("{head}],\"probe\":{{\"region\":\"{region}\",\"sent_at_ms\":{sent_at_ms}}}}}")
            }
        };
        let mut call = ScriptCall::with_keys([keys::counters()]);
        call.add_text(channel);
        call.add_text(&message);
        // Regions listen to all shards. The tenant's shard does not have to be the right one, but an outage of another must not matter.
        let shard = self.server.shard(self.server.guess_place(tenant.as_str()))?;
        Ok(ANNOUNCE.run_on(shard, &call).await?.read_count()? > 0)
    }
}

/// Returns a message up to its first leaderboard. Ids consist of characters that JSON does not escape.
pub(crate) fn begin_message(tenant: &TenantId) -> String {
    format!("{{\"tenant\":\"{tenant}\",\"leaderboards\":[")
}
