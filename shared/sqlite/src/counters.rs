//! Counters of the whole installation.

use leaderboard_core::StoreError;

use crate::connection::Value;
use crate::row::{Cells, stored};
use crate::rows::JsonRows;
use crate::session::Session;

/// Adds to counters. A counter that reaches the largest 64-bit integer stays there.
pub(crate) fn add(session: &Session<'_>, counts: &[(Box<str>, u64)]) -> Result<(), StoreError> {
    // SQLite would turn a sum beyond the range into a float.
    const ADD: &str = "INSERT INTO counters (name, count) SELECT value ->> 0, value ->> 1 FROM json_each(?1) \
         WHERE true ON CONFLICT (name) DO UPDATE SET count = \
         CASE WHEN count > 9223372036854775807 - excluded.count THEN 9223372036854775807 \
         ELSE count + excluded.count END";
    let mut rows = JsonRows::default();
    for (name, count) in counts {
        rows.push(&[Value::Text(name), Value::Integer(stored(*count))]);
    }
    rows.run(session, ADD)
}

/// Returns all counters, in byte order of their names.
pub(crate) fn list(session: &Session<'_>) -> Result<Vec<(Box<str>, u64)>, StoreError> {
    let rows = session.rows("SELECT name, count FROM counters ORDER BY name", &[])?;
    rows.into_iter()
        .map(|row| {
            let mut cells = Cells::from(row);
            Ok((
                cells.text("name of a counter")?.into(),
                cells.unsigned("counter")?,
            ))
        })
        .collect()
}
