//! The store: one connection, its lock, and its transactions.

use futures::lock::{Mutex, MutexGuard};
use leaderboard_core::StoreError;

use crate::connection::{Connection, ConnectionError};
use crate::migrate;
use crate::queue::Queue;
use crate::session::Session;

/// The most pauses (of about a millisecond) during which a request waits for the connection.
const MAX_PAUSES: u32 = 15_000;
/// How often a transaction tries to begin while other instances write. Each time, SQLite polls for five seconds, and can miss
/// every gap between the transactions of other instances.
const MAX_BEGINS: u32 = 3;
/// The number of pauses of about a millisecond after a step of long work. Together they take about as long as the step.
const PAUSES_AFTER_A_STEP: u32 = 10;

/// The leaderboard ports on one SQLite connection.
#[derive(Debug)]
pub struct SqliteStore<C> {
    connection: C,
    queue: Queue,
    state: Mutex<ConnectionState>,
}

/// The state of the connection between two uses.
#[derive(Debug, Default)]
struct ConnectionState {
    /// Whether this connection was prepared and its schema is up to date.
    prepared: bool,
    /// Whether the connection needs a reset: the request of an open transaction was dropped, or a statement failed and left the
    /// connection in an unknown state.
    needs_reset: bool,
}

impl<C: Connection> SqliteStore<C> {
    /// Creates a store on a connection. The first use migrates the schema.
    pub fn new(connection: C) -> Self {
        Self {
            connection,
            queue: Queue::default(),
            state: Mutex::default(),
        }
    }

    /// Runs `work` on one snapshot of the database.
    pub(crate) async fn read<T, E: From<StoreError>>(
        &self,
        work: impl AsyncFnOnce(&Session<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.transaction("BEGIN", false, work).await
    }

    /// Does the same as [`SqliteStore::read`], but a read of a leaderboard with pending bans fails.
    pub(crate) async fn read_with_applied_bans<T, E: From<StoreError>>(
        &self,
        work: impl AsyncFnOnce(&Session<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.transaction("BEGIN", true, work).await
    }

    /// Runs `work` in a transaction that is the only writer. If `work` fails, nothing is written.
    pub(crate) async fn write<T, E: From<StoreError>>(
        &self,
        work: impl AsyncFnOnce(&Session<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.transaction("BEGIN IMMEDIATE", false, work).await
    }

    /// Runs `work`, which is a single statement, without a transaction.
    pub(crate) async fn single<T>(
        &self,
        work: impl AsyncFnOnce(&Session<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut state = self.prepare_connection().await?;
        let result = work(&self.session()).await;
        // After a failure, the next request resets the connection.
        state.needs_reset = matches!(result, Err(StoreError::Unavailable(_)));
        result
    }

    async fn transaction<T, E: From<StoreError>>(
        &self,
        begin: &str,
        requires_applied_bans: bool,
        work: impl AsyncFnOnce(&Session<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut state = self.prepare_connection().await?;
        let mut session = self.session();
        session.requires_applied_bans = requires_applied_bans;
        // Set before the statement, because the request can be dropped while the statement runs.
        state.needs_reset = true;
        if let Err(error) = self.begin(begin).await {
            state.needs_reset = !matches!(error, ConnectionError::Busy(_));
            return Err(StoreError::from(error).into());
        }
        let result = work(&session).await;
        let (result, ended) = match result {
            Ok(value) => match session.run("COMMIT", &[]).await {
                Ok(()) => (Ok(value), Ok(())),
                Err(error) => (Err(error.into()), session.run("ROLLBACK", &[]).await),
            },
            Err(error) => (Err(error), session.run("ROLLBACK", &[]).await),
        };
        // If the rollback failed too, the next use resets the connection.
        state.needs_reset = ended.is_err();
        result
    }

    /// Begins a transaction, and tries again while other instances lock the file.
    async fn begin(&self, begin: &str) -> Result<(), ConnectionError> {
        for _ in 1..MAX_BEGINS {
            match self.connection.execute(begin, &[]).await {
                Err(ConnectionError::Busy(_)) => {}
                begun => return begun.map(drop),
            }
        }
        self.connection.execute(begin, &[]).await.map(drop)
    }

    /// Waits for the connection, and prepares it.
    async fn prepare_connection(&self) -> Result<MutexGuard<'_, ConnectionState>, StoreError> {
        let mut state = self.wait_for_turn().await?;
        if state.needs_reset {
            state.prepared = false;
            self.connection.reset().await?;
            state.needs_reset = false;
        }
        if !state.prepared {
            state.needs_reset = true;
            let done = migrate::prepare(&self.session()).await;
            if done.is_ok() || self.connection.reset().await.is_ok() {
                state.needs_reset = false;
            }
            done?;
            state.prepared = true;
        }
        Ok(state)
    }

    /// Pauses after a step of long work, so that other requests and instances can use the connection and the file.
    pub(crate) async fn yield_to_others(&self) {
        for _ in 0..PAUSES_AFTER_A_STEP {
            self.connection.pause().await;
        }
    }

    /// Waits until the connection is free. The request polls instead of being woken by another request, because the executor of a
    /// component wakes tasks only for events of its host.
    async fn wait_for_turn(&self) -> Result<MutexGuard<'_, ConnectionState>, StoreError> {
        let ticket = self.queue.join();
        for _ in 0..MAX_PAUSES {
            if ticket.is_first()
                && let Some(state) = self.state.try_lock()
            {
                return Ok(state);
            }
            self.connection.pause().await;
        }
        Err(StoreError::Unavailable("the database stayed in use".into()))
    }

    fn session(&self) -> Session<'_> {
        Session::new(&self.connection)
    }
}
