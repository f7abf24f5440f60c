//! One request of an instance makes a view, the others wait for it.
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

/// Why there is no answer, as an ordinary reader is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub problem: Problem,
    /// Whether those without a credential may know it.
    pub public: bool,
}

impl Refusal {
    /// What a caller is told.
    pub fn told(&self, caller: &Caller) -> Problem {
        if self.public || *caller != Caller::Anonymous {
            self.problem.clone()
        } else {
            Problem::unreadable(caller)
        }
    }
}

/// What came of a flight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// Its view is on the shelf.
    Landed,
    /// There is none.
    Refused(Refusal),
    /// Its view is not kept: who waits goes by itself.
    Unshared,
    /// It ended half-way: another one may begin.
    Failed,
    /// It takes too long.
    Late,
}

/// How a flight ended; `None` while it is under way.
type State = Rc<RefCell<Option<Ended>>>;

/// The flights that are under way, by the name of their view.
type UnderWay = HashMap<Box<str>, State>;

/// The views that are being made in this instance.
#[derive(Debug, Clone, Default)]
pub struct Flights(Rc<RefCell<UnderWay>>);

/// A view that is being made. Dropped without [`Flight::end`] it has failed, also when its client went away.
#[derive(Debug)]
pub struct Flight {
    flights: Flights,
    name: Box<str>,
    state: State,
}

impl Flights {
    /// Begins one, unless one is under way.
    pub fn begin(&self, name: &str) -> Option<Flight> {
        let mut flights = self.0.borrow_mut();
        if flights.contains_key(name) {
            return None;
        }
        let state = State::default();
        flights.insert(name.into(), Rc::clone(&state));
        Some(Flight {
            flights: self.clone(),
            name: name.into(),
            state,
        })
    }

    /// Waits for the one that is under way, at most so many milliseconds.
    pub async fn wait<E: ResponseEnvironment>(&self, env: &E, name: &str, at_most_ms: i64) -> Ended {
        let Some(state) = self.0.borrow().get(name).map(Rc::clone) else {
            return Ended::Landed;
        };
        let give_up_at = env.clock().as_unix_ms() + at_most_ms;
        loop {
            if let Some(ended) = state.borrow().as_ref() {
                return ended.clone();
            }
            if env.clock().as_unix_ms() >= give_up_at {
                return Ended::Late;
            }
            env.pause(PAUSE_MS).await;
        }
    }
}

impl Flight {
    /// Tells those who wait how it ended.
    pub fn end(self, ended: Ended) {
        *self.state.borrow_mut() = Some(ended);
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.state.borrow_mut().get_or_insert(Ended::Failed);
        self.flights.0.borrow_mut().remove(&self.name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use leaderboard_api::ProblemType;

    #[test]
    fn one_flies_at_a_time_and_those_who_wait_learn_how_it_ended() {
        let flights = Flights::default();
        let flight = flights.begin("a").unwrap();
        assert!(flights.begin("a").is_none());
        let waiting = Rc::clone(&flight.state);
        assert_eq!(*waiting.borrow(), None);
        flight.end(Ended::Landed);
        assert_eq!(*waiting.borrow(), Some(Ended::Landed));
        let gone = flights.begin("a").unwrap();
        let waiting = Rc::clone(&gone.state);
        drop(gone);
        assert_eq!(*waiting.borrow(), Some(Ended::Failed));
        assert!(flights.begin("a").is_some());
    }

    #[test]
    fn what_is_private_is_not_told_to_those_without_a_credential() {
        let refusal = |public| Refusal {
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
