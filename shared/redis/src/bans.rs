//! Shadow bans: the [`Bans`] port, and what brings a leaderboard up to date with them.

use leaderboard_core::codec::{Reader, Writer, encode_event};
use leaderboard_core::ports::{Ban, Bans, MAX_BANS, TooManyBans};
use leaderboard_core::{Event, EventBody, LeaderboardId, PlayerId, StoreError, TenantId, Timestamp};

use crate::RedisStore;
use crate::answer::{Answer, corrupt};
use crate::connection::Connection;
use crate::keys;
use crate::script::{CHANGE_BANS, Call, LIST_BANS};

/// How many commands one call of the port sends at most; what is left then is done by later calls.
const MAX_STEPS: u32 = 16;

/// What `change_bans.lua` answers.
struct Changed {
    code: u64,
    up_to_date: bool,
}

impl<C: Connection> Bans for RedisStore<C> {
    async fn ban(&self, tenant: &TenantId, ban: &Ban) -> Result<Result<(), TooManyBans>, StoreError> {
        let mut call = call_on(tenant, "ban", ban.banned_at);
        call.bytes(ban.player.as_bytes());
        call.bytes(pack(ban));
        call.bytes(hidden(&ban.player, ban.banned_at));
        call.text(&MAX_BANS);
        match change(&self.connection, tenant, &call, ban.banned_at).await? {
            0 => Ok(Ok(())),
            1 => Ok(Err(TooManyBans)),
            _ => Err(StoreError::Unavailable(
                "earlier bans are still being applied".into(),
            )),
        }
    }

    async fn unban(&self, tenant: &TenantId, player: &PlayerId, at: Timestamp) -> Result<(), StoreError> {
        let mut call = call_on(tenant, "unban", at);
        call.bytes(player.as_bytes());
        call.bytes(restored(player, at));
        match change(&self.connection, tenant, &call, at).await? {
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
        let found = self
            .connection
            .command("HGET", &[&records, player.as_bytes()])
            .await?;
        let Some(record) = Answer::new(found).optional_bytes()? else {
            return Ok(None);
        };
        let ban = unpack(player.clone(), &record)?;
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
        let mut call = Call::on([players, records]);
        call.option(after);
        call.text(&limit);
        call.text(&now.as_unix_ms());
        let mut answer = Answer::new(LIST_BANS.run(&self.connection, &call).await?);
        let mut bans = Vec::with_capacity(answer.left() / 2);
        while !answer.is_empty() {
            let player = String::from_utf8(answer.bytes()?).map_err(corrupt)?;
            let player = PlayerId::new(player).map_err(corrupt)?;
            bans.push(unpack(player, &answer.bytes()?)?);
        }
        Ok(bans)
    }
}

/// Brings leaderboards up to date with the bans at `now`, in a few commands. Whether they are.
pub(crate) async fn apply<C: Connection>(
    connection: &C,
    tenant: &TenantId,
    boards: &[&LeaderboardId],
    now: Timestamp,
) -> Result<bool, StoreError> {
    let mut call = call_on(tenant, "apply", now);
    for board in boards {
        call.text(*board);
    }
    for _ in 0..MAX_STEPS {
        if step(connection, &call).await?.up_to_date {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Sends a change, again for as long as too many others wait, and then goes on with applying it. Its code.
async fn change<C: Connection>(
    connection: &C,
    tenant: &TenantId,
    call: &Call,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let mut changed = step(connection, call).await?;
    let apply = call_on(tenant, "apply", now);
    for _ in 1..MAX_STEPS {
        match changed.code {
            2 => changed = step(connection, call).await?,
            _ if changed.up_to_date => break,
            // The change is made. What cannot be done now is done by those who read and write.
            _ => match step(connection, &apply).await {
                Ok(applied) => changed.up_to_date = applied.up_to_date,
                Err(_) => break,
            },
        }
    }
    Ok(changed.code)
}

async fn step<C: Connection>(connection: &C, call: &Call) -> Result<Changed, StoreError> {
    let mut answer = Answer::new(CHANGE_BANS.run(connection, call).await?);
    Ok(Changed {
        code: answer.count()?,
        up_to_date: answer.count()? == 1,
    })
}

/// A call of `change_bans.lua`; what belongs to the operation follows.
fn call_on(tenant: &TenantId, operation: &str, now: Timestamp) -> Call {
    let mut call = Call::on([keys::boards(tenant)]);
    call.keys(keys::bans(tenant));
    call.keys([keys::log_weights(tenant)]);
    call.text(operation);
    call.text(&now.as_unix_ms());
    for part in keys::around_board(tenant) {
        call.bytes(part);
    }
    call
}

fn hidden(player: &PlayerId, at: Timestamp) -> Vec<u8> {
    let player = player.clone();
    encode_event(&Event {
        recorded_at: at,
        body: EventBody::Hidden { player },
    })
}

fn restored(player: &PlayerId, at: Timestamp) -> Vec<u8> {
    let player = player.clone();
    encode_event(&Event {
        recorded_at: at,
        body: EventBody::Restored { player },
    })
}

/// A ban as `bans.lua` reads it.
fn pack(ban: &Ban) -> Vec<u8> {
    let end_ms = ban.expires_at.map_or(0, Timestamp::as_unix_ms);
    let event = ban
        .expires_at
        .map_or_else(Vec::new, |end| restored(&ban.player, end));
    let mut record = end_ms.to_be_bytes().to_vec();
    record.extend(ban.banned_at.as_unix_ms().to_be_bytes());
    // An event of a player alone is far shorter.
    record.extend(u16::try_from(event.len()).unwrap_or(u16::MAX).to_be_bytes());
    record.extend(event);
    let mut reason = Writer::default();
    reason.option(ban.reason.as_deref(), Writer::text);
    record.extend(reason.finish());
    record
}

/// The inverse of [`pack`].
fn unpack(player: PlayerId, record: &[u8]) -> Result<Ban, StoreError> {
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
