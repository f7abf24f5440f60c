//! The circuit breakers in front of the shards of the store and of its replica: in an outage, a request that can be answered without
//! the server does not wait for it (docs/decisions/0033).
//!
//! Each shard has a breaker. The breaker is closed while the shard answers. A command that fails, or takes longer than
//! [`PATIENCE_MS`], opens it for the whole region: an instance lives for few requests, so each instance would otherwise discover the
//! outage itself. While the breaker is open, a read with a usable cached response gets that response, and one request at a time probes
//! the shard after its response (half-open). The first answer of the shard closes the breaker. A request that needs the store asks it
//! in any state.
//!
//! The breaker of the replica works in the same way. While it is open, the primary answers.

mod memory;

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::Poll;

use leaderboard_core::StoreError;
use leaderboard_core::ports::{Cache, Replica, ShardNumber, Shards};

use self::memory::{BreakerState, Failure};
use crate::CacheEnvironment;

pub use self::memory::{CircuitBreaker, ShardBreakers};

/// How long a read with a usable cached response waits for the store, in milliseconds.
pub const PATIENCE_MS: i64 = 500;
/// How long a probe (opening a connection, and one command) may take, in milliseconds. After this time, the instance that probes
/// has ended.
const LONGEST_PROBE_MS: i64 = 4_500;
/// How long after a failed probe the next probe may begin, in milliseconds.
const PROBE_PAUSE_MS: i64 = 1_000;

/// The server that a breaker is in front of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Server {
    Shard(ShardNumber),
    Replica,
}

impl Server {
    /// Returns the key of the breaker's state in the key-value store.
    fn key(self) -> String {
        match self {
            Self::Shard(number) => format!("store:breaker:{number}"),
            Self::Replica => "replica:breaker".to_owned(),
        }
    }

    /// Returns the breaker in the memory of this instance.
    fn breaker<E: CacheEnvironment>(self, env: &E) -> &CircuitBreaker {
        match self {
            Self::Shard(number) => env.cache_state().breakers.of_shard(number),
            Self::Replica => &env.cache_state().replica_breaker,
        }
    }

    /// Asks the server whether it serves clients.
    async fn check<E: CacheEnvironment>(self, env: &E) -> Result<(), StoreError> {
        match self {
            Self::Shard(number) => env.store().check_shard(number).await,
            Self::Replica => env.store().read_replica_clock().await.map(|_| ()),
        }
    }
}

/// Returns whether an instance of the region, this one or another, has opened the breaker of a shard.
pub async fn is_open<E: CacheEnvironment>(env: &E, shard: ShardNumber) -> bool {
    is_open_for(env, Server::Shard(shard)).await
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

/// Opens the breaker of a shard because the shard did not answer. `cause` is the cause of the error.
pub fn open<E: CacheEnvironment>(env: &E, shard: ShardNumber, cause: &str) {
    open_with_cause(env, Server::Shard(shard), Some(cause.to_owned()));
}

/// Opens the breaker of a shard because the shard took longer than [`PATIENCE_MS`]. A request that needs the store still asks it.
pub fn open_as_slow<E: CacheEnvironment>(env: &E, shard: ShardNumber) {
    open_with_cause(env, Server::Shard(shard), None);
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

/// Closes the breaker of a shard because the shard has answered.
pub fn close<E: CacheEnvironment>(env: &E, shard: ShardNumber) {
    close_for(env, Server::Shard(shard));
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

/// Probes a shard, unless an instance of the region is probing or has just probed. Closes the breaker if the shard answers. Returns
/// true if the shard answered or another instance has closed the breaker. A probe may take seconds, so call this only after the
/// response.
pub async fn probe<E: CacheEnvironment>(env: &E, shard: ShardNumber) -> bool {
    probe_server(env, Server::Shard(shard)).await
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

/// Probes a shard after the response ([`probe`]).
pub fn probe_later<E: CacheEnvironment>(env: &E, shard: ShardNumber) {
    probe_server_later(env, Server::Shard(shard));
}

/// Probes the replica after the response, as [`probe`] does with a shard.
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
    let bytes = env.key_value_store().get(&server.key()).await.ok()??;
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
    let _ = env.key_value_store().put(&server.key(), &bytes).await;
}
