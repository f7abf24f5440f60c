//! The [`Leaderboards`] port: configurations of leaderboards.

use leaderboard_core::codec::{decode_leaderboard, encode_event, encode_layout, encode_leaderboard};
use leaderboard_core::ports::{Expected, Leaderboards, MAX_REBUILD_ENTRIES, PutLeaderboard, PutRefusal};
use leaderboard_core::{
    Event, EventBody, Leaderboard, LeaderboardId, StoreError, TenantId, Timestamp, Versioned,
};

use crate::connection::Connection;
use crate::keys::{self, Key, LeaderboardKeys};
use crate::reply_reader::{corrupt, parse_decimal};
use crate::script::ScriptCall;
use crate::scripts::{
    APPLY_EXPIRIES, DELETE_LEADERBOARD, LIST_LEADERBOARDS, PUT_LEADERBOARD, READ_LEADERBOARDS, SWEEP_DELETED,
};
use crate::server::Server;
use crate::{RedisStore, bans};

impl<C: Connection> Leaderboards for RedisStore<C> {
    async fn get(
        &self,
        tenant: &TenantId,
        id: &LeaderboardId,
    ) -> Result<Option<Versioned<Leaderboard>>, StoreError> {
        let key = LeaderboardKeys::new(tenant, id).configuration();
        let mut reply = self.server.send_command("HMGET", &[&key, b"v", b"b"]).await?;
        match (reply.read_optional_bytes()?, reply.read_optional_bytes()?) {
            (None, None) => Ok(None),
            (Some(version), Some(body)) => decode_configuration(&version, &body).map(Some),
            _ => Err(corrupt("configuration without version or body")),
        }
    }

    async fn get_many(
        &self,
        tenant: &TenantId,
        ids: &[LeaderboardId],
    ) -> Result<Vec<Option<Versioned<Leaderboard>>>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let call = ScriptCall::with_keys(
            ids.iter()
                .map(|id| LeaderboardKeys::new(tenant, id).configuration()),
        );
        let mut reply = READ_LEADERBOARDS.run(&self.server, &call).await?;
        let mut configurations = Vec::with_capacity(ids.len());
        for _ in ids {
            let (version, body) = (reply.read_bytes()?, reply.read_bytes()?);
            configurations.push(if version.is_empty() {
                None
            } else {
                Some(decode_configuration(&version, &body)?)
            });
        }
        Ok(configurations)
    }

    async fn put(&self, put: &PutLeaderboard<'_>) -> Result<Result<(u64, bool), PutRefusal>, StoreError> {
        // The log gets the events of earlier bans before the event of this change.
        bans::apply_bans(&self.server, put.tenant, &[&put.leaderboard.id], put.at).await?;
        let mut reply = PUT_LEADERBOARD.run(&self.server, &build_put_call(put)).await?;
        Ok(match reply.read_bytes()?.as_slice() {
            b"ok" => {
                let stored = (reply.read_number()?, reply.read_count()? == 1);
                if reply.read_count()? == 1 {
                    apply_expiries(&self.server, put).await?;
                }
                Ok(stored)
            }
            b"version" => Err(reply.read_mismatch()?.into()),
            b"entries" => Err(PutRefusal::HasEntries),
            b"many" => Err(PutRefusal::TooManyEntries),
            b"full" => Err(PutRefusal::TooManyLeaderboards),
            b"import" => Err(PutRefusal::ImportUnderWay),
            b"unfinished" => {
                self.server.yield_to_others().await;
                Err(PutRefusal::Unfinished)
            }
            _ => return Err(corrupt("reply to a put")),
        })
    }

    async fn list(
        &self,
        tenant: &TenantId,
        after: Option<&LeaderboardId>,
        limit: u32,
    ) -> Result<Vec<Versioned<Leaderboard>>, StoreError> {
        let (begin, end) = keys::configuration_key_parts(tenant);
        let mut call = ScriptCall::with_keys([keys::leaderboards(tenant)]);
        call.add_option(after);
        call.add_text(&limit);
        call.add_bytes(begin);
        call.add_bytes(end);
        let mut reply = LIST_LEADERBOARDS.run(&self.server, &call).await?;
        let mut configurations = Vec::with_capacity(reply.remaining() / 2);
        while !reply.is_empty() {
            let (version, body) = (reply.read_bytes()?, reply.read_bytes()?);
            configurations.push(decode_configuration(&version, &body)?);
        }
        Ok(configurations)
    }

    async fn delete(
        &self,
        tenant: &TenantId,
        id: &LeaderboardId,
        expected: Expected,
    ) -> Result<Result<bool, PutRefusal>, StoreError> {
        let configuration = LeaderboardKeys::new(tenant, id).configuration();
        let call = build_delete_call(tenant, id, configuration, expected);
        let mut reply = DELETE_LEADERBOARD.run(&self.server, &call).await?;
        Ok(match reply.read_bytes()?.as_slice() {
            b"ok" => Ok(reply.read_count()? == 1),
            b"version" => Err(reply.read_mismatch()?.into()),
            _ => return Err(corrupt("reply to a delete")),
        })
    }

    async fn sweep(&self, tenant: &TenantId) -> Result<bool, StoreError> {
        let deleted = keys::deleted_leaderboards(tenant);
        let mut reply = self
            .server
            .send_command("ZRANGE", &[&deleted, b"0", b"0"])
            .await?;
        if reply.is_empty() {
            return Ok(false);
        }
        let id = String::from_utf8(reply.read_bytes()?).map_err(corrupt)?;
        let id = LeaderboardId::new(id).map_err(corrupt)?;
        let leaderboard_keys = LeaderboardKeys::new(tenant, &id);
        let mut call = ScriptCall::with_keys(keys::entry_counts(tenant));
        call.add_keys([deleted, leaderboard_keys.periods()]);
        call.add_text(&id);
        for prefix in leaderboard_keys.period_prefixes() {
            call.add_bytes(prefix);
        }
        Ok(SWEEP_DELETED.run(&self.server, &call).await?.read_count()? > 0)
    }
}

