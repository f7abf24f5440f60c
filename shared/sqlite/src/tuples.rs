//! The different tuples of the visible entries of a period, for dense ranks.

use std::collections::BTreeMap;

use leaderboard_core::StoreError;

use crate::connection::Value;
use crate::row::Cells;
use crate::rows::JsonRows;
use crate::session::Session;

/// Returns how many visible entries have each of these tuples, if any has it.
pub(crate) fn count_entries(
    session: &Session<'_>,
    period: i64,
    tuples: &[&[u8]],
) -> Result<BTreeMap<Vec<u8>, i64>, StoreError> {
    const FIND: &str = "SELECT tuple, entries FROM tuples WHERE period = ?2 \
         AND tuple IN (SELECT unhex(value ->> 0) FROM json_each(?1))";
    let mut names = JsonRows::default();
    for tuple in tuples {
        names.push(&[Value::Blob(tuple)]);
    }
    let parameters = [Value::Text(&names.to_text()), Value::Integer(period)];
    let rows = session.rows(FIND, &parameters)?;
    rows.into_iter()
        .map(|row| {
            let mut cells = Cells::from(row);
            Ok((cells.blob("tuple")?, cells.integer("entries of a tuple")?))
        })
        .collect()
}

/// Returns whether a visible entry has this tuple.
pub(crate) fn contains(session: &Session<'_>, period: i64, tuple: &[u8]) -> Result<bool, StoreError> {
    Ok(!count_entries(session, period, &[tuple])?.is_empty())
}

/// Adds to the number of visible entries that have a tuple.
pub(crate) fn add(session: &Session<'_>, period: i64, tuple: &[u8], more: i64) -> Result<(), StoreError> {
    add_many(session, period, &BTreeMap::from([(tuple.to_vec(), more)]))
}

/// Adds to the number of visible entries that have each of these tuples.
pub(crate) fn add_many(
    session: &Session<'_>,
    period: i64,
    added: &BTreeMap<Vec<u8>, i64>,
) -> Result<(), StoreError> {
    const ADD: &str = "INSERT INTO tuples (period, tuple, entries) \
         SELECT value ->> 0, unhex(value ->> 1), value ->> 2 FROM json_each(?1) WHERE true \
         ON CONFLICT (period, tuple) DO UPDATE SET entries = entries + excluded.entries";
    const DROP: &str = "DELETE FROM tuples WHERE entries <= 0 AND (period, tuple) IN \
         (SELECT value ->> 0, unhex(value ->> 1) FROM json_each(?1))";
    let rows_of = |changes: &mut dyn Iterator<Item = (&Vec<u8>, &i64)>| {
        let mut rows = JsonRows::default();
        for (tuple, more) in changes {
            rows.push(&[Value::Integer(period), Value::Blob(tuple), Value::Integer(*more)]);
        }
        rows
    };
    rows_of(&mut added.iter()).run(session, ADD)?;
    let fewer = &mut added.iter().filter(|(_, more)| **more < 0);
    rows_of(fewer).run(session, DROP)
}
