//! Single flight: one request of an instance (the leader) fetches an entry, and the others (the followers) wait for it.
//!
//! Tasks of an instance cannot wake each other (docs/decisions/0012), so a follower looks again after each pause.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use leaderboard_core::access::Caller;

use crate::ResponseEnvironment;
use leaderboard_api::Problem;

/// How long a follower pauses before it looks again, in milliseconds.
const PAUSE_MS: u64 = 2;

/// Why the store's answer to a cache key is no entry, as an ordinary reader sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CachedRefusal {
    pub problem: Problem,
    /// Whether a caller without a credential may know `problem`.
    pub public: bool,
}

impl CachedRefusal {
    /// Returns the problem that a caller may know.
    pub fn problem_for(&self, caller: &Caller) -> Problem {
        if self.public || *caller != Caller::Anonymous {
            self.problem.clone()
        } else {
            Problem::unreadable(caller)
        }
    }
}

/// What a follower learns from its leader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeaderResult {
    /// The leader's entry is in the memory tier.
    Stored,
    /// The store refused the read.
    Refused(CachedRefusal),
    /// The leader's entry may not be stored, so each follower asks the store itself.
    NotCacheable,
    /// The leader ended without a result, so a follower may become the leader.
    Failed,
    /// The follower has waited as long as it may.
    TimedOut,
}

/// The result of a leader; `None` until the leader ends.
type State = Rc<RefCell<Option<LeaderResult>>>;

/// The leaders of this instance, by the text of the cache key that each of them fetches.
#[derive(Debug, Clone, Default)]
pub struct SingleFlight(Rc<RefCell<HashMap<Box<str>, State>>>);

/// The request that fetches an entry for its followers. If a leader is dropped without [`Leader::end`], because its client went
/// away, for example, its followers get [`LeaderResult::Failed`].
#[derive(Debug)]
pub struct Leader {
    single_flight: SingleFlight,
    key_text: Box<str>,
    state: State,
}

impl SingleFlight {
    /// Returns the leader for a cache key, or `None` if the key has one already.
    pub fn become_leader(&self, key_text: &str) -> Option<Leader> {
        let mut leaders = self.0.borrow_mut();
        if leaders.contains_key(key_text) {
            return None;
        }
        let state = State::default();
        leaders.insert(key_text.into(), Rc::clone(&state));
        Some(Leader {
            single_flight: self.clone(),
            key_text: key_text.into(),
            state,
        })
    }

    /// Waits at most `at_most_ms` milliseconds for the leader of a cache key. Returns [`LeaderResult::Stored`] if the key has no
    /// leader any more.
    pub async fn wait_for_leader<E: ResponseEnvironment>(
        &self,
        env: &E,
        key_text: &str,
        at_most_ms: i64,
    ) -> LeaderResult {
        let Some(state) = self.0.borrow().get(key_text).map(Rc::clone) else {
            return LeaderResult::Stored;
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

impl Leader {
    /// Gives the followers a result.
    pub fn end(self, result: LeaderResult) {
        *self.state.borrow_mut() = Some(result);
    }
}

impl Drop for Leader {
    fn drop(&mut self) {
        self.state.borrow_mut().get_or_insert(LeaderResult::Failed);
        self.single_flight.0.borrow_mut().remove(&self.key_text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use leaderboard_api::ProblemType;

    #[test]
    fn a_key_has_one_leader_and_followers_get_its_result() {
        let single_flight = SingleFlight::default();
        let leader = single_flight.become_leader("a").unwrap();
        assert!(single_flight.become_leader("a").is_none());
        let waiting = Rc::clone(&leader.state);
        assert_eq!(*waiting.borrow(), None);
        leader.end(LeaderResult::Stored);
        assert_eq!(*waiting.borrow(), Some(LeaderResult::Stored));
        let dropped = single_flight.become_leader("a").unwrap();
        let waiting = Rc::clone(&dropped.state);
        drop(dropped);
        assert_eq!(*waiting.borrow(), Some(LeaderResult::Failed));
        assert!(single_flight.become_leader("a").is_some());
    }

    #[test]
    fn a_caller_without_a_credential_does_not_learn_why_a_private_leaderboard_refuses() {
        let refusal = |public| CachedRefusal {
            problem: Problem::new(ProblemType::EntryNotFound),
            public,
        };
        for (public, caller, expected) in [
            (true, Caller::Anonymous, ProblemType::EntryNotFound),
            (false, Caller::Anonymous, ProblemType::LeaderboardNotFound),
            (false, Caller::Reader, ProblemType::EntryNotFound),
        ] {
            assert_eq!(refusal(public).problem_for(&caller).kind, expected);
        }
    }
}
