//! One request of an instance makes a view, the others wait for it.
//!
//! Tasks of an instance cannot wake each other (docs/decisions/0012), so those that wait look again after a pause.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use crate::environment::Environment;

/// How long those that wait pause before they look again, in milliseconds.
const PAUSE_MS: u64 = 2;
/// How long one waits for another, in milliseconds; after that it goes by itself.
const MAX_WAIT_MS: i64 = 4_000;

/// How a flight stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Under way.
    Flying,
    /// Its view is on the shelf.
    Landed,
    /// There is no view to share: who waits goes by itself.
    Failed,
}

/// The flights that are under way, by the name of their view.
type UnderWay = HashMap<Box<str>, Rc<Cell<State>>>;

/// The views that are being made in this instance.
#[derive(Debug, Clone, Default)]
pub(super) struct Flights(Rc<RefCell<UnderWay>>);

/// A view that is being made. Dropped without [`Flight::land`] it has failed, also when its client went away.
#[derive(Debug)]
pub(super) struct Flight {
    flights: Flights,
    name: Box<str>,
    state: Rc<Cell<State>>,
}

/// What came of waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Waited {
    /// Look on the shelf.
    Landed,
    /// Make it alone.
    InVain,
}

impl Flights {
    /// Begins one, unless one is under way.
    pub(super) fn begin(&self, name: &str) -> Option<Flight> {
        let mut flights = self.0.borrow_mut();
        if flights.contains_key(name) {
            return None;
        }
        let state = Rc::new(Cell::new(State::Flying));
        flights.insert(name.into(), Rc::clone(&state));
        Some(Flight {
            flights: self.clone(),
            name: name.into(),
            state,
        })
    }

    /// Waits for the one that is under way.
    pub(super) async fn wait<E: Environment>(&self, env: &E, name: &str) -> Waited {
        let Some(state) = self.0.borrow().get(name).map(Rc::clone) else {
            return Waited::Landed;
        };
        let give_up_at = env.clock().as_unix_ms() + MAX_WAIT_MS;
        loop {
            match state.get() {
                State::Landed => return Waited::Landed,
                State::Failed => return Waited::InVain,
                State::Flying if env.clock().as_unix_ms() >= give_up_at => return Waited::InVain,
                State::Flying => env.pause(PAUSE_MS).await,
            }
        }
    }
}

impl Flight {
    /// The view is on the shelf.
    pub(super) fn land(self) {
        self.state.set(State::Landed);
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        if self.state.get() == State::Flying {
            self.state.set(State::Failed);
        }
        self.flights.0.borrow_mut().remove(&self.name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_flies_at_a_time_and_those_who_wait_learn_how_it_ended() {
        let flights = Flights::default();
        let flight = flights.begin("a").unwrap();
        assert!(flights.begin("a").is_none());
        let waiting = Rc::clone(&flight.state);
        flight.land();
        assert_eq!(waiting.get(), State::Landed);
        let gone = flights.begin("a").unwrap();
        let waiting = Rc::clone(&gone.state);
        drop(gone);
        assert_eq!(waiting.get(), State::Failed);
        assert!(flights.begin("a").is_some());
    }
}
