//! Deletes discarded data. Deleted leaderboards and expired periods are invisible at once; their rows are deleted in small steps.

use leaderboard_core::ports::{SWEEP_STEP_PERIODS, SWEEP_STEP_ROWS};
use leaderboard_core::{PeriodId, StoreError, Timestamp};

use crate::connection::Value;
use crate::retention;
use crate::row::corrupt;
use crate::session::Session;

/// `discarded.kind` of a deleted leaderboard.
const LEADERBOARD: i64 = 0;
/// `discarded.kind` of a period that expired or was deleted.
const PERIOD: i64 = 1;
/// `discarded.kind` of the claims of such a period. Most periods have none, so they do not pay for it.
const CLAIMS: i64 = 2;

/// The most expired periods that one transaction of scores discards.
pub(crate) const EXPIRED_PER_STEP: u64 = 100;

/// Discards up to `most` periods of a leaderboard that have expired at `now`. Returns how many.
pub(crate) fn discard_expired(
    session: &Session<'_>,
    board: i64,
    now: Timestamp,
    most: u64,
) -> Result<u64, StoreError> {
    const EXPIRED: &str = "SELECT row FROM periods WHERE leaderboard = ?1 AND expires_at <= ?2 \
         ORDER BY expires_at, row LIMIT ?3 + 0";
    discard_periods(session, EXPIRED, &[board.into(), now.into(), most.into()])
}

/// Discards an expired period, so that a new period can have its id.
pub(crate) fn discard_expired_period(
    session: &Session<'_>,
    board: i64,
    id: &PeriodId,
) -> Result<(), StoreError> {
    const NAMED: &str = "SELECT row FROM periods WHERE leaderboard = ?1 AND id = ?2";
    discard_periods(session, NAMED, &[board.into(), id.into()]).map(drop)
}

/// Discards the periods whose rows a statement selects. Returns how many.
fn discard_periods(
    session: &Session<'_>,
    selected: &str,
    parameters: &[Value<'_>],
) -> Result<u64, StoreError> {
    for sql in [
        format!(
            "INSERT INTO discarded (kind, row) SELECT 1, spare FROM rebuilds WHERE period IN ({selected})"
        ),
        format!("DELETE FROM rebuilds WHERE period IN ({selected})"),
        format!("INSERT INTO discarded (kind, row) SELECT 1, row FROM periods WHERE row IN ({selected})"),
        format!(
            "INSERT INTO discarded (kind, row) SELECT 2, row FROM periods WHERE row IN ({selected}) \
             AND EXISTS (SELECT 1 FROM claims WHERE period = periods.row)"
        ),
        format!("DELETE FROM periods WHERE row IN ({selected})"),
    ] {
        session.run(&sql, parameters)?;
    }
    changes(session)
}

/// Discards the entries of a period's row.
pub(crate) fn discard_period(session: &Session<'_>, row: i64) -> Result<(), StoreError> {
    const DISCARD: &str = "INSERT INTO discarded (kind, row) VALUES (1, ?1)";
    session.run(DISCARD, &[row.into()])
}

/// Discards a leaderboard and its periods.
pub(crate) fn discard_leaderboard(session: &Session<'_>, board: i64) -> Result<(), StoreError> {
    retention::subtract_leaderboard(session, board)?;
    for sql in [
        "INSERT INTO discarded (kind, row) SELECT 1, r.spare FROM periods p JOIN rebuilds r ON r.period = p.row \
         WHERE p.leaderboard = ?1",
        "DELETE FROM rebuilds WHERE period IN (SELECT row FROM periods WHERE leaderboard = ?1)",
        "INSERT INTO discarded (kind, row) SELECT 1, row FROM periods WHERE leaderboard = ?1",
        "INSERT INTO discarded (kind, row) SELECT 2, row FROM periods WHERE leaderboard = ?1 \
         AND EXISTS (SELECT 1 FROM claims WHERE period = periods.row)",
        "INSERT INTO discarded (kind, row) VALUES (0, ?1)",
        "DELETE FROM pending_expiries WHERE leaderboard = ?1",
        // The leaderboard is deleted before its periods, so that their trigger has no count to update.
        "DELETE FROM leaderboards WHERE row = ?1",
        "DELETE FROM periods WHERE leaderboard = ?1",
    ] {
        session.run(sql, &[board.into()])?;
    }
    Ok(())
}

/// Deletes up to [`SWEEP_STEP_ROWS`] rows of at most [`SWEEP_STEP_PERIODS`] discarded periods and leaderboards. Returns whether more
/// may be left.
pub(crate) fn delete_some(session: &Session<'_>) -> Result<bool, StoreError> {
    const NEXT: &str = "SELECT kind, row FROM discarded LIMIT 1";
    const DONE: &str = "DELETE FROM discarded WHERE kind = ?1 AND row = ?2";
    let mut budget = SWEEP_STEP_ROWS;
    for _ in 0..SWEEP_STEP_PERIODS {
        let Some(mut next) = session.row(NEXT, &[])? else {
            return Ok(false);
        };
        let kind = next.integer("kind")?;
        let row = next.integer("row")?;
        for sql in statements_of(kind)? {
            budget = budget.saturating_sub(delete_rows(session, sql, row, budget)?);
        }
        if budget == 0 {
            break;
        }
        session.run(DONE, &[kind.into(), row.into()])?;
    }
    Ok(true)
}

/// Returns the statements that delete up to `?2` rows of the leaderboard or period `?1`.
fn statements_of(kind: i64) -> Result<&'static [&'static str], StoreError> {
    match kind {
        LEADERBOARD => Ok(&[
            "DELETE FROM events WHERE leaderboard = ?1 AND position IN \
             (SELECT position FROM events WHERE leaderboard = ?1 LIMIT ?2 + 0)",
            "DELETE FROM submissions WHERE leaderboard = ?1 AND id IN \
             (SELECT id FROM submissions WHERE leaderboard = ?1 LIMIT ?2 + 0)",
            "DELETE FROM snapshots WHERE leaderboard = ?1 AND position IN \
             (SELECT position FROM snapshots WHERE leaderboard = ?1 LIMIT ?2 + 0)",
        ]),
        PERIOD => Ok(&[
            "DELETE FROM entries WHERE period = ?1 AND player IN \
             (SELECT player FROM entries WHERE period = ?1 LIMIT ?2 + 0)",
            "DELETE FROM tuples WHERE period = ?1 AND tuple IN \
             (SELECT tuple FROM tuples WHERE period = ?1 LIMIT ?2 + 0)",
        ]),
        CLAIMS => Ok(&["DELETE FROM claims WHERE period = ?1 AND player IN \
             (SELECT player FROM claims WHERE period = ?1 LIMIT ?2 + 0)"]),
        _ => Err(corrupt("kind of a discarded row")),
    }
}

fn delete_rows(session: &Session<'_>, sql: &str, row: i64, budget: u64) -> Result<u64, StoreError> {
    session.run(sql, &[row.into(), budget.into()])?;
    changes(session)
}

/// Returns how many rows the last statement changed.
fn changes(session: &Session<'_>) -> Result<u64, StoreError> {
    session.only_row("SELECT changes()", &[])?.unsigned("changes")
}
