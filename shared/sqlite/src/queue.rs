//! A queue that gives the connection to requests in the order of their arrival. Without the queue, new requests could delay an
//! older one without limit.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

/// The requests that wait for the connection.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    next_ticket: Cell<u64>,
    waiting: RefCell<VecDeque<u64>>,
}

/// A position in the queue. Dropping the ticket leaves the queue, also if the request ends early.
#[derive(Debug)]
pub(crate) struct QueueTicket<'a> {
    queue: &'a Queue,
    ticket: u64,
}

impl Queue {
    /// Joins the end of the queue.
    pub(crate) fn join(&self) -> QueueTicket<'_> {
        let ticket = self.next_ticket.get();
        self.next_ticket.set(ticket.wrapping_add(1));
        self.waiting.borrow_mut().push_back(ticket);
        QueueTicket { queue: self, ticket }
    }
}

impl QueueTicket<'_> {
    /// Returns whether no earlier request is waiting.
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
    fn the_first_ticket_is_the_earliest_that_still_waits() {
        let queue = Queue::default();
        let (first, second, third) = (queue.join(), queue.join(), queue.join());
        assert!(first.is_first() && !second.is_first() && !third.is_first());
        drop(second);
        assert!(first.is_first() && !third.is_first());
        drop(first);
        assert!(third.is_first());
    }
}
