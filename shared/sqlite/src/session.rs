//! The statements of one use of the connection.

use leaderboard_core::StoreError;

use crate::connection::{Connection, Row, Value};
use crate::row::Cells;

/// The connection while its lock is held.
#[derive(Debug)]
pub(crate) struct Session<'a, C> {
    connection: &'a C,
    /// Whether a read of a leaderboard with pending bans fails.
    pub(crate) requires_applied_bans: bool,
}

impl<'a, C: Connection> Session<'a, C> {
    /// Creates a session whose reads do not require applied bans.
    pub(crate) fn new(connection: &'a C) -> Self {
        Self {
            connection,
            requires_applied_bans: false,
        }
    }

    /// Runs a statement for its rows.
    pub(crate) async fn rows(&self, sql: &str, parameters: &[Value<'_>]) -> Result<Vec<Row>, StoreError> {
        Ok(self.connection.execute(sql, parameters).await?)
    }

    /// Runs a statement for its first row.
    pub(crate) async fn row(&self, sql: &str, parameters: &[Value<'_>]) -> Result<Option<Cells>, StoreError> {
        let rows = self.rows(sql, parameters).await?;
        Ok(rows.into_iter().next().map(Cells::from))
    }

    /// Runs a statement for its effect.
    pub(crate) async fn run(&self, sql: &str, parameters: &[Value<'_>]) -> Result<(), StoreError> {
        self.rows(sql, parameters).await.map(drop)
    }
}
