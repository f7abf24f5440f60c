//! Streams of live updates (server-sent events): the top of a leaderboard, and the rank of one player.
//!
//! - [`Topic`]: what a stream is about. Streams of one instance with the same topic share a `hub`.
//! - `poll`: reads the state of a topic from the store, once for all streams of a hub.
//! - `view`: the state that a stream shows. Its digest is the id of an event.
//! - `event`: writes the events; `change` finds what differs between two states.
//! - `hub`: the streams of a topic, and the task that polls and writes for all of them.
//!
//! A stream is state-based: an event takes the client from the state that it has to the state now. A client that resumes with the id of
//! the state now gets nothing, and every other client gets the whole state. So no client has a gap, and nothing is stored for streams.

mod change;
mod event;
mod hub;
mod poll;
mod view;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use leaderboard_environment::Environment;
use leaderboard_pipeline::PipelineEnvironment;

pub use event::{HELLO, RESUMED};
pub use hub::{Stream, join};
pub use poll::{Topic, read_shown};
pub use view::Shown;

use hub::Hub;

/// How often the state of a topic is read while it has streams, in milliseconds. So a stream gets at most one event in this time.
pub const EVENT_INTERVAL_MS: u64 = 250;
/// How long a stream may be silent before it gets a comment, in milliseconds. Proxies close connections that are silent for longer, often
/// after 30 s. A connection that the client closed is found by this write at the latest.
pub const HEARTBEAT_MS: i64 = 15_000;
/// How long a stream lives, in milliseconds: 5 minutes. A permission that ends is so long in effect at most.
pub const LIFE_MS: i64 = 5 * 60 * 1000;
/// By how much lives differ, in milliseconds, so that streams that began together do not all resume together.
pub const LIFE_SPREAD_MS: i64 = 30_000;
/// How long a client may leave a part of a stream in its way before the stream ends, in milliseconds.
pub const WRITE_LIMIT_MS: i64 = 10_000;
/// How many streams an instance has at most. A host gives an instance 128 requests by default, so it is the limit of a host with other
/// settings.
pub const MAX_STREAMS: usize = 128;

/// An environment whose instance has streams.
pub trait LiveEnvironment: PipelineEnvironment + Environment<State: AsRef<LiveState>> {
    /// Returns the streams of this instance.
    fn live(&self) -> &LiveState {
        self.state().as_ref()
    }
}

impl<E: PipelineEnvironment + Environment<State: AsRef<LiveState>>> LiveEnvironment for E {}

/// The streams of an instance.
#[derive(Debug, Default)]
pub struct LiveState {
    hubs: RefCell<Vec<Rc<Hub>>>,
    streams: Rc<Cell<usize>>,
}

impl LiveState {
    /// Returns whether the instance has a stream of the topic.
    #[must_use]
    pub fn has_hub(&self, topic: &Topic) -> bool {
        self.hubs.borrow().iter().any(|hub| hub.is_of(topic))
    }

    /// Takes the place of a stream; `None` if the instance has [`MAX_STREAMS`].
    #[must_use]
    pub fn take_place(&self) -> Option<StreamPlace> {
        let taken = self.streams.get();
        (taken < MAX_STREAMS).then(|| {
            self.streams.set(taken + 1);
            StreamPlace(Rc::clone(&self.streams))
        })
    }
}

/// The place of a stream in its instance. It is free again when this value is dropped.
#[derive(Debug)]
pub struct StreamPlace(Rc<Cell<usize>>);

impl Drop for StreamPlace {
    fn drop(&mut self) {
        self.0.set(self.0.get().saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_has_a_limited_number_of_streams() {
        let state = LiveState::default();
        let mut places: Vec<_> = (0..MAX_STREAMS).map(|_| state.take_place().unwrap()).collect();
        assert!(state.take_place().is_none());
        places.pop();
        assert!(state.take_place().is_some());
    }
}
