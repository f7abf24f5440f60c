//! Counters of the whole installation.

use leaderboard_core::StoreError;

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
        rows.push(&[name.as_ref().into(), (*count).into()]);
    }
    rows.run(session, ADD)
}

/// Returns all counters, in byte order of their names.
pub(crate) fn list(session: &Session<'_>) -> Result<Vec<(Box<str>, u64)>, StoreError> {
    const LIST: &str = "SELECT name, count FROM counters ORDER BY name";
    session.map_rows(LIST, &[], |cells| {
        let name = cells.text("name of a counter")?;
        Ok((name.into(), cells.unsigned("counter")?))
    })
}
