//! Reading bans.

use leaderboard_core::ports::Ban;
use leaderboard_core::{PlayerId, StoreError, TenantId, Timestamp};

use super::read_player;
use crate::row::Cells;
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
    session.map_row(FIND, &[tenant.into(), name.into(), now.into()], record)
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
    // No player's name is empty.
    let after = after.map_or("", PlayerId::as_str);
    let parameters = [tenant.into(), after.into(), now.into(), limit.into()];
    session.map_rows(LIST, &parameters, record)
}

fn record(cells: &mut Cells) -> Result<Ban, StoreError> {
    Ok(Ban {
        player: read_player(cells)?,
        banned_at: cells.instant("begin of a ban")?,
        expires_at: cells.instant_or_null("end of a ban")?,
        reason: cells.text_or_null("reason")?,
    })
}
