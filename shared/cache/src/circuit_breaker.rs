//! The circuit breakers in front of the store and of its replica: in an outage, a request that can be answered without the server
//! does not wait for it (docs/decisions/0033).
//!
//! The breaker is closed while the store answers. A command that fails, or takes longer than [`PATIENCE_MS`], opens it for the
//! whole region: an instance lives for few requests, so each instance would otherwise discover the outage itself. While the
//! breaker is open, a read with a usable cached response gets that response, and one request at a time probes the store after its
//! response (half-open). The first answer of the store closes the breaker. A request that needs the store asks it in any state.
//!
//! The breaker of the replica works in the same way. While it is open, the primary answers.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::{Pin, pin};
use std::task::Poll;

use leaderboard_core::ports::{Cache, Readiness, Replica};
use leaderboard_core::{StoreError, Timestamp};

use crate::CacheEnvironment;

/// How long a read with a usable cached response waits for the store, in milliseconds.
pub const PATIENCE_MS: i64 = 500;
/// How long an instance does not ask the store again after one of its own commands failed, in milliseconds.
const FAILED_MS: i64 = 1_000;
/// How long an instance uses the region's state before it reads the state again, in milliseconds.
const STATE_TTL_MS: i64 = 100;
/// How long a probe (opening a connection, and one command) may take, in milliseconds. After this time, the instance that probes
/// has ended.
const LONGEST_PROBE_MS: i64 = 4_500;
/// How long after a failed probe the next probe may begin, in milliseconds.
const PROBE_PAUSE_MS: i64 = 1_000;

/// The server that a breaker is in front of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Server {
    Store,
    Replica,
}

impl Server {
    /// Returns the key of the breaker's state in the key-value store.
    const fn key(self) -> &'static str {
        match self {
            Self::Store => "store:breaker",
            Self::Replica => "replica:breaker",
        }
    }

    /// Returns the breaker in the memory of this instance.
    fn breaker<E: CacheEnvironment>(self, env: &E) -> &CircuitBreaker {
        match self {
            Self::Store => &env.cache_state().breaker,
            Self::Replica => &env.cache_state().replica_breaker,
        }
    }

    /// Asks the server whether it serves clients.
    async fn check<E: CacheEnvironment>(self, env: &E) -> Result<(), StoreError> {
        match self {
            Self::Store => env.store().check_ready().await,
            Self::Replica => env.store().read_replica_clock().await.map(|_| ()),
        }
    }
}

/// The state of a breaker, which the instances of a region share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct BreakerState {
    /// Whether the breaker is open.
    open: bool,
    /// When the breaker was opened or closed, in milliseconds since the epoch.
    since: i64,
    /// When the next probe may begin, in milliseconds since the epoch.
    probed_until: i64,
}

/// A command that the store did not answer in time, or not at all.
#[derive(Debug)]
struct Failure {
    /// When the command failed, in milliseconds since the epoch.
    since: i64,
    /// The cause of the error; `None` if the store was only slow. A store under load may be slow but still answer every command.
    cause: Option<String>,
}

/// The breaker's state in the memory of an instance.
#[derive(Debug, Default)]
pub struct CircuitBreaker {
    /// The last failure of a command of this instance; `None` after the store has answered.
    failure: RefCell<Option<Failure>>,
    /// The region's state, and when it was read, in milliseconds since the epoch.
    region: Cell<Option<(BreakerState, i64)>>,
    /// Whether a probe of this instance is under way.
    probing: Cell<bool>,
}

impl CircuitBreaker {
    /// Returns the error of a command of this instance that failed within the last second, because the next command would fail
    /// too. Returns `None` if no command failed within that second, or if the store was only slow.
    pub fn recent_failure(&self, now: Timestamp) -> Option<StoreError> {
        let failure = self.failure.borrow();
        let Failure { since, cause } = failure.as_ref()?;
        let cause = cause.as_ref()?;
        // A failure in the future means that the clock was set back; it does not count.
        let is_recent = (0..FAILED_MS).contains(&(now.as_unix_ms() - since));
        is_recent.then(|| StoreError::Unavailable(cause.clone()))
    }

    /// Stores the region's state in memory and combines it with this instance's own failure. Returns whether the breaker is open.
    fn update_from_region(&self, state: Option<BreakerState>, read_at: i64) -> bool {
        let state = state.unwrap_or(BreakerState {
            open: false,
            since: i64::MIN,
            probed_until: i64::MIN,
        });
        self.region.set(Some((state, read_at)));
        let own_since = self.failure.borrow().as_ref().map(|failure| failure.since);
        if !state.open && own_since.is_some_and(|since| since <= state.since) {
            // Another instance has got an answer since this instance's failure.
            *self.failure.borrow_mut() = None;
            return false;
        }
        state.open || own_since.is_some()
    }

