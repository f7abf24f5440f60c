//! The lease by which one instance of a region fetches an entry while the other instances wait.
//!
//! The key-value store has no atomic operation. If two instances put a lease at the same moment, both fetch: the store is asked
//! once too often, but no response is wrong. Reading the lease back after a pause was rejected, since it delays every cold miss.

use leaderboard_core::ports::Cache;

use crate::{CacheEnvironment, hash_fnv};

/// How long a lease is valid, in milliseconds. A request to the store is cancelled before this time.
const LEASE_MS: i64 = 4_000;

/// The permission to fetch a value for the region. The values of several cache keys may share one lease key, but each lease is
/// for one value.
#[derive(Debug)]
pub struct Lease {
    key: String,
    /// The bytes under `key`: the end of the lease, a hash of the value's cache key, and a number that is unique to this lease.
    value: Vec<u8>,
}

impl Lease {
    /// Takes the lease, or returns `None` if another instance has it. If the key-value store fails, every instance gets a lease.
    pub async fn take<E: CacheEnvironment>(env: &E, lease_key: &str, key_text: &str) -> Option<Self> {
        let now = env.clock().as_unix_ms();
        let lease = Self {
            key: lease_key.to_owned(),
            value: [
                (now + LEASE_MS).to_be_bytes().as_slice(),
                &hash_fnv(key_text.as_bytes()).to_be_bytes(),
                &env.new_trace_id(),
            ]
            .concat(),
        };
        let found = env.key_value_store().get(&lease.key).await.ok().flatten();
        if found.is_some_and(|value| is_valid(&value, key_text, now)) {
            return None;
        }
        // Without the key-value store, instances cannot coordinate, and each of them fetches.
        let _ = env.key_value_store().put(&lease.key, &lease.value).await;
        Some(lease)
    }

    /// Returns whether an instance has the lease for this cache key now.
    pub async fn is_taken<E: CacheEnvironment>(env: &E, lease_key: &str, key_text: &str) -> bool {
        let found = env.key_value_store().get(lease_key).await.ok().flatten();
        found.is_some_and(|value| is_valid(&value, key_text, env.clock().as_unix_ms()))
    }

    /// Deletes the lease, unless another instance has put its own lease in the meantime.
    pub async fn release<E: CacheEnvironment>(self, env: &E) {
        let found = env.key_value_store().get(&self.key).await.ok().flatten();
        if found.as_deref() == Some(self.value.as_slice()) {
            let _ = env.key_value_store().delete(&self.key).await;
        }
    }
}

/// Returns whether the bytes are a lease for this cache key that has not ended. A lease for another cache key does not count,
/// because its instance fetches another value.
fn is_valid(value: &[u8], key_text: &str, now: i64) -> bool {
    let Some((until, rest)) = value.split_first_chunk() else {
        return false;
    };
    let until = i64::from_be_bytes(*until);
    // A lease that ends later than any lease can was written by an instance with a wrong clock.
    until > now
        && until <= now + 2 * LEASE_MS
        && rest.starts_with(&hash_fnv(key_text.as_bytes()).to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_is_valid_for_one_key_until_it_ends() {
        let lease = |until: i64, key_text: &str| {
            let hash = hash_fnv(key_text.as_bytes()).to_be_bytes();
            [until.to_be_bytes().as_slice(), &hash, &[7; 16]].concat()
        };
        let now = 1_000_000;
        assert!(is_valid(&lease(now + 1, "a"), "a", now));
        assert!(!is_valid(&lease(now + 1, "b"), "a", now), "for another key");
        assert!(!is_valid(&lease(now, "a"), "a", now), "ended");
        assert!(!is_valid(&lease(now + 60_000, "a"), "a", now), "a wrong clock");
        assert!(!is_valid(b"", "a", now));
    }
}
