//! Hides players and shows them again.

use leaderboard_core::{Event, EventBody, PlayerId, StoreError, TenantId, Timestamp};

use crate::connection::{Connection, Value};
use crate::row::{Cells, corrupt};
use crate::store::Session;
use crate::{entries, log, periods, tuples};

/// What happens to the player.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    Hide,
    Restore,
}

/// Hides or restores a player in the whole tenant.
pub(crate) async fn turn<C: Connection>(
    session: &Session<'_, C>,
    tenant: &TenantId,
    player: &PlayerId,
    turn: Turn,
    at: Timestamp,
) -> Result<(), StoreError> {
    const HIDE: &str = "INSERT OR IGNORE INTO hidden_players (tenant, player) VALUES (?1, ?2)";
    const RESTORE: &str = "DELETE FROM hidden_players WHERE tenant = ?1 AND player = ?2";
    // Entries that are not as they should be; those of one leaderboard follow each other.
    const AFFECTED: &str = "SELECT b.row, b.last_position, p.row FROM leaderboards b \
         JOIN periods p ON p.leaderboard = b.row AND (p.expires_at IS NULL OR p.expires_at > ?4) \
         JOIN entries e ON e.period = p.row AND e.player = ?2 AND e.hidden <> ?3 \
         WHERE b.tenant = ?1 ORDER BY b.row, p.row";
    let hidden = turn == Turn::Hide;
    let names = [Value::Text(tenant.as_str()), Value::Text(player.as_str())];
    session.run(if hidden { HIDE } else { RESTORE }, &names).await?;
    let [tenant, name] = names;
    let parameters = [
        tenant,
        name,
        Value::Integer(i64::from(hidden)),
        Value::Integer(at.as_unix_ms()),
    ];
    let affected = session.rows(AFFECTED, &parameters).await?;
    let body = match turn {
        Turn::Hide => EventBody::Hidden {
            player: player.clone(),
        },
        Turn::Restore => EventBody::Restored {
            player: player.clone(),
        },
    };
    let event = Event {
        recorded_at: at,
        body,
    };
    let mut last_board = None;
    for row in affected {
        let mut cells = Cells::from(row);
        let board = cells.integer("leaderboard row")?;
        let position = cells.unsigned("last position")?.saturating_add(1);
        if last_board != Some(board) {
            log::append(session, board, position, &event).await?;
            last_board = Some(board);
        }
        let period = cells.integer("period row")?;
        turn_entry(session, period, player, hidden, position).await?;
    }
    Ok(())
}

async fn turn_entry<C: Connection>(
    session: &Session<'_, C>,
    period: i64,
    player: &PlayerId,
    hidden: bool,
    position: u64,
) -> Result<(), StoreError> {
    const TURN: &str = concat!(
        "UPDATE entries SET hidden = ?3 WHERE period = ?1 AND player = ?2 RETURNING ",
        entries::entry_columns!()
    );
    let mut period = periods::by_row(session, period).await?;
    let parameters = [
        Value::Integer(period.row),
        Value::Text(player.as_str()),
        Value::Integer(i64::from(hidden)),
    ];
    let row = session.row(TURN, &parameters).await?;
    let mut cells = row.ok_or_else(|| corrupt("entry"))?;
    let key = entries::stored_entry(&period.layout, &mut cells)?.key;
    if period.keeps_tuples() {
        let tuple = tuples::of(&period, &key);
        if hidden {
            tuples::take(session, period.row, tuple).await?;
        } else {
            tuples::add(session, period.row, tuple).await?;
        }
    }
    let visible = if hidden {
        period.visible.checked_sub(1)
    } else {
        period.visible.checked_add(1)
    };
    period.visible = visible.ok_or_else(|| corrupt("count of visible entries"))?;
    period.version = position;
    periods::save(session, &period).await
}
