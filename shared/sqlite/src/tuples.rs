//! The different tuples of the visible entries of a period, for dense ranks.

use std::collections::BTreeMap;

use leaderboard_core::StoreError;

use crate::bulk;
use crate::connection::Value;
use crate::session::Session;

/// Returns how many visible entries have this tuple.
pub(crate) async fn count_entries(
    session: &Session<'_>,
    period: i64,
    tuple: &[u8],
) -> Result<u64, StoreError> {
    const FIND: &str = "SELECT entries FROM tuples WHERE period = ?1 AND tuple = ?2";
    let parameters = [Value::Integer(period), Value::Blob(tuple)];
    match session.row(FIND, &parameters).await? {
        Some(mut cells) => cells.unsigned("entries of a tuple"),
        None => Ok(0),
    }
}

/// Counts one more visible entry with this tuple.
pub(crate) async fn add(session: &Session<'_>, period: i64, tuple: &[u8]) -> Result<(), StoreError> {
    const ADD: &str = "INSERT INTO tuples (period, tuple, entries) VALUES (?1, ?2, 1) \
         ON CONFLICT (period, tuple) DO UPDATE SET entries = entries + 1";
    session
        .run(ADD, &[Value::Integer(period), Value::Blob(tuple)])
        .await
}

/// Counts one less visible entry with this tuple.
pub(crate) async fn remove(session: &Session<'_>, period: i64, tuple: &[u8]) -> Result<(), StoreError> {
    const TAKE: &str = "UPDATE tuples SET entries = entries - 1 WHERE period = ?1 AND tuple = ?2";
    const DROP: &str = "DELETE FROM tuples WHERE period = ?1 AND tuple = ?2 AND entries <= 0";
    let parameters = [Value::Integer(period), Value::Blob(tuple)];
    session.run(TAKE, &parameters).await?;
    session.run(DROP, &parameters).await
}

/// Adds to the counts of several tuples.
pub(crate) async fn add_many(
    session: &Session<'_>,
    period: i64,
    counts: &BTreeMap<&[u8], i64>,
) -> Result<(), StoreError> {
    let rows: Vec<_> = counts
        .iter()
        .map(|(tuple, count)| [Value::Integer(period), Value::Blob(tuple), Value::Integer(*count)])
        .collect();
    bulk::insert(
        session,
        "INSERT INTO tuples (period, tuple, entries) VALUES ",
        " ON CONFLICT (period, tuple) DO UPDATE SET entries = entries + excluded.entries",
        &rows,
    )
    .await
}
