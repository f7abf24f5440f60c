//! Configurations: the [`Leaderboards`] port.

use leaderboard_core::codec::{decode_leaderboard, encode_event, encode_layout, encode_leaderboard};
use leaderboard_core::ports::{Expected, Leaderboards, MAX_REBUILD_ENTRIES, PutLeaderboard, PutRefusal};
use leaderboard_core::{
    Event, EventBody, Leaderboard, LeaderboardId, StoreError, TenantId, Timestamp, Versioned,
};

use crate::answer::{Answer, corrupt, decimal};
use crate::connection::{Connection, let_others_on};
use crate::keys::{self, BoardKeys};
use crate::script::{APPLY_EXPIRIES, Call, DELETE, LIST, PUT, READ_CONFIGURATIONS, SWEEP};
use crate::{RedisStore, bans};

impl<C: Connection> Leaderboards for RedisStore<C> {
    async fn get(
        &self,
        tenant: &TenantId,
        id: &LeaderboardId,
    ) -> Result<Option<Versioned<Leaderboard>>, StoreError> {
        let key = BoardKeys::new(tenant, id).configuration();
        let replies = self.connection.command("HMGET", &[&key, b"v", b"b"]).await?;
        let mut answer = Answer::new(replies);
        match (answer.optional_bytes()?, answer.optional_bytes()?) {
            (None, None) => Ok(None),
            (Some(version), Some(body)) => configuration(&version, &body).map(Some),
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
        let call = Call::on(ids.iter().map(|id| BoardKeys::new(tenant, id).configuration()));
        let mut answer = Answer::new(READ_CONFIGURATIONS.run(&self.connection, &call).await?);
        let mut configurations = Vec::with_capacity(ids.len());
        for _ in ids {
            let (version, body) = (answer.bytes()?, answer.bytes()?);
            configurations.push(if version.is_empty() {
                None
            } else {
                Some(configuration(&version, &body)?)
            });
        }
        Ok(configurations)
    }

    async fn put(&self, put: &PutLeaderboard<'_>) -> Result<Result<(u64, bool), PutRefusal>, StoreError> {
        // Its event follows those of the bans before it.
        bans::apply(&self.connection, put.tenant, &[&put.leaderboard.id], put.at).await?;
        let mut answer = Answer::new(PUT.run(&self.connection, &put_call(put)).await?);
        Ok(match answer.bytes()?.as_slice() {
            b"ok" => {
                let stored = (answer.number()?, answer.count()? == 1);
                if answer.count()? == 1 {
                    apply_expiries(&self.connection, put).await?;
                }
                Ok(stored)
            }
            b"version" => Err(answer.mismatch()?.into()),
            b"entries" => Err(PutRefusal::HasEntries),
            b"many" => Err(PutRefusal::TooManyEntries),
            b"full" => Err(PutRefusal::TooManyLeaderboards),
            b"unfinished" => {
                let_others_on(&self.connection).await;
                Err(PutRefusal::Unfinished)
            }
            _ => return Err(corrupt("answer to a put")),
        })
    }

    async fn list(
        &self,
        tenant: &TenantId,
        after: Option<&LeaderboardId>,
        limit: u32,
    ) -> Result<Vec<Versioned<Leaderboard>>, StoreError> {
        let (begin, end) = keys::configuration_around(tenant);
        let mut call = Call::on([keys::boards(tenant)]);
        call.option(after);
        call.text(&limit);
        call.bytes(begin);
        call.bytes(end);
        let mut answer = Answer::new(LIST.run(&self.connection, &call).await?);
        let mut configurations = Vec::with_capacity(answer.left() / 2);
        while !answer.is_empty() {
            let (version, body) = (answer.bytes()?, answer.bytes()?);
            configurations.push(configuration(&version, &body)?);
        }
        Ok(configurations)
    }

    async fn delete(
        &self,
        tenant: &TenantId,
        id: &LeaderboardId,
        expected: Expected,
    ) -> Result<Result<bool, PutRefusal>, StoreError> {
        let names = BoardKeys::new(tenant, id);
        let mut call = Call::on([names.configuration(), keys::boards(tenant)]);
        call.keys(keys::held_entries(tenant));
        call.keys([keys::deleted_boards(tenant), names.periods()]);
        call.keys([keys::log_weights(tenant), names.log()]);
        call.keys(names.ids());
        call.keys([names.announced(), names.expiries()]);
        call.expected(expected);
        call.text(id);
        for prefix in names.period_prefixes() {
            call.bytes(prefix);
        }
        let mut answer = Answer::new(DELETE.run(&self.connection, &call).await?);
        Ok(match answer.bytes()?.as_slice() {
            b"ok" => Ok(answer.count()? == 1),
            b"version" => Err(answer.mismatch()?.into()),
            _ => return Err(corrupt("answer to a delete")),
        })
    }

    async fn sweep(&self, tenant: &TenantId) -> Result<bool, StoreError> {
        let deleted = keys::deleted_boards(tenant);
        let first = self.connection.command("ZRANGE", &[&deleted, b"0", b"0"]).await?;
        let mut answer = Answer::new(first);
        if answer.is_empty() {
            return Ok(false);
        }
        let id = String::from_utf8(answer.bytes()?).map_err(corrupt)?;
        let id = LeaderboardId::new(id).map_err(corrupt)?;
        let names = BoardKeys::new(tenant, &id);
        let mut call = Call::on(keys::held_entries(tenant));
        call.keys([deleted, names.periods()]);
        call.text(&id);
        for prefix in names.period_prefixes() {
            call.bytes(prefix);
        }
        Ok(Answer::new(SWEEP.run(&self.connection, &call).await?).count()? > 0)
    }
}

/// Applies the expiries that a put has left, step by step. What is left when this fails, the next put goes on with.
async fn apply_expiries<C: Connection>(connection: &C, put: &PutLeaderboard<'_>) -> Result<(), StoreError> {
    let names = BoardKeys::new(put.tenant, &put.leaderboard.id);
    let mut call = Call::on(keys::held_entries(put.tenant));
    call.keys([names.expiries()]);
    call.text(&put.leaderboard.id);
    call.text(&put.at.as_unix_ms());
    for prefix in names.period_prefixes() {
        call.bytes(prefix);
    }
    // No step leaves as much as there was, so there are no more than there are expiries.
    for _ in put.expiries {
        let_others_on(connection).await;
        if Answer::new(APPLY_EXPIRIES.run(connection, &call).await?).count()? == 0 {
            break;
        }
    }
    Ok(())
}

/// The call of a put; its arguments are told in `put.lua`.
fn put_call(put: &PutLeaderboard<'_>) -> Call {
    let names = BoardKeys::new(put.tenant, &put.leaderboard.id);
    let mut call = Call::on([names.configuration(), keys::boards(put.tenant)]);
    call.keys([keys::last_version(put.tenant), names.log()]);
    call.keys(names.period(put.current));
    call.keys(names.spare_period(put.current));
    call.keys(keys::held_entries(put.tenant));
    call.keys([
        keys::deleted_boards(put.tenant),
        names.periods(),
        names.expiries(),
        keys::log_weights(put.tenant),
        keys::rebuilding(put.tenant),
    ]);
    call.expected(put.expected);
    call.text(&put.leaderboard.id);
    call.bytes(encode_leaderboard(put.leaderboard));
    call.bytes(encode_layout(&put.leaderboard.layout()));
    call.flag(put.rebuild);
    call.text(&MAX_REBUILD_ENTRIES);
    call.bytes(encode_event(&Event {
        recorded_at: put.at,
        body: EventBody::Configured {
            leaderboard: Box::new(put.leaderboard.clone()),
            current: put.current.clone(),
            rebuild: put.rebuild,
        },
    }));
    call.text(&put.at.as_unix_ms());
    call.option(put.max_leaderboards);
    for prefix in names.period_prefixes() {
        call.bytes(prefix);
    }
    call.text(&put.leaderboard.log.keep_events);
    call.text(&put.leaderboard.log.keep_ms());
    for (period, expires_at) in put.expiries {
        call.text(period);
        call.option(expires_at.map(Timestamp::as_unix_ms));
    }
    call
}

fn configuration(version: &[u8], body: &[u8]) -> Result<Versioned<Leaderboard>, StoreError> {
    Ok(Versioned {
        version: decimal(version)?,
        value: decode_leaderboard(body).map_err(corrupt)?,
    })
}
