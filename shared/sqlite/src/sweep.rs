//! What was deleted or has expired is out of sight at once, and its rows go in small pieces.

use leaderboard_core::ports::SWEEP_STEP_ROWS;
use leaderboard_core::{StoreError, Timestamp};

use crate::connection::{Connection, Value};
use crate::retention;
use crate::row::{corrupt, stored};
use crate::store::Session;

/// Kinds of rows in `discarded`.
const LEADERBOARD: i64 = 0;
const PERIOD: i64 = 1;

/// Puts the periods of a leaderboard that have expired at `now` out of sight.
pub(crate) async fn discard_expired<C: Connection>(
    session: &Session<'_, C>,
    board: i64,
    now: Timestamp,
) -> Result<(), StoreError> {
    const DISCARD_SPARES: &str = "INSERT INTO discarded (kind, row) SELECT 1, r.spare \
         FROM periods p JOIN rebuilds r ON r.period = p.row WHERE p.leaderboard = ?1 AND p.expires_at <= ?2";
    const END_REBUILDS: &str = "DELETE FROM rebuilds WHERE period IN \
         (SELECT row FROM periods WHERE leaderboard = ?1 AND expires_at <= ?2)";
    const DISCARD: &str = "INSERT INTO discarded (kind, row) \
         SELECT 1, row FROM periods WHERE leaderboard = ?1 AND expires_at <= ?2";
    const FORGET: &str = "DELETE FROM periods WHERE leaderboard = ?1 AND expires_at <= ?2";
    let parameters = [Value::Integer(board), Value::Integer(now.as_unix_ms())];
    for sql in [DISCARD_SPARES, END_REBUILDS, DISCARD, FORGET] {
        session.run(sql, &parameters).await?;
    }
    Ok(())
}

/// Puts the entries that belong to a row of periods out of sight.
pub(crate) async fn discard_period<C: Connection>(
    session: &Session<'_, C>,
    row: i64,
) -> Result<(), StoreError> {
    const DISCARD: &str = "INSERT INTO discarded (kind, row) VALUES (1, ?1)";
    session.run(DISCARD, &[Value::Integer(row)]).await
}

/// Puts a leaderboard and its periods out of sight.
pub(crate) async fn discard_leaderboard<C: Connection>(
    session: &Session<'_, C>,
    board: i64,
) -> Result<(), StoreError> {
    retention::release(session, board).await?;
    for sql in [
        "INSERT INTO discarded (kind, row) SELECT 1, r.spare FROM periods p JOIN rebuilds r ON r.period = p.row \
         WHERE p.leaderboard = ?1",
        "DELETE FROM rebuilds WHERE period IN (SELECT row FROM periods WHERE leaderboard = ?1)",
        "INSERT INTO discarded (kind, row) SELECT 1, row FROM periods WHERE leaderboard = ?1",
        "INSERT INTO discarded (kind, row) VALUES (0, ?1)",
        // The leaderboard first: nobody keeps its count of entries then.
        "DELETE FROM leaderboards WHERE row = ?1",
        "DELETE FROM periods WHERE leaderboard = ?1",
    ] {
        session.run(sql, &[Value::Integer(board)]).await?;
    }
    Ok(())
}

/// Deletes up to [`SWEEP_STEP_ROWS`] rows of what is out of sight. Whether more may be left.
pub(crate) async fn sweep<C: Connection>(session: &Session<'_, C>) -> Result<bool, StoreError> {
    const NEXT: &str = "SELECT kind, row FROM discarded LIMIT 1";
    const DONE: &str = "DELETE FROM discarded WHERE kind = ?1 AND row = ?2";
    let mut budget = SWEEP_STEP_ROWS;
    while budget > 0 {
        let Some(mut next) = session.row(NEXT, &[]).await? else {
            return Ok(false);
        };
        let kind = next.integer("kind")?;
        let row = next.integer("row")?;
        for sql in pieces(kind)? {
            budget = budget.saturating_sub(delete_some(session, sql, row, budget).await?);
        }
        if budget > 0 {
            session
                .run(DONE, &[Value::Integer(kind), Value::Integer(row)])
                .await?;
        }
    }
    Ok(true)
}

/// The statements that delete up to `?2` rows of the thing `?1`.
fn pieces(kind: i64) -> Result<[&'static str; 2], StoreError> {
    match kind {
        LEADERBOARD => Ok([
            "DELETE FROM events WHERE leaderboard = ?1 AND position IN \
             (SELECT position FROM events WHERE leaderboard = ?1 LIMIT ?2)",
            "DELETE FROM submissions WHERE leaderboard = ?1 AND id IN \
             (SELECT id FROM submissions WHERE leaderboard = ?1 LIMIT ?2)",
        ]),
        PERIOD => Ok([
            "DELETE FROM entries WHERE period = ?1 AND player IN \
             (SELECT player FROM entries WHERE period = ?1 LIMIT ?2)",
            "DELETE FROM tuples WHERE period = ?1 AND tuple IN \
             (SELECT tuple FROM tuples WHERE period = ?1 LIMIT ?2)",
        ]),
        _ => Err(corrupt("kind of a discarded row")),
    }
}

async fn delete_some<C: Connection>(
    session: &Session<'_, C>,
    sql: &str,
    row: i64,
    budget: u64,
) -> Result<u64, StoreError> {
    session
        .run(sql, &[Value::Integer(row), Value::Integer(stored(budget))])
        .await?;
    let changes = session.row("SELECT changes()", &[]).await?;
    changes.ok_or_else(|| corrupt("changes"))?.unsigned("changes")
}