    /// Returns whether the breaker is open, or `None` if the region's state must be read again.
    fn is_open_in_memory(&self, now: i64) -> Option<bool> {
        let (state, read_at) = self.region.get()?;
        let is_recent = (0..STATE_TTL_MS).contains(&(now - read_at));
        is_recent.then(|| state.open || self.failure.borrow().is_some())
    }
}

/// Returns whether an instance of the region, this one or another, has opened the breaker.
pub async fn is_open<E: CacheEnvironment>(env: &E) -> bool {
    is_open_for(env, Server::Store).await
}

/// Returns whether an instance of the region has opened the breaker of the replica.
pub async fn is_open_for_replica<E: CacheEnvironment>(env: &E) -> bool {
    is_open_for(env, Server::Replica).await
}

async fn is_open_for<E: CacheEnvironment>(env: &E, server: Server) -> bool {
    let breaker = server.breaker(env);
    let now = env.clock().as_unix_ms();
    match breaker.is_open_in_memory(now) {
        Some(open) => open,
        None => breaker.update_from_region(read_state(env, server).await, now),
    }
}

/// Opens the breaker because the store did not answer. `cause` is the cause of the error.
pub fn open<E: CacheEnvironment>(env: &E, cause: &str) {
    open_with_cause(env, Server::Store, Some(cause.to_owned()));
}

/// Opens the breaker because the store took longer than [`PATIENCE_MS`]. A request that needs the store still asks it.
pub fn open_as_slow<E: CacheEnvironment>(env: &E) {
    open_with_cause(env, Server::Store, None);
}

/// Opens the breaker of the replica because the replica did not answer. `cause` is the cause of the error.
pub fn open_for_replica<E: CacheEnvironment>(env: &E, cause: &str) {
    open_with_cause(env, Server::Replica, Some(cause.to_owned()));
}

fn open_with_cause<E: CacheEnvironment>(env: &E, server: Server, cause: Option<String>) {
    let breaker = server.breaker(env);
    let now = env.clock().as_unix_ms();
    *breaker.failure.borrow_mut() = Some(Failure { since: now, cause });
    if breaker.region.get().is_some_and(|(state, _)| state.open) {
        return;
    }
    let state = BreakerState {
        open: true,
        since: now,
        probed_until: now,
    };
    breaker.region.set(Some((state, now)));
    let env = env.clone();
    env.clone()
        .later(async move { write_state(&env, server, state).await });
}

/// Closes the breaker because the store has answered.
pub fn close<E: CacheEnvironment>(env: &E) {
    close_for(env, Server::Store);
}

fn close_for<E: CacheEnvironment>(env: &E, server: Server) {
    let breaker = server.breaker(env);
    let failed = breaker.failure.borrow_mut().take().is_some();
    if !failed && !breaker.region.get().is_some_and(|(state, _)| state.open) {
        return;
    }
    let now = env.clock().as_unix_ms();
    let state = BreakerState {
        open: false,
        since: now,
        probed_until: now,
    };
    breaker.region.set(Some((state, now)));
    let env = env.clone();
    env.clone()
        .later(async move { write_state(&env, server, state).await });
}

/// Probes the store, unless an instance of the region is probing or has just probed. Closes the breaker if the store answers.
/// Returns true if the store answered or another instance has closed the breaker. A probe may take seconds, so call this only
/// after the response.
pub async fn probe<E: CacheEnvironment>(env: &E) -> bool {
    probe_server(env, Server::Store).await
}

async fn probe_server<E: CacheEnvironment>(env: &E, server: Server) -> bool {
    let breaker = server.breaker(env);
    if breaker.probing.replace(true) {
        return false;
    }
    let answered = probe_once(env, server).await;
    breaker.probing.set(false);
    answered
}

async fn probe_once<E: CacheEnvironment>(env: &E, server: Server) -> bool {
    let breaker = server.breaker(env);
    let now = env.clock().as_unix_ms();
    let found = read_state(env, server).await;
    if !breaker.update_from_region(found, now) {
        return true;
    }
    let state = BreakerState {
        open: true,
        since: found.map_or(now, |found| found.since),
        probed_until: now + LONGEST_PROBE_MS,
    };
    // A probe that may last longer than any probe can was recorded by a wrong clock; it does not count.
    if found.is_some_and(|found| found.open && (now + 1..=state.probed_until).contains(&found.probed_until)) {
        return false;
    }
    write_state(env, server, state).await;
    match server.check(env).await {
        Err(StoreError::Unavailable(cause)) => {
            let ended = env.clock().as_unix_ms();
            *breaker.failure.borrow_mut() = Some(Failure {
                since: ended,
                cause: Some(cause),
            });
            let probed_until = ended + PROBE_PAUSE_MS;
            let failed = BreakerState {
                probed_until,
                ..state
            };
            write_state(env, server, failed).await;
            false
        }
        // An error other than `Unavailable` is an answer, too.
        Ok(()) | Err(_) => {
            breaker.region.set(Some((state, now)));
            close_for(env, server);
            true
        }
    }
}

