//! The circuit breaker in front of the store: while the store is not known to be back, nobody waits for it who can do without.
//!
//! It is closed while the store answers. A question that fails, or takes longer than a reader is made to wait, opens it for the
//! whole region: instances are young, and each would have to find out by itself. While it is open, a read that has a usable
//! cached response gets that, and one request at a time asks the store for a sign of life after its response (half-open). The
//! first answer of the store closes it. Whoever cannot do without the store asks it in any case (docs/decisions/0033).

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::{Pin, pin};
use std::task::Poll;

use leaderboard_core::ports::{Cache, Readiness};
use leaderboard_core::{StoreError, Timestamp};

use crate::CacheEnvironment;

/// How long a reader who has a usable cached response waits for the store, in milliseconds.
pub const PATIENCE_MS: i64 = 500;
/// How long after a failure of its own an instance does not ask the store for what can be done without it, in milliseconds.
const FAILED_MS: i64 = 1_000;
/// How long an instance takes the region's state that it read for what it is, in milliseconds.
const TRUST_MS: i64 = 100;
/// How long a probe may take, in milliseconds: opening a connection, and one command. One that takes longer has ended with its
/// instance.
const LONGEST_PROBE_MS: i64 = 4_500;
/// How long after a probe that failed the next one begins, in milliseconds.
const PROBE_PAUSE_MS: i64 = 1_000;
/// Where the region keeps the state.
const KEY: &str = "store:breaker";

/// The state of the region, as its instances tell each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct State {
    /// Whether the store is taken to be out of reach.
    open: bool,
    /// Since when, in milliseconds since the epoch.
    since: i64,
    /// Until when no probe begins, likewise.
    probed_until: i64,
}

/// A question that the store did not answer in time.
#[derive(Debug)]
struct Failure {
    /// When, in milliseconds since the epoch.
    since: i64,
    /// The error's cause; `None` when the store was only late: a store with much to do is late, and still answers all of it.
    cause: Option<String>,
}

/// What an instance knows of the store.
#[derive(Debug, Default)]
pub struct CircuitBreaker {
    /// The last failure that this instance met, unless the store has answered since.
    failure: RefCell<Option<Failure>>,
    /// The region's state, and when it was read.
    region: Cell<Option<(State, i64)>>,
    /// Whether a probe of this instance is under way.
    probing: Cell<bool>,
}

impl CircuitBreaker {
    /// The error that a question would end in, as far as this instance knows it from a failure a moment ago. `None` also when
    /// the store was only late.
    pub fn recent_failure(&self, now: Timestamp) -> Option<StoreError> {
        let failure = self.failure.borrow();
        let Failure { since, cause } = failure.as_ref()?;
        let cause = cause.as_ref()?;
        // A clock that has been set back makes no outage longer.
        let lasts = (0..FAILED_MS).contains(&(now.as_unix_ms() - since));
        lasts.then(|| StoreError::Unavailable(cause.clone()))
    }

    /// Takes in the region's state. Whether the breaker is open then.
    fn learn(&self, state: Option<State>, read_at: i64) -> bool {
        let state = state.unwrap_or(State {
            open: false,
            since: i64::MIN,
            probed_until: i64::MIN,
        });
        self.region.set(Some((state, read_at)));
        let own_since = self.failure.borrow().as_ref().map(|failure| failure.since);
        if !state.open && own_since.is_some_and(|since| since <= state.since) {
            // Another instance has had an answer since.
            *self.failure.borrow_mut() = None;
            return false;
        }
        state.open || own_since.is_some()
    }

    /// The state as it is known now, if that is young enough.
    fn known(&self, now: i64) -> Option<bool> {
        let (state, read_at) = self.region.get()?;
        let young = (0..TRUST_MS).contains(&(now - read_at));
        young.then(|| state.open || self.failure.borrow().is_some())
    }
}

/// Whether the store is taken to be out of reach, by this instance or by another one of the region.
pub async fn is_open<E: CacheEnvironment>(env: &E) -> bool {
    let breaker = &env.cache_state().breaker;
    let now = env.clock().as_unix_ms();
    match breaker.known(now) {
        Some(open) => open,
        None => breaker.learn(read(env).await, now),
    }
}

/// Opens the breaker: the store did not answer, for this cause.
pub fn open<E: CacheEnvironment>(env: &E, cause: &str) {
    open_for(env, Some(cause.to_owned()));
}

/// Opens the breaker: the store takes longer than somebody waits who can do without it. Those who cannot still ask it.
pub fn open_as_late<E: CacheEnvironment>(env: &E) {
    open_for(env, None);
}

fn open_for<E: CacheEnvironment>(env: &E, cause: Option<String>) {
    let breaker = &env.cache_state().breaker;
    let now = env.clock().as_unix_ms();
    *breaker.failure.borrow_mut() = Some(Failure { since: now, cause });
    if breaker.region.get().is_some_and(|(state, _)| state.open) {
        return;
    }
    let state = State {
        open: true,
        since: now,
        probed_until: now,
    };
    breaker.region.set(Some((state, now)));
    let env = env.clone();
    env.clone().later(async move { write(&env, state).await });
}

