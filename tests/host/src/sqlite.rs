//! SQLite databases of guests: one connection for each `open`, to one file in the state directory.
//!
//! A statement runs on a thread that may block, unless it is sure to wait neither for a lock nor for the disk. Such a statement
//! runs on the thread of the guest: the change of threads costs 20 to 40 µs, and a transaction that changes threads for each of its
//! statements holds its lock while the other guests of the thread have their turns.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::hooks::{AuthAction, AuthContext, Authorization};

/// The name of the file in the state directory, as on Spin.
pub(crate) const FILE_NAME: &str = "sqlite_db.db";
/// How long a statement waits while another connection has the database locked, as on Spin.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// A connection of a guest. As on Spin, the first statement opens the file.
#[expect(unreachable_pub, reason = "the generated bindings re-export it")]
#[derive(Clone)]
pub struct Connection(Arc<Inner>);

struct Inner {
    path: PathBuf,
    open: Mutex<Option<rusqlite::Connection>>,
    /// Whether a statement waits while another connection has the database locked. The guest decides with
    /// `PRAGMA busy_timeout`.
    waits_for_locks: AtomicBool,
}

impl Connection {
    /// Creates a connection to the file at `path`.
    pub(crate) fn new(path: PathBuf) -> Self {
        Self(Arc::new(Inner {
            path,
            open: Mutex::new(None),
            waits_for_locks: AtomicBool::new(true),
        }))
    }

    /// Runs `work`, which executes a statement, on this thread if the statement does not block. Otherwise runs `work` on a
    /// thread that may block.
    pub(crate) async fn run_statement<T: Send + 'static>(
        &self,
        statement: String,
        work: impl FnOnce(&rusqlite::Connection, &str) -> Result<T, String> + Send + 'static,
    ) -> Result<T, String> {
        if !self.0.waits_for_locks.load(Relaxed)
            && let Ok(open) = self.0.open.try_lock()
            && let Some(connection) = &*open
            && is_quick(connection, &statement)
        {
            return work(connection, &statement);
        }
        let inner = Arc::clone(&self.0);
        self.run(move |connection| {
            let result = work(connection, &statement);
            if statement.contains("busy_timeout") {
                inner.waits_for_locks.store(waits_for_locks(connection), Relaxed);
            }
            result
        })
        .await
    }

    /// Runs `work` on a thread that may block. Only one `work` of a connection runs at a time.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&rusqlite::Connection) -> Result<T, String> + Send + 'static,
    ) -> Result<T, String> {
        let connection = self.clone();
        tokio::task::spawn_blocking(move || connection.run_blocking(work))
            .await
            .unwrap_or_else(|_| Err("the host is stopping".to_owned()))
    }

    /// Runs `work` on this thread, which it can block.
    pub(crate) fn run_blocking<T>(
        &self,
        work: impl FnOnce(&rusqlite::Connection) -> Result<T, String>,
    ) -> Result<T, String> {
        let mut open = self.0.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(connection) = &*open {
            return work(connection);
        }
        let connection = connect(&self.0.path).map_err(|error| error.to_string())?;
        work(open.insert(connection))
    }
}

/// Closing a connection can write to the disk, so it is closed on a thread that may block, not on the guest's
/// thread.
impl Drop for Inner {
    fn drop(&mut self) {
        let open = self.open.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let (Some(connection), Ok(runtime)) = (open, tokio::runtime::Handle::try_current()) {
            runtime.spawn_blocking(move || drop(connection));
        }
    }
}

/// Returns whether a statement waits neither for the disk nor, since the connection does not wait for locks, for a lock. Reads,
/// the beginning of a transaction and the statements of a transaction are quick. A commit waits for the disk.
fn is_quick(connection: &rusqlite::Connection, statement: &str) -> bool {
    let first_word = statement.split_ascii_whitespace().next().unwrap_or_default();
    let is = |word: &&str| first_word.eq_ignore_ascii_case(word);
    if !connection.is_autocommit() {
        return !["COMMIT", "END", "PRAGMA", "RELEASE"].iter().any(is);
    }
    // A statement with `WITH` can read or write.
    let reads = || {
        connection
            .prepare_cached(statement)
            .is_ok_and(|prepared| prepared.readonly())
    };
    ["BEGIN", "SELECT"].iter().any(is) || is(&"WITH") && reads()
}

fn waits_for_locks(connection: &rusqlite::Connection) -> bool {
    let timeout_ms = connection.query_row("PRAGMA busy_timeout", [], |row| row.get::<_, i64>(0));
    timeout_ms != Ok(0)
}

fn connect(path: &PathBuf) -> rusqlite::Result<rusqlite::Connection> {
    let connection = rusqlite::Connection::open(path)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.authorizer(Some(authorize));
    Ok(connection)
}

/// Allows a guest to attach temporary and in-memory databases, but no other files.
fn authorize(context: AuthContext<'_>) -> Authorization {
    match context.action {
        AuthAction::Attach { filename } if !matches!(filename, "" | ":memory:") => Authorization::Deny,
        _ => Authorization::Allow,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commits_and_writes_outside_of_transactions_are_not_quick() {
        let connection = rusqlite::Connection::open_in_memory().unwrap();
        connection.execute("CREATE TABLE t (a)", []).unwrap();
        for (statement, autocommit, quick) in [
            ("SELECT 1", true, true),
            ("WITH a AS (SELECT 1) SELECT * FROM a", true, true),
            (" begin immediate", true, true),
            ("INSERT INTO t VALUES (1)", true, false),
            ("WITH b AS (SELECT 1) DELETE FROM t", true, false),
            ("PRAGMA wal_checkpoint", true, false),
            ("", true, false),
            ("INSERT INTO t VALUES (1)", false, true),
            ("ROLLBACK", false, true),
            ("COMMIT", false, false),
            ("end transaction", false, false),
            ("RELEASE a", false, false),
        ] {
            let state = if autocommit { "ROLLBACK" } else { "BEGIN" };
            if connection.is_autocommit() != autocommit {
                connection.execute_batch(state).unwrap();
            }
            assert_eq!(
                is_quick(&connection, statement),
                quick,
                "{statement} {autocommit}"
            );
        }
    }

    #[tokio::test]
    async fn a_connection_waits_for_locks_until_its_guest_sets_the_timeout_to_zero() {
        let directory = tempfile::tempdir().unwrap();
        let connection = Connection::new(directory.path().join(FILE_NAME));
        for (statement, waits) in [
            ("SELECT 1", true),
            ("PRAGMA busy_timeout = 0", false),
            ("PRAGMA busy_timeout = 10", true),
        ] {
            let run = |connection: &rusqlite::Connection, text: &str| {
                let mut statement = connection.prepare(text).map_err(|error| error.to_string())?;
                let mut rows = statement.query([]).map_err(|error| error.to_string())?;
                rows.next().map(drop).map_err(|error| error.to_string())
            };
            connection.run_statement(statement.to_owned(), run).await.unwrap();
            assert_eq!(connection.0.waits_for_locks.load(Relaxed), waits, "{statement}");
        }
    }
}
