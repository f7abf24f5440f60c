//! The order in which requests get the connection: that in which they came. Without it, a request that is unlucky waits for as
//! long as others come.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

/// The requests that wait for the connection.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    next_ticket: Cell<u64>,
    waiting: RefCell<VecDeque<u64>>,
}

/// A place in the queue, which is given up when this is dropped: also when the request ends early.
#[derive(Debug)]
pub(crate) struct QueueTicket<'a> {
    queue: &'a Queue,
    ticket: u64,
}

impl Queue {
    /// Takes the last place.
    pub(crate) fn join(&self) -> QueueTicket<'_> {
        let ticket = self.next_ticket.get();
        self.next_ticket.set(ticket.wrapping_add(1));
        self.waiting.borrow_mut().push_back(ticket);
        QueueTicket { queue: self, ticket }
    }
}

impl QueueTicket<'_> {
    /// Whether nobody who came earlier is waiting.
    pub(crate) fn is_first(&self) -> bool {
        self.queue.waiting.borrow().front() == Some(&self.ticket)
    }
}

impl Drop for QueueTicket<'_> {
    fn drop(&mut self) {
        self.queue
            .waiting
            .borrow_mut()
            .retain(|ticket| *ticket != self.ticket);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_whoever_came_first_and_still_waits() {
        let queue = Queue::default();
        let (first, second, third) = (queue.join(), queue.join(), queue.join());
        assert!(first.is_first() && !second.is_first() && !third.is_first());
        drop(second);
        assert!(first.is_first() && !third.is_first());
        drop(first);
        assert!(third.is_first());
    }
}
