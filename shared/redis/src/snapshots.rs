//! The [`Snapshots`] port.

use leaderboard_core::ports::{
    IDEMPOTENCY_MS, NewSnapshot, SNAPSHOT_OVERHEAD_BYTES, SnapshotSummary, Snapshots,
};
use leaderboard_core::{LeaderboardId, StoreError, TenantId, Timestamp};

use crate::RedisStore;
use crate::connection::Connection;
use crate::keys::{self, LeaderboardKeys};
use crate::reply_reader::corrupt;
use crate::script::ScriptCall;
use crate::scripts::{DELETE_SNAPSHOTS, PUT_SNAPSHOT};

impl<C: Connection> Snapshots for RedisStore<C> {
    async fn list_snapshots(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
    ) -> Result<Vec<SnapshotSummary>, StoreError> {
        let key = LeaderboardKeys::new(tenant, leaderboard).configuration();
        let mut reply = self.server.send_command("HGET", &[&key, b"p"]).await?;
        let listed = reply.read_optional_bytes()?.unwrap_or_default();
        let text = std::str::from_utf8(&listed).map_err(corrupt)?;
        let mut snapshots = text
            .split_terminator(',')
            .map(parse_summary)
            .collect::<Result<Vec<_>, _>>()?;
        snapshots.sort_unstable_by_key(|snapshot| snapshot.position);
        Ok(snapshots)
    }

    async fn read_snapshot(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
        position: u64,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let key = LeaderboardKeys::new(tenant, leaderboard).snapshots();
        let field = position.to_string();
        let arguments: [&[u8]; 2] = [&key, field.as_bytes()];
        self.server
            .send_command("HGET", &arguments)
            .await?
            .read_optional_bytes()
    }

    async fn put_snapshot(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
        snapshot: &NewSnapshot<'_>,
    ) -> Result<bool, StoreError> {
        let leaderboard_keys = LeaderboardKeys::new(tenant, leaderboard);
        let mut call = ScriptCall::with_keys([leaderboard_keys.configuration(), keys::log_sizes(tenant)]);
        call.add_keys([leaderboard_keys.snapshots()]);
        call.add_text(&snapshot.summary.position);
        call.add_text(&snapshot.summary.latest_at.as_unix_ms());
        call.add_bytes(snapshot.bytes);
        call.add_text(&snapshot.configuration_version);
        call.add_option(snapshot.max_log_bytes);
        call.add_text(&snapshot.at.as_unix_ms().div_euclid(IDEMPOTENCY_MS));
        call.add_text(&SNAPSHOT_OVERHEAD_BYTES);
        for position in snapshot.replaced {
            call.add_text(position);
        }
        Ok(PUT_SNAPSHOT.run(&self.server, &call).await?.read_count()? == 1)
    }

    async fn delete_snapshots(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let leaderboard_keys = LeaderboardKeys::new(tenant, leaderboard);
        let mut call = ScriptCall::with_keys([leaderboard_keys.configuration(), keys::log_sizes(tenant)]);
        call.add_keys([leaderboard_keys.snapshots(), keys::last_version(tenant)]);
        call.add_text(&at.as_unix_ms().div_euclid(IDEMPOTENCY_MS));
        call.add_text(&SNAPSHOT_OVERHEAD_BYTES);
        DELETE_SNAPSHOTS.run(&self.server, &call).await?;
        Ok(())
    }
}

/// Parses a snapshot in the list of `put_snapshot.lua`: its position, a space, the instant of its last event.
fn parse_summary(text: &str) -> Result<SnapshotSummary, StoreError> {
    let damaged = || corrupt("list of snapshots");
    let (position, latest_at) = text.split_once(' ').ok_or_else(damaged)?;
    let latest_at = latest_at.parse().map_err(corrupt)?;
    Ok(SnapshotSummary {
        position: position.parse().map_err(corrupt)?,
        latest_at: Timestamp::from_unix_ms(latest_at).ok_or_else(damaged)?,
    })
}