/// Applies the expiries that a put has left, step by step. If this fails, the next put continues.
async fn apply_expiries<C: Connection>(
    server: &Server<C>,
    put: &PutLeaderboard<'_>,
) -> Result<(), StoreError> {
    let leaderboard_keys = LeaderboardKeys::new(put.tenant, &put.leaderboard.id);
    let mut call = ScriptCall::with_keys(keys::entry_counts(put.tenant));
    call.add_keys([leaderboard_keys.expiries()]);
    call.add_text(&put.leaderboard.id);
    call.add_text(&put.at.as_unix_ms());
    for prefix in leaderboard_keys.period_prefixes() {
        call.add_bytes(prefix);
    }
    // Each step applies at least one expiry, so the number of expiries bounds the number of steps.
    for _ in put.expiries {
        server.yield_to_others().await;
        if APPLY_EXPIRIES.run(server, &call).await?.read_count()? == 0 {
            break;
        }
    }
    Ok(())
}

/// Builds the call of `delete_leaderboard.lua`. `configuration` is the key of the configuration, or of an import.
pub(crate) fn build_delete_call(
    tenant: &TenantId,
    id: &LeaderboardId,
    configuration: Key,
    expected: Expected,
) -> ScriptCall {
    let leaderboard_keys = LeaderboardKeys::new(tenant, id);
    let mut call = ScriptCall::with_keys([configuration, keys::leaderboards(tenant)]);
    call.add_keys(keys::entry_counts(tenant));
    call.add_keys([keys::deleted_leaderboards(tenant), leaderboard_keys.periods()]);
    call.add_keys([keys::log_sizes(tenant), leaderboard_keys.log()]);
    call.add_keys(leaderboard_keys.idempotency_records());
    call.add_keys([
        leaderboard_keys.announced(),
        leaderboard_keys.expiries(),
        leaderboard_keys.snapshots(),
        leaderboard_keys.log_copy(),
        leaderboard_keys.import_parts(),
    ]);
    call.add_expected(expected);
    call.add_text(id);
    for prefix in leaderboard_keys.period_prefixes() {
        call.add_bytes(prefix);
    }
    call
}

/// Builds the call of `put_leaderboard.lua`, which describes the keys and arguments.
fn build_put_call(put: &PutLeaderboard<'_>) -> ScriptCall {
    let leaderboard_keys = LeaderboardKeys::new(put.tenant, &put.leaderboard.id);
    let mut call = ScriptCall::with_keys([leaderboard_keys.configuration(), keys::leaderboards(put.tenant)]);
    call.add_keys([keys::last_version(put.tenant), leaderboard_keys.log()]);
    call.add_keys(leaderboard_keys.period(put.current));
    call.add_keys(leaderboard_keys.spare_period(put.current));
    call.add_keys(keys::entry_counts(put.tenant));
    call.add_keys([
        keys::deleted_leaderboards(put.tenant),
        leaderboard_keys.periods(),
        leaderboard_keys.expiries(),
        keys::log_sizes(put.tenant),
        keys::rebuilding(put.tenant),
        keys::import(put.tenant),
    ]);
    call.add_expected(put.expected);
    call.add_text(&put.leaderboard.id);
    call.add_bytes(encode_leaderboard(put.leaderboard));
    call.add_bytes(encode_layout(&put.leaderboard.layout()));
    call.add_flag(put.rebuild);
    call.add_text(&MAX_REBUILD_ENTRIES);
    call.add_bytes(encode_event(&Event {
        recorded_at: put.at,
        body: EventBody::Configured {
            leaderboard: Box::new(put.leaderboard.clone()),
            current: put.current.clone(),
            rebuild: put.rebuild,
        },
    }));
    call.add_text(&put.at.as_unix_ms());
    call.add_option(put.max_leaderboards);
    for prefix in leaderboard_keys.period_prefixes() {
        call.add_bytes(prefix);
    }
    call.add_text(&put.leaderboard.log.keep_events);
    call.add_text(&put.leaderboard.log.keep_ms());
    for (period, expires_at) in put.expiries {
        call.add_text(period);
        call.add_option(expires_at.map(Timestamp::as_unix_ms));
    }
    call
}

fn decode_configuration(version: &[u8], body: &[u8]) -> Result<Versioned<Leaderboard>, StoreError> {
    Ok(Versioned {
        version: parse_decimal(version)?,
        value: decode_leaderboard(body).map_err(corrupt)?,
    })
}
