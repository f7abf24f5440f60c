//! The [`Bans`] port: shadow bans, and the steps that apply them to leaderboards.

use std::collections::BTreeSet;

use leaderboard_core::codec::{Reader, Writer, encode_event};
use leaderboard_core::ports::{Ban, BannedPlayers, Bans, MAX_BANS, TooManyBans};
use leaderboard_core::{Event, EventBody, LeaderboardId, PlayerId, StoreError, TenantId, Timestamp};

use crate::connection::Connection;
use crate::reply_reader::corrupt;
use crate::script::ScriptCall;
use crate::scripts::{CHANGE_BANS, FIND_BANNED, LIST_BANS};
use crate::server::Server;
use crate::{RedisStore, keys};

/// The maximum number of commands of one call of the port. Later calls do the rest of the work.
const MAX_STEPS: u32 = 16;

/// The reply of `change_bans.lua`.
struct ChangeReply {
    code: u64,
    up_to_date: bool,
}

impl<C: Connection> Bans for RedisStore<C> {
    async fn ban(&self, tenant: &TenantId, ban: &Ban) -> Result<Result<(), TooManyBans>, StoreError> {
        let mut call = start_call(tenant, "ban", ban.banned_at);
        call.add_bytes(ban.player.as_bytes());
        call.add_bytes(pack_ban(ban));
        call.add_bytes(encode_banned_event(&ban.player, ban.banned_at));
        call.add_text(&MAX_BANS);
        match send_change(&self.server, tenant, &call, ban.banned_at).await? {
            0 => Ok(Ok(())),
            1 => Ok(Err(TooManyBans)),
            _ => Err(StoreError::Unavailable(
                "earlier bans are still being applied".into(),
            )),
        }
    }

    async fn unban(&self, tenant: &TenantId, player: &PlayerId, at: Timestamp) -> Result<(), StoreError> {
        let mut call = start_call(tenant, "unban", at);
        call.add_bytes(player.as_bytes());
        call.add_bytes(encode_unbanned_event(player, at));
        match send_change(&self.server, tenant, &call, at).await? {
            0 => Ok(()),
            _ => Err(StoreError::Unavailable(
                "earlier bans are still being applied".into(),
            )),
        }
    }

    async fn find_ban(
        &self,
        tenant: &TenantId,
        player: &PlayerId,
        now: Timestamp,
    ) -> Result<Option<Ban>, StoreError> {
        let [records, ..] = keys::bans(tenant);
        let key: [&[u8]; 2] = [&records, player.as_bytes()];
        let mut reply = self.server.send_command("HGET", &key).await?;
        let Some(record) = reply.read_optional_bytes()? else {
            return Ok(None);
        };
        let ban = unpack_ban(player.clone(), &record)?;
        Ok(Some(ban).filter(|ban| !ban.is_over(now)))
    }

    async fn list_bans(
        &self,
        tenant: &TenantId,
        after: Option<&PlayerId>,
        limit: u32,
        now: Timestamp,
    ) -> Result<Vec<Ban>, StoreError> {
        let [records, players, ..] = keys::bans(tenant);
        let mut call = ScriptCall::with_keys([players, records]);
        call.add_option(after);
        call.add_text(&limit);
        call.add_text(&now.as_unix_ms());
        let mut reply = LIST_BANS.run(&self.server, &call).await?;
        let mut bans = Vec::with_capacity(reply.remaining() / 2);
        while !reply.is_empty() {
            let player = String::from_utf8(reply.read_bytes()?).map_err(corrupt)?;
            let player = PlayerId::new(player).map_err(corrupt)?;
            bans.push(unpack_ban(player, &reply.read_bytes()?)?);
        }
        Ok(bans)
    }

    async fn find_banned(
        &self,
        tenant: &TenantId,
        players: &[PlayerId],
        now: Timestamp,
    ) -> Result<BannedPlayers, StoreError> {
        let [records, _, ends, _, state] = keys::bans(tenant);
        let mut call = ScriptCall::with_keys([records, ends, state]);
        call.add_text(&now.as_unix_ms());
        for player in players {
            call.add_bytes(player.as_bytes());
        }
        let mut reply = FIND_BANNED.run(&self.server, &call).await?;
        let changes = reply.read_number()?;
        let mut banned = BTreeSet::new();
        for player in players {
            if reply.read_count()? == 1 {
                banned.insert(player.clone());
            }
        }
        Ok(BannedPlayers {
            players: banned,
            changes,
        })
    }
}