/// Probes the store after the response ([`probe`]).
pub fn probe_later<E: CacheEnvironment>(env: &E) {
    probe_server_later(env, Server::Store);
}

/// Probes the replica after the response, as [`probe`] does with the store.
pub fn probe_replica_later<E: CacheEnvironment>(env: &E) {
    probe_server_later(env, Server::Replica);
}

fn probe_server_later<E: CacheEnvironment>(env: &E, server: Server) {
    if !server.breaker(env).probing.get() {
        let env = env.clone();
        env.clone().later(async move {
            probe_server(&env, server).await;
        });
    }
}

/// Runs `work` for at most `limit_ms` milliseconds and returns its result. Returns `None` if the work takes longer; the caller
/// may then continue it.
pub async fn run_within<E: CacheEnvironment, T>(
    env: &E,
    limit_ms: i64,
    mut work: Pin<&mut impl Future<Output = T>>,
) -> Option<T> {
    let give_up_at = env.clock().as_unix_ms() + limit_ms;
    loop {
        let left = give_up_at - env.clock().as_unix_ms();
        if left <= 0 {
            return None;
        }
        let mut pause = pin!(env.pause(left.unsigned_abs()));
        let done = std::future::poll_fn(|context| match work.as_mut().poll(context) {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            Poll::Pending => pause.as_mut().poll(context).map(|()| None),
        });
        if let Some(done) = done.await {
            return Some(done);
        }
    }
}

/// Reads the region's state. Returns `None` if no instance has written it, or the key-value store does not answer.
async fn read_state<E: CacheEnvironment>(env: &E, server: Server) -> Option<BreakerState> {
    let bytes = env.key_value_store().get(server.key()).await.ok()??;
    let (&open, instants) = bytes.split_first()?;
    let (since, probed_until) = instants.split_first_chunk()?;
    Some(BreakerState {
        open: open == 1,
        since: i64::from_be_bytes(*since),
        probed_until: i64::from_be_bytes(probed_until.try_into().ok()?),
    })
}

/// Writes the region's state. If the key-value store does not accept the state, each instance uses only its own failures.
async fn write_state<E: CacheEnvironment>(env: &E, server: Server, state: BreakerState) {
    let mut bytes = vec![u8::from(state.open)];
    bytes.extend(state.since.to_be_bytes());
    bytes.extend(state.probed_until.to_be_bytes());
    let _ = env.key_value_store().put(server.key(), &bytes).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_unix_ms(ms).unwrap()
    }

    fn failure(since: i64, cause: Option<&str>) -> Option<Failure> {
        let cause = cause.map(str::to_owned);
        Some(Failure { since, cause })
    }

    fn state(open: bool, since: i64) -> Option<BreakerState> {
        Some(BreakerState {
            open,
            since,
            probed_until: since,
        })
    }

    #[test]
    fn an_own_failure_is_recent_for_a_second() {
        let breaker = CircuitBreaker::default();
        assert!(breaker.recent_failure(at(5_000)).is_none());
        *breaker.failure.borrow_mut() = failure(5_000, Some("refused"));
        assert!(
            matches!(breaker.recent_failure(at(5_999)), Some(StoreError::Unavailable(cause)) if cause == "refused")
        );
        assert!(breaker.recent_failure(at(6_000)).is_none() && breaker.recent_failure(at(4_999)).is_none());
    }

    #[test]
    fn a_slow_store_opens_the_breaker_without_an_error() {
        let breaker = CircuitBreaker::default();
        *breaker.failure.borrow_mut() = failure(5_000, None);
        assert!(breaker.recent_failure(at(5_000)).is_none());
        assert!(breaker.update_from_region(None, 5_000));
    }

    #[test]
    fn the_latest_of_own_failure_and_region_state_counts() {
        let breaker = CircuitBreaker::default();
        assert_eq!(breaker.is_open_in_memory(0), None);
        assert!(!breaker.update_from_region(None, 0));
        assert_eq!(
            (breaker.is_open_in_memory(99), breaker.is_open_in_memory(100)),
            (Some(false), None)
        );
        assert!(breaker.update_from_region(state(true, 100), 100));
        assert!(!breaker.update_from_region(state(false, 200), 200));
        *breaker.failure.borrow_mut() = failure(300, Some("refused"));
        assert!(breaker.update_from_region(None, 300) && breaker.update_from_region(state(false, 299), 310));
        assert_eq!(breaker.is_open_in_memory(310), Some(true));
        assert!(!breaker.update_from_region(state(false, 301), 320));
        assert_eq!(breaker.is_open_in_memory(320), Some(false));
    }
}
