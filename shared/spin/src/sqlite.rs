//! The built-in SQLite database, one connection for each instance.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use leaderboard_sqlite::{Cell, Connection, ConnectionError, Row, Value};
use spin_sdk::sqlite::{self, Error};

/// The label of the database that the manifest grants to every component.
const DATABASE: &str = "default";

/// A connection that is opened at its first use.
#[derive(Default)]
pub(crate) struct SqliteConnection(RefCell<Option<Rc<sqlite::Connection>>>);

impl std::fmt::Debug for SqliteConnection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SqliteConnection")
    }
}

impl SqliteConnection {
    async fn connection(&self) -> Result<Rc<sqlite::Connection>, ConnectionError> {
        if let Some(open) = self.0.borrow().as_ref() {
            return Ok(Rc::clone(open));
        }
        let opened = Rc::new(sqlite::Connection::open(DATABASE).await.map_err(classify)?);
        // Two requests can each open a connection at the same time. Both must use the first, because a transaction belongs to a
        // connection.
        Ok(Rc::clone(self.0.borrow_mut().get_or_insert(opened)))
    }
}

fn classify(error: Error) -> ConnectionError {
    match error {
        Error::NoSuchDatabase => ConnectionError::Unavailable("no such database".into()),
        Error::AccessDenied => ConnectionError::Unavailable("not granted to this component".into()),
        Error::InvalidConnection => ConnectionError::Unavailable("the connection is gone".into()),
        Error::DatabaseFull => ConnectionError::Io("database is full".into()),
        Error::Io(message) => ConnectionError::from_message(message),
    }
}

impl Connection for SqliteConnection {
    async fn execute(&self, sql: &str, parameters: &[Value<'_>]) -> Result<Vec<Row>, ConnectionError> {
        let connection = self.connection().await?;
        let result = connection
            .execute(sql, parameters.iter().map(parameter))
            .await
            .map_err(classify)?;
        let rows = result.collect().await.map_err(classify)?;
        Ok(rows
            .into_iter()
            .map(|row| row.values.into_iter().map(cell).collect())
            .collect())
    }

    async fn pause(&self, time: Duration) {
        spin_sdk::time::sleep(time).await;
    }

    /// Drops the connection. SQLite then rolls back its open transaction.
    async fn reset(&self) -> Result<(), ConnectionError> {
        *self.0.borrow_mut() = None;
        Ok(())
    }
}

fn parameter(value: &Value<'_>) -> sqlite::Value {
    match value {
        Value::Null => sqlite::Value::Null,
        Value::Integer(number) => sqlite::Value::Integer(*number),
        Value::Text(text) => sqlite::Value::Text((*text).to_owned()),
        Value::Blob(bytes) => sqlite::Value::Blob(bytes.to_vec()),
    }
}

fn cell(value: sqlite::Value) -> Cell {
    match value {
        sqlite::Value::Null => Cell::Null,
        sqlite::Value::Integer(number) => Cell::Integer(number),
        sqlite::Value::Real(number) => Cell::Real(number),
        sqlite::Value::Text(text) => Cell::Text(text),
        sqlite::Value::Blob(bytes) => Cell::Blob(bytes),
    }
}
