//! SQLite databases of guests: one connection for each `open`, to one file in the state directory. Work on a connection never
//! blocks the thread of a guest.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::hooks::{AuthAction, AuthContext, Authorization};

/// The name of the file in the state directory, as on Spin.
pub(crate) const FILE_NAME: &str = "sqlite_db.db";
/// How long a statement waits for another connection that holds the database, as on Spin.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// A connection that a guest has opened. The file is opened with the first statement, as on Spin.
#[expect(unreachable_pub, reason = "the generated bindings re-export it")]
#[derive(Clone)]
pub struct Connection(Arc<Inner>);

struct Inner {
    path: PathBuf,
    open: Mutex<Option<rusqlite::Connection>>,
}

impl Connection {
    /// A connection to the file at `path`.
    pub(crate) fn new(path: PathBuf) -> Self {
        Self(Arc::new(Inner {
            path,
            open: Mutex::new(None),
        }))
    }

    /// Runs `work` on a thread that may block, one after the other for each connection.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&rusqlite::Connection) -> Result<T, String> + Send + 'static,
    ) -> Result<T, String> {
        let connection = self.clone();
        tokio::task::spawn_blocking(move || connection.run_blocking(work))
            .await
            .unwrap_or_else(|_| Err("the host is stopping".to_owned()))
    }

    /// Runs `work` on this thread.
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

/// A guest that is dropped may leave a connection whose closing writes to disk: never on the guest's thread.
impl Drop for Inner {
    fn drop(&mut self) {
        let open = self.open.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let (Some(connection), Ok(runtime)) = (open, tokio::runtime::Handle::try_current()) {
            runtime.spawn_blocking(move || drop(connection));
        }
    }
}

fn connect(path: &PathBuf) -> rusqlite::Result<rusqlite::Connection> {
    let connection = rusqlite::Connection::open(path)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.authorizer(Some(authorize));
    Ok(connection)
}

/// A guest may attach temporary and in-memory databases, and no other files.
fn authorize(context: AuthContext<'_>) -> Authorization {
    match context.action {
        AuthAction::Attach { filename } if !matches!(filename, "" | ":memory:") => Authorization::Deny,
        _ => Authorization::Allow,
    }
}