/// Applies the bans that hold at `now` to leaderboards, in at most [`MAX_STEPS`] commands. Returns whether the leaderboards are up
/// to date.
pub(crate) async fn apply_bans<C: Connection>(
    server: &Server<C>,
    tenant: &TenantId,
    boards: &[&LeaderboardId],
    now: Timestamp,
) -> Result<bool, StoreError> {
    let mut call = start_call(tenant, "apply", now);
    for board in boards {
        call.add_text(*board);
    }
    for _ in 0..MAX_STEPS {
        if run_step(server, &call).await?.up_to_date {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Sends a change, and sends it again while too many changes are pending. Then applies it to the leaderboards. Returns the
/// script's code.
async fn send_change<C: Connection>(
    server: &Server<C>,
    tenant: &TenantId,
    call: &ScriptCall,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let mut changed = run_step(server, call).await?;
    let apply = start_call(tenant, "apply", now);
    for _ in 1..MAX_STEPS {
        match changed.code {
            2 => changed = run_step(server, call).await?,
            _ if changed.up_to_date => break,
            // The change is stored. Later reads and writes apply what this call cannot apply.
            _ => match run_step(server, &apply).await {
                Ok(applied) => changed.up_to_date = applied.up_to_date,
                Err(_) => break,
            },
        }
    }
    Ok(changed.code)
}

async fn run_step<C: Connection>(server: &Server<C>, call: &ScriptCall) -> Result<ChangeReply, StoreError> {
    let mut reply = CHANGE_BANS.run(server, call).await?;
    Ok(ChangeReply {
        code: reply.read_count()?,
        up_to_date: reply.read_count()? == 1,
    })
}

/// Starts a call of `change_bans.lua`. The caller adds the operation's own arguments.
fn start_call(tenant: &TenantId, operation: &str, now: Timestamp) -> ScriptCall {
    let mut call = ScriptCall::with_keys([keys::leaderboards(tenant)]);
    call.add_keys(keys::bans(tenant));
    call.add_keys([keys::log_sizes(tenant)]);
    call.add_text(operation);
    call.add_text(&now.as_unix_ms());
    for part in keys::leaderboard_key_parts(tenant) {
        call.add_bytes(part);
    }
    call
}

fn encode_banned_event(player: &PlayerId, at: Timestamp) -> Vec<u8> {
    let player = player.clone();
    encode_event(&Event {
        recorded_at: at,
        body: EventBody::Banned { player },
    })
}

fn encode_unbanned_event(player: &PlayerId, at: Timestamp) -> Vec<u8> {
    let player = player.clone();
    encode_event(&Event {
        recorded_at: at,
        body: EventBody::Unbanned { player },
    })
}

/// Encodes a ban as the record of `bans.lua`.
fn pack_ban(ban: &Ban) -> Vec<u8> {
    let end_ms = ban.expires_at.map_or(0, Timestamp::as_unix_ms);
    let event = ban
        .expires_at
        .map_or_else(Vec::new, |end| encode_unbanned_event(&ban.player, end));
    let mut record = end_ms.to_be_bytes().to_vec();
    record.extend(ban.banned_at.as_unix_ms().to_be_bytes());
    // This event holds only a player, so it is far shorter than 64 KiB.
    record.extend(u16::try_from(event.len()).unwrap_or(u16::MAX).to_be_bytes());
    record.extend(event);
    let mut reason = Writer::default();
    reason.option(ban.reason.as_deref(), Writer::text);
    record.extend(reason.finish());
    record
}

/// Decodes what [`pack_ban`] has encoded.
fn unpack_ban(player: PlayerId, record: &[u8]) -> Result<Ban, StoreError> {
    let short = || corrupt("ban");
    let (end_ms, rest) = record.split_first_chunk().ok_or_else(short)?;
    let (since_ms, rest) = rest.split_first_chunk().ok_or_else(short)?;
    let (length, rest) = rest.split_first_chunk().ok_or_else(short)?;
    let length = usize::from(u16::from_be_bytes(*length));
    let mut reader = Reader::new(rest.get(length..).ok_or_else(short)?);
    let instant = |ms: i64| Timestamp::from_unix_ms(ms).ok_or_else(short);
    let ends = Some(i64::from_be_bytes(*end_ms)).filter(|ms| *ms != 0);
    Ok(Ban {
        player,
        reason: reader.option(|r| r.text().map(str::to_owned)).map_err(corrupt)?,
        banned_at: instant(i64::from_be_bytes(*since_ms))?,
        expires_at: ends.map(instant).transpose()?,
    })
}
