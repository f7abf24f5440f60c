//! A connection to SQLite for tests and measurements. It uses the native library instead of a host.

use std::cell::{Cell as Counter, RefCell};
use std::path::{Path, PathBuf};
use std::task::Poll;
use std::time::Duration;

use futures::FutureExt;
use futures::channel::oneshot;
use leaderboard_sqlite::{Cell, Connection, ConnectionError, Row, Signal, Value};
use rusqlite::StatementStatus;
use rusqlite::types::{ToSqlOutput, ValueRef};

/// How long a statement waits for a lock of another connection. Spin has the same limit.
const BUSY_WAIT: Duration = Duration::from_secs(5);

/// A connection to a database file.
#[derive(Debug)]
pub struct NativeSqlite {
    path: PathBuf,
    busy_wait: Duration,
    connection: RefCell<rusqlite::Connection>,
    compiled_again: Counter<i32>,
}

impl NativeSqlite {
    /// Opens a database file, and creates it if it does not exist.
    ///
    /// # Errors
    /// The error of SQLite.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, ConnectionError> {
        Self::open_waiting(path, BUSY_WAIT)
    }

    /// Does the same as [`NativeSqlite::open`], with another limit for the wait.
    ///
    /// # Errors
    /// The error of SQLite.
    pub fn open_waiting(path: impl AsRef<Path>, busy_wait: Duration) -> Result<Self, ConnectionError> {
        let path = path.as_ref().to_owned();
        let connection = RefCell::new(open(&path, busy_wait)?);
        Ok(Self {
            path,
            busy_wait,
            connection,
            compiled_again: Counter::default(),
        })
    }

    /// Returns how often SQLite compiled a prepared statement again, for example because of a new value of a
    /// parameter on which the query plan depends.
    pub fn compiled_again(&self) -> i32 {
        self.compiled_again.get()
    }
}

fn open(path: &Path, busy_wait: Duration) -> Result<rusqlite::Connection, ConnectionError> {
    let connection = rusqlite::Connection::open(path).map_err(|error| connection_error(&error))?;
    connection
        .busy_timeout(busy_wait)
        .map_err(|error| connection_error(&error))?;
    Ok(connection)
}

/// Returns the connection error for an error of the library.
fn connection_error(error: &rusqlite::Error) -> ConnectionError {
    ConnectionError::from_message(error.to_string())
}

impl Connection for NativeSqlite {
    fn execute(&self, sql: &str, parameters: &[Value<'_>]) -> Result<Vec<Row>, ConnectionError> {
        let (rows, compiled_again) =
            run(&self.connection.borrow(), sql, parameters).map_err(|error| connection_error(&error))?;
        self.compiled_again
            .set(self.compiled_again.get() + compiled_again);
        Ok(rows)
    }

    async fn let_others_run(&self) {
        yield_once().await;
    }

    async fn pause(&self, time: Duration) {
        std::thread::sleep(time);
        yield_once().await;
    }

    fn signal(&self) -> Signal {
        let (sender, receiver) = oneshot::channel::<()>();
        (Box::new(sender), receiver.map(|_| ()).boxed_local())
    }

    fn reset(&self) -> Result<(), ConnectionError> {
        self.connection.replace(open(&self.path, self.busy_wait)?);
        Ok(())
    }
}

/// Lets other tasks of the executor run once.
async fn yield_once() {
    let mut yielded = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Runs a statement. Returns its rows, and how often SQLite compiled the statement again.
fn run(
    connection: &rusqlite::Connection,
    sql: &str,
    parameters: &[Value<'_>],
) -> Result<(Vec<Row>, i32), rusqlite::Error> {
    let mut statement = connection.prepare_cached(sql)?;
    let columns = statement.column_count();
    let bound = parameters.iter().map(|value| match value {
        Value::Null => ToSqlOutput::Borrowed(ValueRef::Null),
        Value::Integer(number) => ToSqlOutput::Borrowed(ValueRef::Integer(*number)),
        Value::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
        Value::Blob(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
    });
    let mut rows = statement.query(rusqlite::params_from_iter(bound))?;
    let mut result = Vec::new();
    while let Some(row) = rows.next()? {
        let cells = (0..columns).map(|column| row.get_ref(column).map(cell));
        result.push(cells.collect::<Result<Row, _>>()?);
    }
    drop(rows);
    let compiled_again = statement.reset_status(StatementStatus::RePrepare);
    Ok((result, compiled_again))
}

fn cell(value: ValueRef<'_>) -> Cell {
    match value {
        ValueRef::Null => Cell::Null,
        ValueRef::Integer(number) => Cell::Integer(number),
        ValueRef::Real(number) => Cell::Real(number),
        ValueRef::Text(text) => Cell::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Cell::Blob(bytes.to_vec()),
    }
}
