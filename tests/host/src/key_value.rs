//! Key-value stores in the file and format that Spin uses. Each worker thread reads on its own connection,
//! and one thread writes for all.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};
use tokio::sync::oneshot;

/// The name of the file in the state directory, as on Spin.
const FILE_NAME: &str = "sqlite_key_value.db";
/// How long a statement waits while another process has the file locked.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// The most waiting writes that one transaction applies.
const MAX_BATCH: usize = 256;

const CREATE: &str = "CREATE TABLE IF NOT EXISTS spin_key_value (
    store TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY (store, key))";
const GET: &str = "SELECT value FROM spin_key_value WHERE store = ?1 AND key = ?2";
const EXISTS: &str = "SELECT 1 FROM spin_key_value WHERE store = ?1 AND key = ?2";
const KEYS: &str = "SELECT key FROM spin_key_value WHERE store = ?1";
const SET: &str = "INSERT INTO spin_key_value (store, key, value) VALUES (?1, ?2, ?3)
    ON CONFLICT (store, key) DO UPDATE SET value = ?3";
const DELETE: &str = "DELETE FROM spin_key_value WHERE store = ?1 AND key = ?2";

/// A store that a guest has opened.
#[expect(unreachable_pub, reason = "the generated bindings re-export it")]
pub struct OpenStore {
    pub(crate) label: Arc<str>,
}

/// The stores of one host.
pub(crate) struct Database {
    path: PathBuf,
    writer: mpsc::Sender<Write>,
}

/// A waiting write, which sets a key; without a value, it deletes the key.
struct Write {
    store: Arc<str>,
    key: String,
    value: Option<Vec<u8>>,
    done: oneshot::Sender<Result<(), String>>,
}

impl Database {
    /// Opens or creates the file in `directory`, and starts the writing thread. The thread ends when the
    /// database is dropped.
    ///
    /// # Errors
    /// The message of SQLite or of the operating system, in one line.
    pub(crate) fn open(directory: &Path) -> Result<Self, String> {
        let path = directory.join(FILE_NAME);
        let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let connection = connect(&path).map_err(|error| failed(&error))?;
        connection.execute(CREATE, []).map_err(|error| failed(&error))?;
        let (writer, waiting) = mpsc::channel();
        std::thread::Builder::new()
            .name("key-value".to_owned())
            .spawn(move || write_all(connection, &waiting))
            .map_err(|error| failed(&error))?;
        Ok(Self { path, writer })
    }

    /// Creates a reader for one thread.
    ///
    /// # Errors
    /// The message of SQLite.
    pub(crate) fn reader(&self) -> Result<WorkerReader, String> {
        connect(&self.path)
            .map(|connection| WorkerReader(Mutex::new(connection)))
            .map_err(|error| format!("{}: {error}", self.path.display()))
    }

    /// Sets `key`, or deletes it if `value` is `None`. A read that begins after this function has returned
    /// sees the change.
    ///
    /// # Errors
    /// The message of SQLite.
    pub(super) async fn write(
        &self,
        store: Arc<str>,
        key: String,
        value: Option<Vec<u8>>,
    ) -> Result<(), String> {
        let (done, written) = oneshot::channel();
        let stopped = || "the key-value store is closed".to_owned();
        self.writer
            .send(Write {
                store,
                key,
                value,
                done,
            })
            .map_err(|_| stopped())?;
        written.await.map_err(|_| stopped())?
    }

    /// Calls `each` with the keys of `store`, one by one, until `each` returns `false`. Blocks the thread.
    ///
    /// # Errors
    /// The message of SQLite.
    pub(super) fn keys(&self, store: &str, mut each: impl FnMut(String) -> bool) -> Result<(), String> {
        let connection = connect(&self.path).map_err(|error| error.to_string())?;
        let mut statement = connection.prepare(KEYS).map_err(|error| error.to_string())?;
        let mut rows = statement.query([store]).map_err(|error| error.to_string())?;
        while let Some(row) = rows.next().map_err(|error| error.to_string())? {
            if !each(row.get(0).map_err(|error| error.to_string())?) {
                break;
            }
        }
        Ok(())
    }
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    // With a write-ahead log, readers never wait. A crash of this process loses nothing. A power failure can
    // lose the last writes, but does not damage the file.
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    Ok(connection)
}

/// Applies all waiting writes in one transaction, and reports the result of each after the commit.
fn write_all(mut connection: Connection, waiting: &mpsc::Receiver<Write>) {
    while let Ok(first) = waiting.recv() {
        let batch: Vec<Write> = std::iter::once(first)
            .chain(waiting.try_iter().take(MAX_BATCH - 1))
            .collect();
        let result = commit(&mut connection, &batch).map_err(|error| error.to_string());
        for write in batch {
            _ = write.done.send(result.clone());
        }
    }
}

fn commit(connection: &mut Connection, batch: &[Write]) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    for write in batch {
        match &write.value {
            Some(value) => {
                transaction
                    .prepare_cached(SET)?
                    .execute(params![write.store, write.key, value])?
            }
            None => transaction
                .prepare_cached(DELETE)?
                .execute(params![write.store, write.key])?,
        };
    }
    transaction.commit()
}

/// The reader of one worker thread. It reads on this thread, because a read takes only microseconds, less
/// than passing it to another thread.
pub(crate) struct WorkerReader(Mutex<Connection>);

impl WorkerReader {
    /// Returns the value of a key.
    ///
    /// # Errors
    /// The message of SQLite.
    pub(super) fn get(&self, store: &str, key: &str) -> Result<Option<Vec<u8>>, String> {
        self.query(GET, store, key, |row| row.get(0))
    }

    /// Returns whether a key has a value.
    ///
    /// # Errors
    /// The message of SQLite.
    pub(super) fn exists(&self, store: &str, key: &str) -> Result<bool, String> {
        self.query(EXISTS, store, key, |_| Ok(()))
            .map(|found| found.is_some())
    }

    fn query<T>(
        &self,
        sql: &str,
        store: &str,
        key: &str,
        read: impl FnOnce(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, String> {
        let connection = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = connection
            .prepare_cached(sql)
            .and_then(|mut statement| statement.query_row([store, key], read).optional());
        found.map_err(|error| error.to_string())
    }
}
