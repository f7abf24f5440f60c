//! The circuit breakers in the memory of an instance.

use std::cell::{Cell, RefCell};

use leaderboard_core::ports::{MAX_SHARDS, ShardNumber};
use leaderboard_core::{StoreError, Timestamp};

/// How long an instance does not ask the store again after one of its own commands failed, in milliseconds.
const FAILED_MS: i64 = 1_000;
/// How long an instance uses the region's state before it reads the state again, in milliseconds.
const STATE_TTL_MS: i64 = 100;

/// The state of a breaker, which the instances of a region share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BreakerState {
    /// Whether the breaker is open.
    pub(super) open: bool,
    /// When the breaker was opened or closed, in milliseconds since the epoch.
    pub(super) since: i64,
    /// When the next probe may begin, in milliseconds since the epoch.
    pub(super) probed_until: i64,
}

/// A command that the store did not answer in time, or not at all.
#[derive(Debug)]
pub(super) struct Failure {
    /// When the command failed, in milliseconds since the epoch.
    pub(super) since: i64,
    /// The cause of the error; `None` if the store was only slow. A store under load may be slow but still answer every command.
    pub(super) cause: Option<String>,
}

/// The breaker's state in the memory of an instance.
#[derive(Debug, Default)]
pub struct CircuitBreaker {
    /// The last failure of a command of this instance; `None` after the store has answered.
    pub(super) failure: RefCell<Option<Failure>>,
    /// The region's state, and when it was read, in milliseconds since the epoch.
    pub(super) region: Cell<Option<(BreakerState, i64)>>,
    /// Whether a probe of this instance is under way.
    pub(super) probing: Cell<bool>,
}

/// The breakers of the shards in the memory of an instance.
#[derive(Debug, Default)]
pub struct ShardBreakers {
    first: CircuitBreaker,
    further: [CircuitBreaker; MAX_SHARDS as usize - 1],
}

impl ShardBreakers {
    /// Returns the breaker of a shard.
    pub fn of_shard(&self, number: ShardNumber) -> &CircuitBreaker {
        let further = usize::from(number).checked_sub(2);
        let found = further.and_then(|at| self.further.get(at));
        found.unwrap_or(&self.first)
    }
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
    pub(super) fn update_from_region(&self, state: Option<BreakerState>, read_at: i64) -> bool {
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
    pub(super) fn is_open_in_memory(&self, now: i64) -> Option<bool> {
        let (state, read_at) = self.region.get()?;
        let is_recent = (0..STATE_TTL_MS).contains(&(now - read_at));
        is_recent.then(|| state.open || self.failure.borrow().is_some())
    }
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
