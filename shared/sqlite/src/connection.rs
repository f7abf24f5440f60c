//! The SQLite client that this crate needs: it runs one statement at a time, and can wait.
#![expect(
    async_fn_in_trait,
    reason = "a component runs on one thread, so no Send bound is wanted"
)]

use std::time::Duration;

use leaderboard_core::StoreError;
use leaderboard_core::ports::Signal;

/// A parameter of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value<'a> {
    /// NULL.
    Null,
    /// A signed 64-bit integer.
    Integer(i64),
    /// UTF-8 text.
    Text(&'a str),
    /// Bytes.
    Blob(&'a [u8]),
}

/// A value in a result.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// NULL.
    Null,
    /// A signed 64-bit integer.
    Integer(i64),
    /// A float. This crate writes no floats, so a float means that the file is damaged.
    Real(f64),
    /// UTF-8 text.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

/// One row of a result, in the order of its columns.
pub type Row = Vec<Cell>;

/// One connection to one database file.
pub trait Connection {
    /// Runs exactly one statement with its parameters bound to `?1`, `?2`, …, and returns all rows of its result. No other request
    /// of the instance runs meanwhile.
    ///
    /// # Errors
    /// [`ConnectionError`]. After `Busy` and `Other`, the statement had no effect; after other errors this is unknown.
    fn execute(&self, sql: &str, parameters: &[Value<'_>]) -> Result<Vec<Row>, ConnectionError>;

    /// Lets the other requests of the instance run, as far as they can without waiting.
    async fn let_others_run(&self);

    /// Waits, while other requests of the instance run.
    async fn pause(&self, time: Duration);

    /// Creates a signal from one request of this instance to another.
    fn signal(&self) -> Signal;

    /// Opens the connection again.
    ///
    /// # Errors
    /// [`ConnectionError`].
    fn reset(&self) -> Result<(), ConnectionError>;
}

/// The reason why a statement failed. The text is for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConnectionError {
    /// There is no connection, or no access to the database.
    Unavailable(String),
    /// Another connection held the lock for longer than the library waits.
    Busy(String),
    /// Reading or writing the file failed, or the disk is full.
    Io(String),
    /// The file is damaged, or is no database.
    Corrupt(String),
    /// The statement was refused.
    Other(String),
}

impl ConnectionError {
    /// Classifies SQLite's messages (`sqlite3_errstr`), for libraries that return no code.
    #[must_use]
    pub fn from_message(message: impl Into<String>) -> Self {
        let message = message.into();
        let has = |texts: &[&str]| texts.iter().any(|text| message.contains(text));
        if has(&["is locked", "database is busy", "locking protocol"]) {
            Self::Busy(message)
        } else if has(&["malformed", "not a database"]) {
            Self::Corrupt(message)
        } else if has(&["unable to open", "readonly database", "no such database"]) {
            Self::Unavailable(message)
        } else if has(&["I/O error", "is full", "out of memory", "interrupted"]) {
            Self::Io(message)
        } else {
            Self::Other(message)
        }
    }
}

impl std::fmt::Display for ConnectionError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unavailable(cause) => write!(f, "no database: {cause}"),
            Self::Busy(cause) => write!(f, "database busy: {cause}"),
            Self::Io(cause) => write!(f, "database file: {cause}"),
            Self::Corrupt(cause) => write!(f, "database damaged: {cause}"),
            Self::Other(cause) => write!(f, "statement refused: {cause}"),
        }
    }
}

impl std::error::Error for ConnectionError {}

impl From<ConnectionError> for StoreError {
    fn from(error: ConnectionError) -> Self {
        let text = error.to_string();
        match error {
            ConnectionError::Unavailable(_) | ConnectionError::Busy(_) | ConnectionError::Io(_) => {
                Self::Unavailable(text)
            }
            ConnectionError::Corrupt(_) => Self::Corrupt(text),
            ConnectionError::Other(_) => Self::Rejected(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_sqlite_message_becomes_its_store_error() {
        for (message, expected) in [
            (
                "database is locked",
                StoreError::Unavailable("database busy: database is locked".into()),
            ),
            (
                "disk I/O error",
                StoreError::Unavailable("database file: disk I/O error".into()),
            ),
            (
                "database or disk is full",
                StoreError::Unavailable("database file: database or disk is full".into()),
            ),
            (
                "file is not a database",
                StoreError::Corrupt("database damaged: file is not a database".into()),
            ),
            (
                "no such table: entries",
                StoreError::Rejected("statement refused: no such table: entries".into()),
            ),
        ] {
            assert_eq!(StoreError::from(ConnectionError::from_message(message)), expected);
        }
    }
}
