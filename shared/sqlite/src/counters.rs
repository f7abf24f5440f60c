//! The port [`Counters`]: counters of the whole installation.

use leaderboard_core::StoreError;
use leaderboard_core::ports::Counters;

use crate::SqliteStore;
use crate::connection::Connection;
use crate::rows::JsonRows;

impl<C: Connection> Counters for SqliteStore<C> {
    /// Adds to counters. A counter that reaches the largest 64-bit integer stays there.
    async fn add(&self, counts: &[(Box<str>, u64)]) -> Result<(), StoreError> {
        // SQLite would turn a sum beyond the range into a float.
        const ADD: &str = "INSERT INTO counters (name, count) SELECT value ->> 0, value ->> 1 FROM json_each(?1) \
             WHERE true ON CONFLICT (name) DO UPDATE SET count = \
             CASE WHEN count > 9223372036854775807 - excluded.count THEN 9223372036854775807 \
             ELSE count + excluded.count END";
        if counts.is_empty() {
            return Ok(());
        }
        let mut rows = JsonRows::default();
        for (name, count) in counts {
            rows.push(&[name.as_ref().into(), (*count).into()]);
        }
        self.write(|session| rows.run(session, ADD)).await
    }

    async fn counters(&self) -> Result<Vec<(Box<str>, u64)>, StoreError> {
        const LIST: &str = "SELECT name, count FROM counters ORDER BY name";
        self.single(|session| {
            session.map_rows(LIST, &[], |cells| {
                let name = cells.text("name of a counter")?;
                Ok((name.into(), cells.unsigned("counter")?))
            })
        })
    }
}
