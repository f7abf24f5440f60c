//! Telling other regions what changed: the [`Announcements`] port. `submit.lua` writes the same messages, and both publish
//! with `publish.lua`.

use leaderboard_core::ports::{Announcements, Change};
use leaderboard_core::{StoreError, TenantId};

use crate::RedisStore;
use crate::answer::Answer;
use crate::connection::Connection;
use crate::keys;
use crate::script::{ANNOUNCE, Call};

impl<C: Connection> Announcements for RedisStore<C> {
    async fn announce(
        &self,
        channel: &str,
        tenant: &TenantId,
        change: Change<'_>,
    ) -> Result<bool, StoreError> {
        let head = message_head(tenant);
        let message = match change {
            Change::Leaderboard(id) => format!("{head}\"{id}\"],\"void\":true}}"),
            Change::Leaderboards => format!("{head}],\"void\":true}}"),
            Change::Documents => format!("{head}],\"documents\":true}}"),
        };
        let mut call = Call::on([keys::counters()]);
        call.text(channel);
        call.text(&message);
        Ok(Answer::new(ANNOUNCE.run(&self.connection, &call).await?).count()? > 0)
    }
}

/// A message up to its first leaderboard. Ids are made of characters that JSON takes as they are.
pub(crate) fn message_head(tenant: &TenantId) -> String {
    format!("{{\"tenant\":\"{tenant}\",\"leaderboards\":[")
}
