//! The store: one connection and its transactions.
//!
//! The calls of the connection do not wait for other requests of the instance, so a transaction that has begun ends before another
//! request runs. So the connection needs no lock, and a request that is dropped leaves no open transaction.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use leaderboard_core::ports::{SubmitOptions, Submitted};
use leaderboard_core::{PreparedSubmission, StoreError, TenantId};

use crate::connection::{Connection, ConnectionError};
use crate::group_commit::{Group, MAX_SUBMISSIONS_PER_TRANSACTION, WaitingCall, WaitingCalls};
use crate::migrate::{self, Synchronous};
use crate::row::corrupt;
use crate::session::Session;
use crate::submit::{self, SubmitCall};

/// How long a request waits for other writers. Then it fails.
const MAX_WAIT: Duration = Duration::from_secs(6);
/// The shortest and the longest pause of a request that waits for other writers.
const MIN_PAUSE: Duration = Duration::from_millis(1);
const MAX_PAUSE: Duration = Duration::from_millis(128);
/// How often a transaction tries to begin without a pause.
const MAX_BEGINS_AT_ONCE: u32 = 50;
/// A pause after a step of long work, and how many of them follow a step. Together they take about as long as the step.
const STEP_PAUSE: Duration = Duration::from_millis(2);
const PAUSES_AFTER_A_STEP: u32 = 5;

/// The statement that begins a transaction of the only writer.
const WRITE: &str = "BEGIN IMMEDIATE";

/// The leaderboard ports on one SQLite connection.
#[derive(Debug)]
pub struct SqliteStore<C> {
    connection: C,
    synchronous: Synchronous,
    state: Cell<ConnectionState>,
    waiting_calls: WaitingCalls,
    /// How long transactions wait for other writers, as a moving average.
    usual_wait: Cell<Duration>,
}

/// The state of the connection between two uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ConnectionState {
    /// The connection is to be prepared, and its schema may be old.
    New,
    Prepared,
    /// A statement failed and left the connection in an unknown state.
    NeedsReset,
}

impl<C: Connection> SqliteStore<C> {
    /// Creates a store on a connection. The first use migrates the schema.
    pub fn new(connection: C) -> Self {
        Self {
            connection,
            synchronous: Synchronous::Full,
            state: Cell::new(ConnectionState::New),
            waiting_calls: WaitingCalls::default(),
            usual_wait: Cell::new(Duration::ZERO),
        }
    }

    /// Sets when a commit is on the disk. The default is [`Synchronous::Full`].
    #[must_use]
    pub fn with_synchronous(mut self, synchronous: Synchronous) -> Self {
        self.synchronous = synchronous;
        self
    }

