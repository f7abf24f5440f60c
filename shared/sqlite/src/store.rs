//! The store: one connection, its lock, and its transactions.

use std::rc::Rc;
use std::time::Duration;

use futures::FutureExt;
use futures::lock::{Mutex, MutexGuard};
use leaderboard_core::ports::{SubmitOptions, Submitted};
use leaderboard_core::{PreparedSubmission, StoreError, TenantId};

use crate::connection::{Connection, ConnectionError};
use crate::group_commit::{MAX_SUBMISSIONS_PER_TRANSACTION, WaitingCall, WaitingCalls};
use crate::migrate;
use crate::queue::Queue;
use crate::row::corrupt;
use crate::session::Session;
use crate::submit::{self, SubmitCall};

/// How long a request waits for the connection.
const MAX_WAIT: Duration = Duration::from_secs(15);
/// How long the first request in the queue waits before it looks again whether the connection is free. Each look of a component
/// costs about 20 µs of a processor.
const FIRST_PAUSE: Duration = Duration::from_micros(500);
/// How long the other requests wait before they look again, which is about as long as a transaction takes.
const PAUSE: Duration = Duration::from_millis(2);
/// How often a transaction tries to begin while other instances write. Each time, SQLite waits for [`migrate::BUSY_TIMEOUT_MS`].
const MAX_BEGINS: u32 = 7_500;
/// The pauses after a step of long work. Together they take about as long as the step.
const PAUSES_AFTER_A_STEP: u32 = 5;

/// The statement that begins a transaction of the only writer.
const WRITE: &str = "BEGIN IMMEDIATE";

/// The leaderboard ports on one SQLite connection.
#[derive(Debug)]
pub struct SqliteStore<C> {
    connection: C,
    queue: Queue,
    waiting_calls: WaitingCalls,
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
            waiting_calls: WaitingCalls::default(),
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
        self.transaction(WRITE, false, work).await
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
        // Without the box, the futures of components would be nested deeper than the compiler allows.
        self.run_transaction(&mut state, begin, &session, work)
            .boxed_local()
            .await
    }

    /// Runs `work` in a transaction of the locked connection.
    async fn run_transaction<T, E: From<StoreError>>(
        &self,
        state: &mut ConnectionState,
        begin: &str,
        session: &Session<'_>,
        work: impl AsyncFnOnce(&Session<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        // Set before the statement, because the request can be dropped while the statement runs.
        state.needs_reset = true;
        if let Err(error) = self.begin(begin).await {
            state.needs_reset = !matches!(error, ConnectionError::Busy(_));
            return Err(StoreError::from(error).into());
        }
        let result = work(session).await;
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

    /// Applies a call that is too large for one transaction. The first transaction charges it.
    pub(crate) async fn submit_in_transactions(
        &self,
        tenant: &TenantId,
        submissions: &[PreparedSubmission],
        options: &SubmitOptions,
    ) -> Result<Submitted, StoreError> {
        let mut chunks = submissions.chunks(MAX_SUBMISSIONS_PER_TRANSACTION);
        let call = |submissions| SubmitCall { submissions, options };
        let first = call(chunks.next().unwrap_or_default());
        let mut submitted = self
            .write(async |session| submit::charge_and_submit(session, tenant, &[first]).await)
            .await?
            .pop()
            .ok_or_else(|| corrupt("answer"))?;
        if submitted.rate_limit_decision.refused {
            return Ok(submitted);
        }
        for chunk in chunks {
            let work = async |session: &Session<'_>| submit::submit(session, tenant, &[call(chunk)]).await;
            submitted.answers.extend(self.write(work).await?);
        }
        Ok(submitted)
    }

    /// Applies a call together with the other calls that wait for the connection.
    pub(crate) async fn submit_in_group(
        &self,
        tenant: &TenantId,
        submissions: &[PreparedSubmission],
        options: &SubmitOptions,
    ) -> Result<Submitted, StoreError> {
        let place = self.waiting_calls.join(tenant, submissions, options);
        let mut waited = Duration::ZERO;
        while waited < MAX_WAIT {
            if place.is_first() {
                self.commit_group().await?;
            }
            if let Some(result) = place.take_result() {
                return result;
            }
            self.connection.pause(PAUSE).await;
            waited += PAUSE;
        }
        Err(StoreError::Unavailable("the database stayed in use".into()))
    }

    /// Waits for the connection, and applies the calls that wait then.
    async fn commit_group(&self) -> Result<(), StoreError> {
        let mut state = self.prepare_connection().await?;
        let session = self.session();
        let group = self.waiting_calls.take_group();
        let apply_all = async |session: &Session<'_>| {
            let mut submitted = Vec::with_capacity(group.calls().len());
            for batch in group.batches() {
                submitted.extend(submit_batch(session, batch).await?);
            }
            Ok::<_, StoreError>(submitted)
        };
        match self.run_transaction(&mut state, WRITE, &session, apply_all).await {
            Ok(submitted) => {
                for (call, submitted) in group.calls().iter().zip(submitted) {
                    call.answer(Ok(submitted));
                }
            }
            Err(error) if group.calls().len() == 1 || matches!(error, StoreError::Unavailable(_)) => {
                for call in group.calls() {
                    call.answer(Err(error.clone()));
                }
            }
            // The error concerns the data of one call, and the others can succeed.
            Err(_) => {
                for call in group.calls() {
                    let apply_one = async |session: &Session<'_>| {
                        let submitted = submit_batch(session, std::slice::from_ref(call)).await?;
                        submitted.into_iter().next().ok_or_else(|| corrupt("answer"))
                    };
                    call.answer(self.run_transaction(&mut state, WRITE, &session, apply_one).await);
                }
            }
        }
        Ok(())
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
            self.connection.pause(PAUSE).await;
        }
    }

    /// Waits until the connection is free. The request polls instead of being woken by another request, because the executor of a
    /// component wakes tasks only for events of its host.
    async fn wait_for_turn(&self) -> Result<MutexGuard<'_, ConnectionState>, StoreError> {
        let ticket = self.queue.join();
        let mut waited = Duration::ZERO;
        while waited < MAX_WAIT {
            let is_first = ticket.is_first();
            if is_first && let Some(state) = self.state.try_lock() {
                return Ok(state);
            }
            let pause = if is_first { FIRST_PAUSE } else { PAUSE };
            self.connection.pause(pause).await;
            waited += pause;
        }
        Err(StoreError::Unavailable("the database stayed in use".into()))
    }

    fn session(&self) -> Session<'_> {
        Session::new(&self.connection)
    }
}

/// Charges and applies calls that can be in one batch.
async fn submit_batch(
    session: &Session<'_>,
    batch: &[Rc<WaitingCall>],
) -> Result<Vec<Submitted>, StoreError> {
    let Some(first) = batch.first() else {
        return Ok(Vec::new());
    };
    let calls: Vec<_> = batch.iter().map(|call| call.as_call()).collect();
    submit::charge_and_submit(session, &first.tenant, &calls).await
}
