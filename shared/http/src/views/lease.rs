//! One instance of a region makes a view, the others wait for it.
//!
//! The key-value store has no atomic operation, so a lease is put and, after a moment, read again: the last one to put it has
//! it. The moment is longer than it took this instance to look and put; who is slower than that finds the finished view
//! when it looks once more before it asks the store. A lease that is lost costs a question too many, never an answer.

use leaderboard_core::ports::Cache;

use super::Question;
use super::region::lease_key;
use crate::environment::Environment;

/// How long a lease holds, in milliseconds: longer than a question takes, shorter than a client waits.
const LEASE_MS: i64 = 1_000;
/// The least moment between putting a lease and reading it again, in milliseconds.
const MIN_MOMENT_MS: i64 = 3;
/// The longest one.
const MAX_MOMENT_MS: i64 = 50;

/// The bytes of a token.
const TOKEN_BYTES: usize = 16;

/// Leave to make a view.
#[derive(Debug)]
pub(super) struct Lease {
    key: String,
    token: [u8; TOKEN_BYTES],
}

impl Lease {
    /// Takes the lease; `None` when another instance has it.
    pub(super) async fn take<E: Environment>(env: &E, question: &Question, name: &str) -> Option<Self> {
        let lease = Self {
            key: lease_key(question, name),
            token: env.new_trace_id(),
        };
        let began = env.clock().as_unix_ms();
        match env.region().get(&lease.key).await {
            Ok(found) if found.as_deref().is_some_and(|held| is_held(held, began)) => return None,
            Ok(_) => {}
            // Without the region's store there is nobody to agree with.
            Err(_) => return Some(lease),
        }
        let until = began + LEASE_MS;
        let value = [until.to_be_bytes().as_slice(), &lease.token].concat();
        if env.region().put(&lease.key, &value).await.is_err() {
            return Some(lease);
        }
        let took = env.clock().as_unix_ms() - began;
        let moment = (2 * took).clamp(MIN_MOMENT_MS, MAX_MOMENT_MS);
        env.pause(moment.unsigned_abs()).await;
        let found = env.region().get(&lease.key).await.ok().flatten();
        (found.as_deref() == Some(value.as_slice())).then_some(lease)
    }

    /// Whether another instance still has it.
    pub(super) async fn is_taken<E: Environment>(env: &E, question: &Question, name: &str) -> bool {
        let found = env.region().get(&lease_key(question, name)).await.ok().flatten();
        found.is_some_and(|held| is_held(&held, env.clock().as_unix_ms()))
    }

    /// Gives it back.
    pub(super) async fn give_back<E: Environment>(self, env: &E) {
        let _ = env.region().delete(&self.key).await;
    }
}

fn is_held(value: &[u8], now: i64) -> bool {
    // One that ends later than a lease can was put by a clock that was wrong.
    value
        .first_chunk()
        .map(|until| i64::from_be_bytes(*until))
        .is_some_and(|until| until > now && until <= now + 2 * LEASE_MS)
}
