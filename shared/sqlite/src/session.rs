//! The statements of one use of the connection.

use futures::FutureExt;
use futures::future::LocalBoxFuture;
use leaderboard_core::StoreError;

use crate::connection::{Connection, ConnectionError, Row, Value};
use crate::row::Cells;

/// A [`Connection`] of any type, so that the functions with the statements need no type parameter.
trait StatementRunner {
    fn run_statement<'a>(
        &'a self,
        sql: &'a str,
        parameters: &'a [Value<'a>],
    ) -> LocalBoxFuture<'a, Result<Vec<Row>, ConnectionError>>;
}

impl<C: Connection> StatementRunner for C {
    fn run_statement<'a>(
        &'a self,
        sql: &'a str,
        parameters: &'a [Value<'a>],
    ) -> LocalBoxFuture<'a, Result<Vec<Row>, ConnectionError>> {
        self.execute(sql, parameters).boxed_local()
    }
}

/// The connection while its lock is held.
pub(crate) struct Session<'a> {
    connection: &'a dyn StatementRunner,
    /// Whether a read of a leaderboard with pending bans fails.
    pub(crate) requires_applied_bans: bool,
}

impl<'a> Session<'a> {
    /// Creates a session whose reads do not require applied bans.
    pub(crate) fn new(connection: &'a impl Connection) -> Self {
        Self {
            connection,
            requires_applied_bans: false,
        }
    }

    /// Runs a statement and returns its rows.
    pub(crate) async fn rows(&self, sql: &str, parameters: &[Value<'_>]) -> Result<Vec<Row>, StoreError> {
        Ok(self.connection.run_statement(sql, parameters).await?)
    }

    /// Runs a statement and returns its first row.
    pub(crate) async fn row(&self, sql: &str, parameters: &[Value<'_>]) -> Result<Option<Cells>, StoreError> {
        let rows = self.rows(sql, parameters).await?;
        Ok(rows.into_iter().next().map(Cells::from))
    }

    /// Runs a statement and ignores its rows.
    pub(crate) async fn run(&self, sql: &str, parameters: &[Value<'_>]) -> Result<(), StoreError> {
        self.rows(sql, parameters).await.map(drop)
    }
}
