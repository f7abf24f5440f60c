//! Work that begins after a response.

use std::cell::{Cell, RefCell};

use futures::FutureExt;
use futures::future::LocalBoxFuture;
use spin_sdk::wasip3::spawn;

/// The work that a request leaves for the time after its response. What is added before the response waits; what is added later
/// starts at once.
#[derive(Default)]
pub(crate) struct AfterResponse {
    has_started: Cell<bool>,
    waiting: RefCell<Vec<LocalBoxFuture<'static, ()>>>,
}

impl AfterResponse {
    /// Creates the value for a message of a trigger, which has no response.
    pub(crate) fn without_response() -> Self {
        Self {
            has_started: Cell::new(true),
            waiting: RefCell::default(),
        }
    }

    /// Adds work. The instance lives until the work is done.
    pub(crate) fn add(&self, work: impl Future<Output = ()> + 'static) {
        if self.has_started.get() {
            spawn(work);
        } else {
            self.waiting.borrow_mut().push(work.boxed_local());
        }
    }

    /// Returns whether no work waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.borrow().is_empty()
    }

    /// Starts all work that waits.
    pub(crate) fn start(&self) {
        self.has_started.set(true);
        for work in self.waiting.take() {
            spawn(work);
        }
    }
}

impl std::fmt::Debug for AfterResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AfterResponse")
    }
}