    /// Runs `work` on one snapshot of the database.
    pub(crate) fn read<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&Session<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.read_snapshot(false, work)
    }

    /// Does the same as [`SqliteStore::read`], but a read of a leaderboard with pending bans fails.
    pub(crate) fn read_with_applied_bans<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&Session<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.read_snapshot(true, work)
    }

    fn read_snapshot<T, E: From<StoreError>>(
        &self,
        requires_applied_bans: bool,
        work: impl FnOnce(&Session<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.prepare_connection()?;
        let mut session = self.session();
        session.requires_applied_bans = requires_applied_bans;
        self.begin("BEGIN").map_err(StoreError::from)?;
        self.end_transaction(&session, work)
    }

    /// Runs `work` in a transaction that is the only writer. If `work` fails, nothing is written.
    pub(crate) async fn write<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&Session<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.begin_write().await?;
        self.end_transaction(&self.session(), work)
    }

    /// Runs `work`, which is a single statement, without a transaction.
    pub(crate) fn single<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&Session<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.prepare_connection()?;
        let session = self.session();
        let result = work(&session);
        if session.has_failed() {
            self.state.set(ConnectionState::NeedsReset);
        }
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
            .write(|session| submit::charge_and_submit(session, tenant, &[first]))
            .await?
            .pop()
            .ok_or_else(|| corrupt("answer"))?;
        if submitted.rate_limit_decision.refused {
            return Ok(submitted);
        }
        for chunk in chunks {
            let work = |session: &Session<'_>| submit::submit_charged(session, tenant, call(chunk));
            submitted.answers.extend(self.write(work).await?);
        }
        Ok(submitted)
    }

    /// Applies a call together with the other calls that arrive before its transaction begins.
    pub(crate) async fn submit_in_group(
        &self,
        tenant: &TenantId,
        submissions: &[PreparedSubmission],
        options: &SubmitOptions,
    ) -> Result<Submitted, StoreError> {
        let place = self.waiting_calls.join(tenant, submissions, options);
        self.connection.let_others_run().await;
        loop {
            if let Some(result) = place.take_result() {
                return result;
            }
            if place.is_first() {
                self.commit_group().await;
            } else {
                // The first call waits for another instance, or is dropped.
                let (waker, signal) = self.connection.signal();
                place.set_waker(waker);
                signal.await;
            }
        }
    }

    /// Begins a transaction, and applies the calls that wait then. If the transaction cannot begin, these calls fail: each would
    /// otherwise wait for the other writers again, one after the other.
    async fn commit_group(&self) {
        let begun = self.begin_write().await;
        let group = self.waiting_calls.take_group();
        if let Err(error) = begun {
            return group.answer_all(&error);
        }
        let apply_all = |session: &Session<'_>| {
            let mut submitted = Vec::with_capacity(group.calls().len());
            for batch in group.batches() {
                submitted.extend(submit_batch(session, batch)?);
            }
            Ok::<_, StoreError>(submitted)
        };
        match self.end_transaction(&self.session(), apply_all) {
            Ok(submitted) => group.answer(submitted.into_iter().map(Ok)),
            Err(error) if group.calls().len() == 1 || matches!(error, StoreError::Unavailable(_)) => {
                group.answer_all(&error);
            }
            // The error concerns the data of one call, and the others can succeed.
            Err(_) => match self.apply_each(&group) {
                Ok(results) => group.answer(results),
                Err(error) => group.answer_all(&error),
            },
        }
    }

    /// Applies each call of a group by itself, in one transaction, and returns their results. Does not let other requests run, so
    /// that no call stays without an answer if this request is dropped.
    ///
    /// # Errors
    /// Other instances write for long, or the transaction fails.
    fn apply_each(&self, group: &Group) -> Result<Vec<Result<Submitted, StoreError>>, StoreError> {
        let mut begun = self.begin(WRITE);
        for _ in 1..MAX_BEGINS_AT_ONCE {
            if !matches!(begun, Err(ConnectionError::Busy(_))) {
                break;
            }
            begun = self.begin(WRITE);
        }
        begun?;
        let apply = |session: &Session<'_>, call: &Rc<WaitingCall>| {
            session.run("SAVEPOINT call", &[])?;
            let result = submit_batch(session, std::slice::from_ref(call));
            if result.is_err() {
                session.run("ROLLBACK TO call", &[])?;
            }
            session.run("RELEASE call", &[])?;
            Ok::<_, StoreError>(
                result.and_then(|one| one.into_iter().next().ok_or_else(|| corrupt("answer"))),
            )
        };
        self.end_transaction(&self.session(), |session| {
            group.calls().iter().map(|call| apply(session, call)).collect()
        })
    }

    /// Begins a transaction that writes, and tries again while other instances write. Until it has begun, other requests of the
    /// instance can use the connection.
    async fn begin_write(&self) -> Result<(), StoreError> {
        let mut waited = Duration::ZERO;
        loop {
            self.prepare_connection()?;
            match self.begin(WRITE) {
                Err(ConnectionError::Busy(_)) if waited < MAX_WAIT => {
                    let pause = pause_for_writers(self.usual_wait.get(), waited);
                    self.connection.pause(pause).await;
                    waited += pause;
                }
                begun => {
                    self.usual_wait.set((self.usual_wait.get() * 3 + waited) / 4);
                    return Ok(begun?);
                }
            }
        }
    }

    fn begin(&self, begin: &str) -> Result<(), ConnectionError> {
        let begun = self.connection.execute(begin, &[]).map(drop);
        if matches!(&begun, Err(error) if !matches!(error, ConnectionError::Busy(_))) {
            self.state.set(ConnectionState::NeedsReset);
        }
        begun
    }

    /// Runs `work` in the transaction that has begun, and commits it. If `work` fails, rolls the transaction back.
    fn end_transaction<T, E: From<StoreError>>(
        &self,
        session: &Session<'_>,
        work: impl FnOnce(&Session<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let result = work(session).and_then(|value| {
            session.run("COMMIT", &[])?;
            Ok(value)
        });
        if result.is_err() && session.run("ROLLBACK", &[]).is_err() {
            self.state.set(ConnectionState::NeedsReset);
        }
        result
    }

    /// Prepares the connection if it is new or was reset.
    fn prepare_connection(&self) -> Result<(), StoreError> {
        if self.state.get() == ConnectionState::Prepared {
            return Ok(());
        }
        if self.state.replace(ConnectionState::NeedsReset) == ConnectionState::NeedsReset {
            self.connection.reset()?;
        }
        migrate::prepare(&self.session(), self.synchronous)?;
        self.state.set(ConnectionState::Prepared);
        Ok(())
    }

    /// Pauses after a step of long work, so that other requests and instances can use the connection and the file.
    pub(crate) async fn yield_to_others(&self) {
        for _ in 0..PAUSES_AFTER_A_STEP {
            self.connection.pause(STEP_PAUSE).await;
        }
    }

    fn session(&self) -> Session<'_> {
        Session::new(&self.connection)
    }
}

/// Returns how long a request pauses that has `waited` for other writers, before it tries again. `usual_wait` is zero if the instance
/// has not waited yet.
///
/// A try costs up to 200 µs of a processor. So requests try about four times in the usual wait: if all pauses were short, the tries of
/// hundreds of instances would leave no time for writing. The first pause is long, and the pauses of a request that has waited for
/// longer than usual are shorter: otherwise, new requests would overtake it. If a wait is very long, the usual wait is out of date,
/// and the pauses grow again.
fn pause_for_writers(usual_wait: Duration, waited: Duration) -> Duration {
    let pause = if waited.is_zero() {
        usual_wait / 2
    } else if usual_wait.is_zero() {
        waited / 4
    } else {
        let usual_waits = waited.as_secs_f64() / usual_wait.as_secs_f64();
        (usual_wait / 4).div_f64(usual_waits.max(1.0)).max(waited / 64)
    };
    pause.clamp(MIN_PAUSE, MAX_PAUSE)
}

/// Charges and applies calls that can be in one batch.
fn submit_batch(session: &Session<'_>, batch: &[Rc<WaitingCall>]) -> Result<Vec<Submitted>, StoreError> {
    let Some(first) = batch.first() else {
        return Ok(Vec::new());
    };
    let calls: Vec<_> = batch.iter().map(|call| call.as_call()).collect();
    submit::charge_and_submit(session, &first.tenant, &calls)
}
