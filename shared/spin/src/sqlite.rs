//! The built-in SQLite database, one connection for each instance.
//!
//! A statement is a call of the host during which no other request of the instance runs. The SDK's own `execute` lets them run, and
//! costs several times as much: a stream and a future for each statement. It would also need a lock, because other requests would
//! use the connection in the middle of a transaction.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use leaderboard_sqlite::{Cell, Connection, ConnectionError, Row, Signal, Value};
use spin_sdk::sqlite::wit::sqlite as host;
use spin_sdk::sqlite::{self, Error};
use spin_sdk::wasip3::wit_bindgen::yield_async;

use crate::signal::create_signal;

/// The label of the database that the manifest grants to every component.
const DATABASE: &str = "default";

/// A connection that is opened at its first use.
#[derive(Default)]
pub(crate) struct SqliteConnection(RefCell<Option<Rc<host::Connection>>>);

impl std::fmt::Debug for SqliteConnection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SqliteConnection")
    }
}

impl SqliteConnection {
    fn connection(&self) -> Result<Rc<host::Connection>, ConnectionError> {
        if let Some(open) = self.0.borrow().as_ref() {
            return Ok(Rc::clone(open));
        }
        let opened = Rc::new(host::Connection::open(DATABASE).map_err(classify)?);
        *self.0.borrow_mut() = Some(Rc::clone(&opened));
        Ok(opened)
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
    fn execute(&self, sql: &str, parameters: &[Value<'_>]) -> Result<Vec<Row>, ConnectionError> {
        let connection = self.connection()?;
        let parameters: Vec<_> = parameters.iter().map(parameter).collect();
        let rows = connection.execute(sql, &parameters).map_err(classify)?.rows;
        Ok(rows
            .into_iter()
            .map(|row| row.values.into_iter().map(cell).collect())
            .collect())
    }

    async fn let_others_run(&self) {
        yield_async().await;
    }

    async fn pause(&self, time: Duration) {
        spin_sdk::time::sleep(time).await;
    }

    fn signal(&self) -> Signal {
        create_signal()
    }

    /// Drops the connection. SQLite then rolls back its open transaction.
    fn reset(&self) -> Result<(), ConnectionError> {
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
