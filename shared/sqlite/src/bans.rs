//! Shadow bans. A ban writes a record and a change. The change is applied to the leaderboards in the order of their ids, in
//! transactions of bounded work. A leaderboard that is read or written earlier gets the change first.

mod apply;

use leaderboard_core::ports::{Ban, MAX_BANS};
use leaderboard_core::{PlayerId, StoreError, TenantId, Timestamp};

use crate::connection::Value;
use crate::row::{Cells, corrupt};
use crate::session::Session;

pub(crate) use apply::{apply_next, apply_to_leaderboard};

/// How many transactions of one call apply bans. Later calls apply the rest.
pub(crate) const MAX_BAN_STEPS: u32 = 16;
/// The most changes that may be pending.
const MAX_CHANGES: u64 = 256;

/// The result of a ban or an unban.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BanResult {
    Done,
    TooMany,
    /// Too many changes are pending. The caller tries again.
    Wait,
}

/// A pending change.
struct BanChange {
    number: i64,
    player: PlayerId,
    banned: bool,
    at: Timestamp,
}

/// SQL over the table `leaderboards b`: whether a leaderboard has pending changes, or the tenant `?1` has a ban that is over and
/// has not been ended yet.
macro_rules! is_behind_sql {
    ($now:literal) => {
        concat!(
            "(b.ban_change < (SELECT coalesce(max(c.number), 0) FROM ban_changes c WHERE c.tenant = ?1) \
             OR EXISTS (SELECT 1 FROM bans n WHERE n.tenant = ?1 AND n.expires_at <= ",
            $now,
            "))"
        )
    };
}
pub(crate) use is_behind_sql;

/// The error of a read that requires applied bans. Only this crate sees it.
const BEHIND: &str = "the leaderboard has pending bans";

/// Returns the error of a read that found pending bans.
pub(crate) fn refuse_behind() -> StoreError {
    StoreError::Rejected(BEHIND.to_owned())
}

/// Returns whether a leaderboard has pending changes, which [`apply_to_leaderboard`] applies.
pub(crate) fn is_behind(
    session: &Session<'_>,
    tenant: &TenantId,
    board: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    const BEHIND: &str = concat!(
        "SELECT ",
        is_behind_sql!("?3"),
        " FROM leaderboards b WHERE b.tenant = ?1 AND b.id = ?2"
    );
    match session.row(BEHIND, &[tenant.into(), board.into(), now.into()])? {
        Some(mut cells) => cells.flag("bans"),
        None => Ok(false),
    }
}

/// Bans a player, or changes the record of a ban.
pub(crate) fn ban(session: &Session<'_>, tenant: &TenantId, ban: &Ban) -> Result<BanResult, StoreError> {
    const CHANGE: &str =
        "UPDATE bans SET expires_at = ?3, reason = ?4 WHERE tenant = ?1 AND player = ?2 RETURNING 1";
    const ADD: &str =
        "INSERT INTO bans (tenant, player, expires_at, reason, banned_at) VALUES (?1, ?2, ?3, ?4, ?5)";
    const COUNT: &str = "SELECT count(*) FROM bans WHERE tenant = ?1";
    end_bans(session, tenant, ban.banned_at)?;
    if count_changes(session, tenant)? >= MAX_CHANGES {
        return Ok(BanResult::Wait);
    }
    let player = Value::from(&ban.player);
    let end = Value::from(ban.expires_at);
    let reason = Value::from(ban.reason.as_deref());
    let known = session.row(CHANGE, &[tenant.into(), player, end, reason])?;
    if known.is_some() {
        return Ok(BanResult::Done);
    }
    if session.only_row(COUNT, &[tenant.into()])?.unsigned("bans")? >= MAX_BANS {
        return Ok(BanResult::TooMany);
    }
    session.run(ADD, &[tenant.into(), player, end, reason, ban.banned_at.into()])?;
    add_change(session, tenant, &ban.player, true, ban.banned_at)?;
    Ok(BanResult::Done)
}

/// Ends a ban, if there is one.
pub(crate) fn unban(
    session: &Session<'_>,
    tenant: &TenantId,
    player: &PlayerId,
    at: Timestamp,
) -> Result<BanResult, StoreError> {
    end_bans(session, tenant, at)?;
    if count_changes(session, tenant)? >= MAX_CHANGES {
        return Ok(BanResult::Wait);
    }
    drop_ban(session, tenant, player, at)?;
    Ok(BanResult::Done)
}

fn drop_ban(
    session: &Session<'_>,
    tenant: &TenantId,
    player: &PlayerId,
    at: Timestamp,
) -> Result<(), StoreError> {
    const DROP: &str = "DELETE FROM bans WHERE tenant = ?1 AND player = ?2 RETURNING 1";
    if session.row(DROP, &[tenant.into(), player.into()])?.is_some() {
        add_change(session, tenant, player, false, at)?;
    }
    Ok(())
}

/// Ends bans that are over, in the order of their ends, up to the limit of pending changes.
fn end_bans(session: &Session<'_>, tenant: &TenantId, now: Timestamp) -> Result<(), StoreError> {
    const OVER: &str = "SELECT player, expires_at FROM bans WHERE tenant = ?1 AND expires_at <= ?2 \
         ORDER BY expires_at, player LIMIT ?3 + 0";
    let over = session.rows(OVER, &[tenant.into(), now.into(), MAX_CHANGES.into()])?;
    if over.is_empty() {
        return Ok(());
    }
    let room = MAX_CHANGES.saturating_sub(count_changes(session, tenant)?);
    for row in over.into_iter().take(usize::try_from(room).unwrap_or(0)) {
        let mut cells = Cells::from(row);
        let player = read_player(&mut cells)?;
        drop_ban(session, tenant, &player, cells.instant("end of a ban")?)?;
    }
    Ok(())
}

pub(crate) fn read_player(cells: &mut Cells) -> Result<PlayerId, StoreError> {
    PlayerId::new(cells.text("player")?).map_err(|_| corrupt("player"))
}

fn count_changes(session: &Session<'_>, tenant: &TenantId) -> Result<u64, StoreError> {
    const WAITING: &str = "SELECT count(*) FROM ban_changes WHERE tenant = ?1";
    session.only_row(WAITING, &[tenant.into()])?.unsigned("changes")
}

fn add_change(
    session: &Session<'_>,
    tenant: &TenantId,
    player: &PlayerId,
    banned: bool,
    at: Timestamp,
) -> Result<(), StoreError> {
    const NUMBER: &str = "INSERT INTO ban_walks (tenant, last) VALUES (?1, 1) \
         ON CONFLICT (tenant) DO UPDATE SET last = last + 1 RETURNING last";
    const ADD: &str =
        "INSERT INTO ban_changes (tenant, number, player, banned, at) VALUES (?1, ?2, ?3, ?4, ?5)";
    let number = session.only_row(NUMBER, &[tenant.into()])?.integer("change")?;
    let change = [
        tenant.into(),
        number.into(),
        player.into(),
        banned.into(),
        at.into(),
    ];
    session.run(ADD, &change)
}
