//! Removes an entry.

use leaderboard_core::ports::{PeriodRef, ReadError};
use leaderboard_core::{Event, EventBody, PeriodId, PlayerId, StoreError, Timestamp};

use crate::periods::PeriodRow;
use crate::row::corrupt;
use crate::session::Session;
use crate::writes::PendingWrites;
use crate::{entries, leaderboards, log, periods, tuples};

/// Removes a player's entry, and returns the period's new version.
pub(crate) fn remove(
    session: &Session<'_>,
    period_ref: &PeriodRef<'_>,
    player: &PlayerId,
    at: Timestamp,
) -> Result<Option<u64>, ReadError> {
    let board =
        leaderboards::find_up_to_date(session, period_ref.tenant, &period_ref.leaderboard.value.id, at)?
            .filter(|board| board.version == period_ref.leaderboard.version)
            .ok_or(ReadError::StaleConfiguration)?;
    let Some(period) = periods::find(session, board.row, period_ref.period, at)? else {
        return Ok(None);
    };
    let position = board.last_position.saturating_add(1);
    let is_removed = delete_entry(
        session,
        (board.row, position),
        (period, period_ref.period),
        player,
        at,
    )?;
    Ok(is_removed.then_some(position))
}

/// Deletes a player's entry, and appends its event at a position of a leaderboard's log. Returns whether there was an entry.
pub(crate) fn delete_entry(
    session: &Session<'_>,
    (board, position): (i64, u64),
    (mut period, id): (PeriodRow, &PeriodId),
    player: &PlayerId,
    at: Timestamp,
) -> Result<bool, StoreError> {
    const REMOVE: &str = concat!(
        "DELETE FROM entries WHERE period = ?1 AND player = ?2 RETURNING hidden, ",
        entries::entry_columns!()
    );
    let Some(mut cells) = session.row(REMOVE, &[period.row.into(), player.into()])? else {
        return Ok(false);
    };
    let visible = !cells.flag("hidden")?;
    let key = entries::read_entry(&period.layout, &mut cells)?.key;
    if visible && period.keeps_tuples() {
        tuples::add(session, period.row, period.layout.tuple_of(&key), -1)?;
    }
    period.version = position;
    period.total = period
        .total
        .checked_sub(1)
        .ok_or_else(|| corrupt("count of entries"))?;
    period.visible = period
        .visible
        .checked_sub(u64::from(visible))
        .ok_or_else(|| corrupt("count of visible entries"))?;
    let mut writes = PendingWrites::default();
    periods::save(session, &mut writes, &period)?;
    let event = Event {
        recorded_at: at,
        body: EventBody::Removed {
            player: player.clone(),
            period: id.clone(),
        },
    };
    log::append(session, &mut writes, (board, position), &event)?;
    writes.apply(session)?;
    Ok(true)
}
