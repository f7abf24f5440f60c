//! The store: one connection, its lock, and its transactions.

use futures::lock::{Mutex, MutexGuard};
use leaderboard_core::StoreError;

use crate::connection::{Connection, ConnectionError, Row, Value};
use crate::migrate;
use crate::queue::Queue;
use crate::row::Cells;

/// How many pauses of about a millisecond a request waits for the connection.
const MAX_PAUSES: u32 = 15_000;
/// How often a transaction begins while other instances write: SQLite gives up after five seconds each time. It polls, so an
/// instance that is unlucky can miss every gap between the transactions of the others for as long.
const MAX_BEGINS: u32 = 3;
/// How many pauses of about a millisecond come after a step of work that goes on: about as long as the step took.
const PAUSES_AFTER_A_STEP: u32 = 10;

/// The leaderboard ports on one SQLite connection.
#[derive(Debug)]
pub struct SqliteStore<C> {
    connection: C,
    queue: Queue,
    state: Mutex<ConnectionState>,
}

/// What is known of the connection between two uses.
#[derive(Debug, Default)]
struct ConnectionState {
    /// Whether the schema was found up to date on this connection.
    prepared: bool,
    /// Whether the connection needs a reset: a transaction was begun and not ended, as the request that began it
    /// is gone, or a statement failed in a way that says nothing of the connection's state.
    needs_reset: bool,
}

impl<C: Connection> SqliteStore<C> {
    /// A store on a connection. Nothing is read or written yet: the schema is brought up to date at the
    /// first use.
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
        work: impl AsyncFnOnce(&Session<'_, C>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.transaction("BEGIN", false, work).await
    }

    /// As [`SqliteStore::read`]; a leaderboard to which bans are yet to be applied is not read.
    pub(crate) async fn read_with_applied_bans<T, E: From<StoreError>>(
        &self,
        work: impl AsyncFnOnce(&Session<'_, C>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.transaction("BEGIN", true, work).await
    }

    /// Runs `work` as the only writer; all of it is kept, or nothing when it fails.
    pub(crate) async fn write<T, E: From<StoreError>>(
        &self,
        work: impl AsyncFnOnce(&Session<'_, C>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.transaction("BEGIN IMMEDIATE", false, work).await
    }

    /// Runs `work`, a single statement, which is a snapshot of its own.
    pub(crate) async fn single<T>(
        &self,
        work: impl AsyncFnOnce(&Session<'_, C>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut state = self.prepare_connection().await?;
        let result = work(&self.session()).await;
        // A connection that failed is not trusted with the next request.
        state.needs_reset = matches!(result, Err(StoreError::Unavailable(_)));
        result
    }

    async fn transaction<T, E: From<StoreError>>(
        &self,
        begin: &str,
        requires_applied_bans: bool,
        work: impl AsyncFnOnce(&Session<'_, C>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut state = self.prepare_connection().await?;
        let mut session = self.session();
        session.requires_applied_bans = requires_applied_bans;
        // Before the statement: the request may be dropped while it runs.
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
        // Where even that failed, the next use starts with a reset.
        state.needs_reset = ended.is_err();
        result
    }

    /// Begins a transaction, again while other instances keep the file.
    async fn begin(&self, begin: &str) -> Result<(), ConnectionError> {
        for _ in 1..MAX_BEGINS {
            match self.connection.execute(begin, &[]).await {
                Err(ConnectionError::Busy(_)) => {}
                begun => return begun.map(drop),
            }
        }
        self.connection.execute(begin, &[]).await.map(drop)
    }

    /// Waits for the connection, and makes it fit for use.
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

    /// Pauses after a step of work that goes on, so that requests that wait for the connection or for the file get on.
    pub(crate) async fn yield_to_others(&self) {
        for _ in 0..PAUSES_AFTER_A_STEP {
            self.connection.pause().await;
        }
    }

    /// Waits for the connection to be free. A request does not wait to be woken by another one: the executor of
    /// a component wakes a task for what its host reports, and for nothing else.
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

    fn session(&self) -> Session<'_, C> {
        Session {
            connection: &self.connection,
            requires_applied_bans: false,
        }
    }
}

/// The connection while its lock is held.
#[derive(Debug)]
pub(crate) struct Session<'a, C> {
    connection: &'a C,
    /// Whether a leaderboard to which bans are yet to be applied is left unread.
    pub(crate) requires_applied_bans: bool,
}

impl<C: Connection> Session<'_, C> {
    /// Runs a statement for its rows.
    pub(crate) async fn rows(&self, sql: &str, parameters: &[Value<'_>]) -> Result<Vec<Row>, StoreError> {
        Ok(self.connection.execute(sql, parameters).await?)
    }

    /// Runs a statement for its first row.
    pub(crate) async fn row(&self, sql: &str, parameters: &[Value<'_>]) -> Result<Option<Cells>, StoreError> {
        let rows = self.rows(sql, parameters).await?;
        Ok(rows.into_iter().next().map(Cells::from))
    }

    /// Runs a statement for its effect.
    pub(crate) async fn run(&self, sql: &str, parameters: &[Value<'_>]) -> Result<(), StoreError> {
        self.rows(sql, parameters).await.map(drop)
    }
}
