//! The different tuples of the visible entries of a period, for dense ranks.

use leaderboard_core::{Layout, OrderKey, StoreError};

use crate::connection::{Connection, Value};
use crate::periods::Found;
use crate::row::stored;
use crate::store::Session;

/// The tuple in a key of a period.
pub(crate) fn of<'k>(period: &Found, key: &'k OrderKey) -> &'k [u8] {
    let key = key.as_bytes();
    key.get(..period.layout.tuple_bytes()).unwrap_or(key)
}

/// One more visible entry has this tuple.
pub(crate) async fn add<C: Connection>(
    session: &Session<'_, C>,
    period: i64,
    tuple: &[u8],
) -> Result<(), StoreError> {
    const ADD: &str = "INSERT INTO tuples (period, tuple, entries) VALUES (?1, ?2, 1) \
         ON CONFLICT (period, tuple) DO UPDATE SET entries = entries + 1";
    session
        .run(ADD, &[Value::Integer(period), Value::Blob(tuple)])
        .await
}

/// One visible entry less has this tuple.
pub(crate) async fn take<C: Connection>(
    session: &Session<'_, C>,
    period: i64,
    tuple: &[u8],
) -> Result<(), StoreError> {
    const TAKE: &str = "UPDATE tuples SET entries = entries - 1 WHERE period = ?1 AND tuple = ?2";
    const DROP: &str = "DELETE FROM tuples WHERE period = ?1 AND tuple = ?2 AND entries <= 0";
    let parameters = [Value::Integer(period), Value::Blob(tuple)];
    session.run(TAKE, &parameters).await?;
    session.run(DROP, &parameters).await
}

/// Counts the tuples of a period anew, for its new layout.
pub(crate) async fn recount<C: Connection>(
    session: &Session<'_, C>,
    period: i64,
    layout: &Layout,
) -> Result<(), StoreError> {
    const CLEAR: &str = "DELETE FROM tuples WHERE period = ?1";
    const COUNT: &str = "INSERT INTO tuples (period, tuple, entries) \
         SELECT period, substr(order_key, 1, ?2) AS tuple, count(*) FROM entries \
         WHERE period = ?1 AND hidden = 0 GROUP BY tuple";
    session.run(CLEAR, &[Value::Integer(period)]).await?;
    if layout.ties != leaderboard_core::Ties::Dense {
        return Ok(());
    }
    let tuple_bytes = stored(layout.tuple_bytes() as u64);
    session
        .run(COUNT, &[Value::Integer(period), Value::Integer(tuple_bytes)])
        .await
}
