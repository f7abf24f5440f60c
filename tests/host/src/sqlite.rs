//! SQLite databases of guests: one connection for each `open`, to one file in the state directory. Work on a connection never
//! blocks the thread of a guest.

use std::path::PathBuf;
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
}

impl Connection {
    /// Creates a connection to the file at `path`.
    pub(crate) fn new(path: PathBuf) -> Self {
        Self(Arc::new(Inner {
            path,
            open: Mutex::new(None),
        }))
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

/// Closing a connection can write to the disk, so it is closed on a thread that may block, not on the guest's thread.
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

/// Allows a guest to attach temporary and in-memory databases, but no other files.
fn authorize(context: AuthContext<'_>) -> Authorization {
    match context.action {
        AuthAction::Attach { filename } if !matches!(filename, "" | ":memory:") => Authorization::Deny,
        _ => Authorization::Allow,
    }
}
