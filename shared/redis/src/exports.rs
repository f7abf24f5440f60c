//! The [`Exports`] port: reads a leaderboard as it is stored.

use leaderboard_core::codec::decode_layout;
use leaderboard_core::ports::{
    ClaimPage, Exports, Freeze, ListedPeriod, MAX_ROWS_EXPORTED, PeriodRef, ReadError, StoredPeriod,
};
use leaderboard_core::{Entry, LeaderboardId, OrderKey, PlayerId, StoreError, TenantId, Timestamp};

use crate::RedisStore;
use crate::connection::Connection;
use crate::entry_repair::unpack_stored;
use crate::keys::LeaderboardKeys;
use crate::packing::unpack_period;
use crate::reads::{read_layout, run_read, start_call};
use crate::reply_reader::{ReplyReader, corrupt, parse_decimal};
use crate::script::ScriptCall;
use crate::scripts::{FIND_STORED_PERIOD, LIST_CLAIMS, LIST_STORED_ENTRIES};
use crate::standings::{parse_instant, unpack_claim, unpack_freeze};

impl<C: Connection> Exports for RedisStore<C> {
    async fn find_stored_period(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
        index: u64,
    ) -> Result<ListedPeriod, StoreError> {
        let keys = LeaderboardKeys::new(tenant, leaderboard);
        let [meta, entries, ..] = keys.period_prefixes();
        let mut call = ScriptCall::with_keys([keys.periods()]);
        call.add_text(&index);
        call.add_bytes(meta);
        call.add_bytes(entries);
        let mut reply = FIND_STORED_PERIOD.run(&self.server, &call).await?;
        if reply.is_empty() {
            return Ok(ListedPeriod::End);
        }
        let id = reply.read_bytes()?;
        if reply.is_empty() {
            return Ok(ListedPeriod::Gone);
        }
        read_stored_period(&id, &mut reply).map(|period| ListedPeriod::Stored(Box::new(period)))
    }

    async fn list_stored_entries(
        &self,
        period_ref: &PeriodRef<'_>,
        is_banned: bool,
        after: Option<&OrderKey>,
    ) -> Result<Vec<Entry>, ReadError> {
        let mut call = start_call(period_ref);
        call.add_flag(is_banned);
        call.add_bytes(after.map_or(&[][..], OrderKey::as_bytes));
        call.add_text(&MAX_ROWS_EXPORTED);
        let mut reply = run_read(&self.server, &LIST_STORED_ENTRIES, period_ref, call).await?;
        let Some(layout) = read_layout(&mut reply)? else {
            return Ok(Vec::new());
        };
        let mut entries = Vec::with_capacity(reply.remaining() / 2);
        while !reply.is_empty() {
            let player = read_player(&mut reply)?;
            entries.push(unpack_stored(&layout, &player, &reply.read_bytes()?)?);
        }
        Ok(entries)
    }

    async fn list_claims(&self, period_ref: &PeriodRef<'_>, from: &[u8]) -> Result<ClaimPage, ReadError> {
        let mut call = start_call(period_ref);
        call.add_bytes(if from.is_empty() { b"0" } else { from });
        let mut reply = run_read(&self.server, &LIST_CLAIMS, period_ref, call).await?;
        let next = reply.read_bytes()?;
        let mut claims = Vec::with_capacity(reply.remaining() / 2);
        while !reply.is_empty() {
            let player = read_player(&mut reply)?;
            claims.push((player, unpack_claim(&reply.read_bytes()?)?));
        }
        Ok(ClaimPage {
            claims,
            next: Some(next).filter(|next| next != b"0"),
        })
    }
}

fn read_player(reply: &mut ReplyReader) -> Result<PlayerId, StoreError> {
    let player = String::from_utf8(reply.read_bytes()?).map_err(corrupt)?;
    PlayerId::new(player).map_err(corrupt)
}

/// Reads the rest of the reply of `find_stored_period.lua`.
fn read_stored_period(id: &[u8], reply: &mut ReplyReader) -> Result<StoredPeriod, StoreError> {
    let layout = decode_layout(&reply.read_bytes()?).map_err(corrupt)?;
    let period = unpack_period(id, &reply.read_bytes()?)?;
    let version = parse_decimal(&reply.read_bytes()?)?;
    let expires_at = read_expiry(&reply.read_bytes()?)?;
    let freeze = reply.read_bytes()?;
    let reopened = parse_decimal(&reply.read_bytes()?)?;
    Ok(StoredPeriod {
        period,
        expires_at,
        layout,
        version,
        entries: parse_decimal(&reply.read_bytes()?)?,
        freeze: if freeze.is_empty() {
            None
        } else {
            let freeze = unpack_freeze(&freeze)?;
            Some(Freeze { reopened, ..freeze })
        },
        reopened,
    })
}

fn read_expiry(bytes: &[u8]) -> Result<Option<Timestamp>, StoreError> {
    if bytes.is_empty() {
        return Ok(None);
    }
    parse_instant(std::str::from_utf8(bytes).map_err(corrupt)?).map(Some)
}