/// Closes the breaker: the store has answered.
pub fn close<E: CacheEnvironment>(env: &E) {
    let breaker = &env.cache_state().breaker;
    let failed = breaker.failure.borrow_mut().take().is_some();
    if !failed && !breaker.region.get().is_some_and(|(state, _)| state.open) {
        return;
    }
    let now = env.clock().as_unix_ms();
    let state = State {
        open: false,
        since: now,
        probed_until: now,
    };
    breaker.region.set(Some((state, now)));
    let env = env.clone();
    env.clone().later(async move { write(&env, state).await });
}

/// Asks the store for a sign of life, unless somebody in the region does or just did. Whether it has given one, which closes the
/// breaker. For work after a response.
pub async fn probe<E: CacheEnvironment>(env: &E) -> bool {
    let breaker = &env.cache_state().breaker;
    if breaker.probing.replace(true) {
        return false;
    }
    let answered = probe_alone(env).await;
    breaker.probing.set(false);
    answered
}

async fn probe_alone<E: CacheEnvironment>(env: &E) -> bool {
    let breaker = &env.cache_state().breaker;
    let now = env.clock().as_unix_ms();
    let there = read(env).await;
    if !breaker.learn(there, now) {
        return true;
    }
    let state = State {
        open: true,
        since: there.map_or(now, |there| there.since),
        probed_until: now + LONGEST_PROBE_MS,
    };
    // One that reaches further ahead than a probe does was put by a clock that was wrong.
    if there.is_some_and(|there| there.open && (now + 1..=state.probed_until).contains(&there.probed_until)) {
        return false;
    }
    write(env, state).await;
    match env.store().ready().await {
        Err(StoreError::Unavailable(cause)) => {
            let ended = env.clock().as_unix_ms();
            *breaker.failure.borrow_mut() = Some(Failure {
                since: ended,
                cause: Some(cause),
            });
            let probed_until = ended + PROBE_PAUSE_MS;
            write(
                env,
                State {
                    probed_until,
                    ..state
                },
            )
            .await;
            false
        }
        // An answer of any kind is one.
        Ok(()) | Err(_) => {
            breaker.region.set(Some((state, now)));
            close(env);
            true
        }
    }
}

/// Probes after the response.
pub fn probe_later<E: CacheEnvironment>(env: &E) {
    if !env.cache_state().breaker.probing.get() {
        let env = env.clone();
        env.clone().later(async move {
            probe(&env).await;
        });
    }
}

/// What some work comes to within so many milliseconds; `None` when it takes longer, and can be gone on with.
pub async fn within<E: CacheEnvironment, T>(
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

/// The region's state; `None` when there is none, or the region cannot tell.
async fn read<E: CacheEnvironment>(env: &E) -> Option<State> {
    let bytes = env.region().get(KEY).await.ok()??;
    let (&open, instants) = bytes.split_first()?;
    let (since, probed_until) = instants.split_first_chunk()?;
    Some(State {
        open: open == 1,
        since: i64::from_be_bytes(*since),
        probed_until: i64::from_be_bytes(probed_until.try_into().ok()?),
    })
}

/// Where the region does not take it, each instance knows what it has met itself.
async fn write<E: CacheEnvironment>(env: &E, state: State) {
    let mut bytes = vec![u8::from(state.open)];
    bytes.extend(state.since.to_be_bytes());
    bytes.extend(state.probed_until.to_be_bytes());
    let _ = env.region().put(KEY, &bytes).await;
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

    fn state(open: bool, since: i64) -> Option<State> {
        Some(State {
            open,
            since,
            probed_until: since,
        })
    }

    #[test]
    fn a_failure_of_its_own_is_recent_for_a_second() {
        let breaker = CircuitBreaker::default();
        assert!(breaker.recent_failure(at(5_000)).is_none());
        *breaker.failure.borrow_mut() = failure(5_000, Some("refused"));
        assert!(
            matches!(breaker.recent_failure(at(5_999)), Some(StoreError::Unavailable(cause)) if cause == "refused")
        );
        assert!(breaker.recent_failure(at(6_000)).is_none() && breaker.recent_failure(at(4_999)).is_none());
    }

    #[test]
    fn a_store_that_was_late_is_asked_by_those_who_cannot_do_without_it() {
        let breaker = CircuitBreaker::default();
        *breaker.failure.borrow_mut() = failure(5_000, None);
        assert!(breaker.recent_failure(at(5_000)).is_none());
        assert!(breaker.learn(None, 5_000));
    }

    #[test]
    fn the_latest_of_what_the_instance_and_the_region_know_counts() {
        let breaker = CircuitBreaker::default();
        assert_eq!(breaker.known(0), None);
        assert!(!breaker.learn(None, 0));
        assert_eq!((breaker.known(99), breaker.known(100)), (Some(false), None));
        assert!(breaker.learn(state(true, 100), 100));
        assert!(!breaker.learn(state(false, 200), 200));
        *breaker.failure.borrow_mut() = failure(300, Some("refused"));
        assert!(breaker.learn(None, 300) && breaker.learn(state(false, 299), 310));
        assert_eq!(breaker.known(310), Some(true));
        assert!(!breaker.learn(state(false, 301), 320));
        assert_eq!(breaker.known(320), Some(false));
    }
}
