//! Single flight: one task of an instance (the leader) fetches a value, and the others (the followers) wait for it.
//!
//! Tasks of an instance cannot wake each other (docs/decisions/0012), so a follower looks again after each pause.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use leaderboard_environment::Environment;

/// How long a follower pauses before it looks again, in milliseconds.
const PAUSE_MS: u64 = 2;

/// What a follower learns from its leader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeaderResult<T> {
    /// The leader ended with this result.
    Ended(T),
    /// The key has no leader any more.
    NoLeader,
    /// The leader ended without a result, so a follower may become the leader.
    Failed,
    /// The follower has waited as long as it may.
    TimedOut,
}

/// The result of a leader, shared with its followers; `None` until the leader ends.
type LeaderState<T> = Rc<RefCell<Option<LeaderResult<T>>>>;

/// The leaders of this instance, by the key that each of them fetches.
#[derive(Debug)]
pub struct SingleFlight<T>(Rc<RefCell<HashMap<Box<str>, LeaderState<T>>>>);

/// The task that fetches a value for its followers. If a leader is dropped without [`Leader::end`] (for example, because its
/// client disconnected), its followers get [`LeaderResult::Failed`].
#[derive(Debug)]
pub struct Leader<T> {
    single_flight: SingleFlight<T>,
    key: Box<str>,
    state: LeaderState<T>,
}

impl<T> Clone for SingleFlight<T> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

impl<T> Default for SingleFlight<T> {
    fn default() -> Self {
        Self(Rc::default())
    }
}

impl<T: Clone> SingleFlight<T> {
    /// Returns the leader for a key, or `None` if the key has one already.
    pub fn become_leader(&self, key: &str) -> Option<Leader<T>> {
        let mut leaders = self.0.borrow_mut();
        if leaders.contains_key(key) {
            return None;
        }
        let state = LeaderState::default();
        leaders.insert(key.into(), Rc::clone(&state));
        Some(Leader {
            single_flight: self.clone(),
            key: key.into(),
            state,
        })
    }

    /// Waits at most `at_most_ms` milliseconds for the leader of a key, and returns the leader's result.
    pub async fn wait_for_leader<E: Environment>(
        &self,
        env: &E,
        key: &str,
        at_most_ms: i64,
    ) -> LeaderResult<T> {
        let Some(state) = self.0.borrow().get(key).map(Rc::clone) else {
            return LeaderResult::NoLeader;
        };
        let give_up_at = env.clock().as_unix_ms() + at_most_ms;
        loop {
            if let Some(result) = state.borrow().as_ref() {
                return result.clone();
            }
            if env.clock().as_unix_ms() >= give_up_at {
                return LeaderResult::TimedOut;
            }
            env.pause(PAUSE_MS).await;
        }
    }
}

impl<T> Leader<T> {
    /// Gives the followers a result.
    pub fn end(self, result: T) {
        *self.state.borrow_mut() = Some(LeaderResult::Ended(result));
    }
}

impl<T> Drop for Leader<T> {
    fn drop(&mut self) {
        self.state.borrow_mut().get_or_insert(LeaderResult::Failed);
        self.single_flight.0.borrow_mut().remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_one_leader_and_followers_get_its_result() {
        let single_flight = SingleFlight::default();
        let leader = single_flight.become_leader("a").unwrap();
        assert!(single_flight.become_leader("a").is_none());
        let waiting = Rc::clone(&leader.state);
        assert_eq!(*waiting.borrow(), None);
        leader.end(7);
        assert_eq!(*waiting.borrow(), Some(LeaderResult::Ended(7)));
        let dropped = single_flight.become_leader("a").unwrap();
        let waiting = Rc::clone(&dropped.state);
        drop(dropped);
        assert_eq!(*waiting.borrow(), Some(LeaderResult::Failed));
        assert!(single_flight.become_leader("a").is_some());
    }
}
