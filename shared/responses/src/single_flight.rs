//! One request of an instance makes a entry, the others wait for it.
//!
//! Tasks of an instance cannot wake each other (docs/decisions/0012), so those that wait look again after a pause.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use leaderboard_core::access::Caller;

use crate::ResponseEnvironment;
use leaderboard_api::Problem;

/// How long those that wait pause before they look again, in milliseconds.
const PAUSE_MS: u64 = 2;

/// MissReason there is no answer, as an ordinary reader is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CachedRefusal {
    pub problem: Problem,
    /// Whether those without a credential may know it.
    pub public: bool,
}

impl CachedRefusal {
    /// What a caller is told.
    pub fn told(&self, caller: &Caller) -> Problem {
        if self.public || *caller != Caller::Anonymous {
            self.problem.clone()
        } else {
            Problem::unreadable(caller)
        }
    }
}

/// What came of a leader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FlightResult {
    /// Its entry is on the memory_tier.
    Stored,
    /// There is none.
    Refused(CachedRefusal),
    /// Its entry is not kept: who waits goes by itself.
    NotCacheable,
    /// It ended half-way: another one may begin.
    Failed,
    /// It takes too long.
    TimedOut,
}

/// How a leader ended; `None` while it is under way.
type State = Rc<RefCell<Option<FlightResult>>>;

/// The single_flight that are under way, by the name of their entry.
type InProgress = HashMap<Box<str>, State>;

/// The views that are being made in this instance.
#[derive(Debug, Clone, Default)]
pub struct SingleFlight(Rc<RefCell<InProgress>>);

/// A entry that is being made. Dropped without [`Leader::end`] it has failed, also when its client went away.
#[derive(Debug)]
pub struct Leader {
    single_flight: SingleFlight,
    name: Box<str>,
    state: State,
}

impl SingleFlight {
    /// Begins one, unless one is under way.
    pub fn begin(&self, name: &str) -> Option<Leader> {
        let mut single_flight = self.0.borrow_mut();
        if single_flight.contains_key(name) {
            return None;
        }
        let state = State::default();
        single_flight.insert(name.into(), Rc::clone(&state));
        Some(Leader {
            single_flight: self.clone(),
            name: name.into(),
            state,
        })
    }

    /// Waits for the one that is under way, at most so many milliseconds.
    pub async fn wait<E: ResponseEnvironment>(&self, env: &E, name: &str, at_most_ms: i64) -> FlightResult {
        let Some(state) = self.0.borrow().get(name).map(Rc::clone) else {
            return FlightResult::Stored;
        };
        let give_up_at = env.clock().as_unix_ms() + at_most_ms;
        loop {
            if let Some(ended) = state.borrow().as_ref() {
                return ended.clone();
            }
            if env.clock().as_unix_ms() >= give_up_at {
                return FlightResult::TimedOut;
            }
            env.pause(PAUSE_MS).await;
        }
    }
}

impl Leader {
    /// Tells those who wait how it ended.
    pub fn end(self, ended: FlightResult) {
        *self.state.borrow_mut() = Some(ended);
    }
}

impl Drop for Leader {
    fn drop(&mut self) {
        self.state.borrow_mut().get_or_insert(FlightResult::Failed);
        self.single_flight.0.borrow_mut().remove(&self.name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use leaderboard_api::ProblemType;

    #[test]
    fn one_flies_at_a_time_and_those_who_wait_learn_how_it_ended() {
        let single_flight = SingleFlight::default();
        let leader = single_flight.begin("a").unwrap();
        assert!(single_flight.begin("a").is_none());
        let waiting = Rc::clone(&leader.state);
        assert_eq!(*waiting.borrow(), None);
        leader.end(FlightResult::Stored);
        assert_eq!(*waiting.borrow(), Some(FlightResult::Stored));
        let gone = single_flight.begin("a").unwrap();
        let waiting = Rc::clone(&gone.state);
        drop(gone);
        assert_eq!(*waiting.borrow(), Some(FlightResult::Failed));
        assert!(single_flight.begin("a").is_some());
    }

    #[test]
    fn what_is_private_is_not_told_to_those_without_a_credential() {
        let refusal = |public| CachedRefusal {
            problem: Problem::new(ProblemType::EntryNotFound),
            public,
        };
        for (public, caller, told) in [
            (true, Caller::Anonymous, ProblemType::EntryNotFound),
            (false, Caller::Anonymous, ProblemType::LeaderboardNotFound),
            (false, Caller::Reader, ProblemType::EntryNotFound),
        ] {
            assert_eq!(refusal(public).told(&caller).kind, told);
        }
    }
}
