//! The statements of one use of the connection.

use std::cell::Cell;

use leaderboard_core::StoreError;

use crate::connection::{Connection, Row, Value};
use crate::row::Cells;

/// The connection during one use. Its type is dynamic, so that the functions with the statements need no type parameter.
pub(crate) struct Session<'a> {
    connection: &'a dyn StatementRunner,
    /// Whether a read of a leaderboard with pending bans fails.
    pub(crate) requires_applied_bans: bool,
    /// Whether a statement failed because the database was unavailable.
    has_failed: Cell<bool>,
}

/// The part of [`Connection`] that runs statements.
trait StatementRunner {
    fn run_statement(&self, sql: &str, parameters: &[Value<'_>]) -> Result<Vec<Row>, StoreError>;
}

impl<C: Connection> StatementRunner for C {
    fn run_statement(&self, sql: &str, parameters: &[Value<'_>]) -> Result<Vec<Row>, StoreError> {
        Ok(self.execute(sql, parameters)?)
    }
}

impl<'a> Session<'a> {
    /// Creates a session whose reads do not require applied bans.
    pub(crate) fn new(connection: &'a impl Connection) -> Self {
        Self {
            connection,
            requires_applied_bans: false,
            has_failed: Cell::new(false),
        }
    }

    /// Returns whether a statement failed because the database was unavailable. The connection is then in an unknown state.
    pub(crate) fn has_failed(&self) -> bool {
        self.has_failed.get()
    }

    /// Runs a statement and returns its rows.
    pub(crate) fn rows(&self, sql: &str, parameters: &[Value<'_>]) -> Result<Vec<Row>, StoreError> {
        let result = self.connection.run_statement(sql, parameters);
        if matches!(result, Err(StoreError::Unavailable(_))) {
            self.has_failed.set(true);
        }
        result
    }

    /// Runs a statement and returns its first row.
    pub(crate) fn row(&self, sql: &str, parameters: &[Value<'_>]) -> Result<Option<Cells>, StoreError> {
        let rows = self.rows(sql, parameters)?;
        Ok(rows.into_iter().next().map(Cells::from))
    }

    /// Runs a statement whose result always has a row, and returns this row. If the result has no row, the first read of a cell
    /// fails.
    pub(crate) fn only_row(&self, sql: &str, parameters: &[Value<'_>]) -> Result<Cells, StoreError> {
        Ok(self.row(sql, parameters)?.unwrap_or_default())
    }

    /// Runs a statement and returns what `read` reads from its first row.
    pub(crate) fn map_row<T>(
        &self,
        sql: &str,
        parameters: &[Value<'_>],
        read: impl FnOnce(&mut Cells) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        let row = self.row(sql, parameters)?;
        row.map(|mut cells| read(&mut cells)).transpose()
    }

    /// Runs a statement and returns what `read` reads from each row.
    pub(crate) fn map_rows<T>(
        &self,
        sql: &str,
        parameters: &[Value<'_>],
        read: impl Fn(&mut Cells) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let rows = self.rows(sql, parameters)?;
        rows.into_iter().map(|row| read(&mut row.into())).collect()
    }

    /// Runs a statement and ignores its rows.
    pub(crate) fn run(&self, sql: &str, parameters: &[Value<'_>]) -> Result<(), StoreError> {
        self.rows(sql, parameters).map(drop)
    }
}
