//! One instance of a region makes a entry, the others wait for it.
//!
//! The key-value store has no atomic operation, so a lease is put and, after a moment, read again: the last one to put it has
//! it. The moment is longer than it took this instance to look and put; who is slower than that finds the finished entry
//! when it looks once more before it asks the store. A lease that is lost costs a key too many, never an answer: so one for
//! another answer in the same place is taken no notice of.

use leaderboard_core::ports::Cache;

use super::CacheKey;
use super::cache_key::fnv;
use super::region::lease_key;
use crate::ResponseEnvironment;

/// How long a lease holds, in milliseconds: longer than the store is waited for.
const LEASE_MS: i64 = 4_000;
/// The least moment between putting a lease and reading it again, in milliseconds.
const MIN_MOMENT_MS: i64 = 3;
/// The longest one.
const MAX_MOMENT_MS: i64 = 50;

/// Leave to make a entry.
#[derive(Debug)]
pub(crate) struct Lease {
    key: String,
    /// Until when, for which answer, and whose: what is under the key while one has it.
    value: Vec<u8>,
}

impl Lease {
    /// Takes the lease; `None` when another instance has it.
    pub(crate) async fn take<E: ResponseEnvironment>(env: &E, key: &CacheKey, name: &str) -> Option<Self> {
        let began = env.clock().as_unix_ms();
        let until = began + LEASE_MS;
        let lease = Self {
            key: lease_key(key, name),
            value: [
                until.to_be_bytes().as_slice(),
                &fnv(name.as_bytes()).to_be_bytes(),
                &env.new_trace_id(),
            ]
            .concat(),
        };
        match env.region().get(&lease.key).await {
            Ok(found) if found.as_deref().is_some_and(|held| is_held(held, name, began)) => return None,
            Ok(_) => {}
            // Without the region's store there is nobody to agree with.
            Err(_) => return Some(lease),
        }
        if env.region().put(&lease.key, &lease.value).await.is_err() {
            return Some(lease);
        }
        let took = env.clock().as_unix_ms() - began;
        let moment = (2 * took).clamp(MIN_MOMENT_MS, MAX_MOMENT_MS);
        env.pause(moment.unsigned_abs()).await;
        lease.is_own(env).await.then_some(lease)
    }

    /// Whether another instance still has it.
    pub(crate) async fn is_taken<E: ResponseEnvironment>(env: &E, key: &CacheKey, name: &str) -> bool {
        let found = env.region().get(&lease_key(key, name)).await.ok().flatten();
        found.is_some_and(|held| is_held(&held, name, env.clock().as_unix_ms()))
    }

    /// Gives it back, unless another instance has it by now.
    pub(crate) async fn give_back<E: ResponseEnvironment>(self, env: &E) {
        if self.is_own(env).await {
            let _ = env.region().delete(&self.key).await;
        }
    }

    async fn is_own<E: ResponseEnvironment>(&self, env: &E) -> bool {
        let found = env.region().get(&self.key).await.ok().flatten();
        found.as_deref() == Some(self.value.as_slice())
    }
}

fn is_held(value: &[u8], name: &str, now: i64) -> bool {
    let Some((until, rest)) = value.split_first_chunk() else {
        return false;
    };
    let until = i64::from_be_bytes(*until);
    // One that ends later than a lease can was put by a clock that was wrong.
    until > now && until <= now + 2 * LEASE_MS && rest.starts_with(&fnv(name.as_bytes()).to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_is_for_one_answer_and_for_as_long_as_one_can_be() {
        let lease = |until: i64, name: &str| {
            let hash = fnv(name.as_bytes()).to_be_bytes();
            [until.to_be_bytes().as_slice(), &hash, &[7; 16]].concat()
        };
        let now = 1_000_000;
        assert!(is_held(&lease(now + 1, "a"), "a", now));
        assert!(!is_held(&lease(now + 1, "b"), "a", now), "another answer's");
        assert!(!is_held(&lease(now, "a"), "a", now), "over");
        assert!(!is_held(&lease(now + 60_000, "a"), "a", now), "a wrong clock's");
        assert!(!is_held(b"", "a", now));
    }
}
