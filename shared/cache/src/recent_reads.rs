//! Values that an instance has read from the key-value store a moment ago.

use std::cell::RefCell;

use leaderboard_core::LruMap;

/// How many values an instance keeps.
const MAX_READS: usize = 1_000;

/// Values by key, each with the instant just before it was read, in milliseconds since the epoch. The reader decides for how long a
/// value is used before it is read again.
#[derive(Debug)]
pub struct RecentReads<T>(RefCell<LruMap<Box<str>, (T, i64), MAX_READS>>);

impl<T> Default for RecentReads<T> {
    fn default() -> Self {
        Self(RefCell::default())
    }
}

impl<T: Copy> RecentReads<T> {
    /// Returns a value that was read within the last `ttl_ms` milliseconds, and when it was read. A read that lies in the future
    /// does not count: the clock was set back.
    pub fn find(&self, key: &str, ttl_ms: i64, now: i64) -> Option<(T, i64)> {
        let mut reads = self.0.borrow_mut();
        let (value, read_at) = *reads.get(key)?;
        (0..ttl_ms).contains(&(now - read_at)).then_some((value, read_at))
    }

    /// Keeps a value that was read at `read_at`.
    pub fn insert(&self, key: &str, value: T, read_at: i64) {
        self.0.borrow_mut().insert(key.into(), (value, read_at));
    }

    /// Forgets a value.
    pub fn remove(&self, key: &str) {
        self.0.borrow_mut().remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_used_until_its_time_is_over_or_the_clock_is_set_back() {
        let reads = RecentReads::default();
        reads.insert("a", 7, 1_000);
        assert_eq!(reads.find("a", 20, 1_000), Some((7, 1_000)));
        assert_eq!(reads.find("a", 20, 1_019), Some((7, 1_000)));
        assert_eq!(reads.find("a", 20, 1_020), None);
        assert_eq!(reads.find("a", 20, 999), None);
        reads.remove("a");
        assert_eq!(reads.find("a", 20, 1_000), None);
    }
}
