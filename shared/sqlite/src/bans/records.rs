//! Reading bans.

use leaderboard_core::ports::Ban;
use leaderboard_core::{PlayerId, StoreError, TenantId, Timestamp};

use super::read_player;
use crate::connection::Value;
use crate::row::{Cells, corrupt};
use crate::session::Session;

/// Returns the ban of a player that is in effect at `now`.
pub(crate) fn find(
    session: &Session<'_>,
    tenant: &TenantId,
    name: &PlayerId,
    now: Timestamp,
) -> Result<Option<Ban>, StoreError> {
    const FIND: &str = "SELECT player, banned_at, expires_at, reason FROM bans \
         WHERE tenant = ?1 AND player = ?2 AND (expires_at IS NULL OR expires_at > ?3)";
    let parameters = [
        Value::Text(tenant.as_str()),
        Value::Text(name.as_str()),
        Value::Integer(now.as_unix_ms()),
    ];
    session.row(FIND, &parameters)?.map(record).transpose()
}

/// Returns bans that are in effect at `now`, in the order of their players.
pub(crate) fn list(
    session: &Session<'_>,
    tenant: &TenantId,
    after: Option<&PlayerId>,
    limit: u32,
    now: Timestamp,
) -> Result<Vec<Ban>, StoreError> {
    const LIST: &str = "SELECT player, banned_at, expires_at, reason FROM bans \
         WHERE tenant = ?1 AND player > ?2 AND (expires_at IS NULL OR expires_at > ?3) ORDER BY player LIMIT ?4 + 0";
    let parameters = [
        Value::Text(tenant.as_str()),
        // No player's name is empty.
        Value::Text(after.map_or("", PlayerId::as_str)),
        Value::Integer(now.as_unix_ms()),
        Value::Integer(i64::from(limit)),
    ];
    let rows = session.rows(LIST, &parameters)?;
    rows.into_iter().map(|row| record(row.into())).collect()
}

fn record(mut cells: Cells) -> Result<Ban, StoreError> {
    Ok(Ban {
        player: read_player(&mut cells)?,
        banned_at: cells
            .instant_or_null("begin of a ban")?
            .ok_or_else(|| corrupt("begin of a ban"))?,
        expires_at: cells.instant_or_null("end of a ban")?,
        reason: cells.text_or_null("reason")?,
    })
}
