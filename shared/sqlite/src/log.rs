//! Appends events to the log of a leaderboard.

use std::collections::HashMap;

use leaderboard_core::codec::encode_event;
use leaderboard_core::{Event, StoreError, event_weight};

use crate::retention::{self, AppendedEvents, LogState};
use crate::session::Session;
use crate::writes::PendingWrites;

/// Events that are written together at the end of the transaction.
#[derive(Debug, Default)]
pub(crate) struct PendingEvents(Vec<(i64, u64, Vec<u8>)>);

impl PendingEvents {
    /// Adds an event at a position that the caller has taken.
    pub(crate) fn push(&mut self, board: i64, position: u64, event: &Event) {
        self.0.push((board, position, encode_event(event)));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the weight of the events by leaderboard.
    pub(crate) fn weights(&self) -> HashMap<i64, u64> {
        let mut weights = HashMap::new();
        for (board, _, event) in &self.0 {
            let weight: &mut u64 = weights.entry(*board).or_default();
            *weight = weight.saturating_add(event_weight(event.len()));
        }
        weights
    }

    /// Returns the weight of all events.
    pub(crate) fn total_weight(&self) -> u64 {
        self.weights().into_values().fold(0, u64::saturating_add)
    }

    /// Adds the events to what the transaction writes.
    pub(crate) fn add_to(&self, writes: &mut PendingWrites) {
        for (board, position, event) in &self.0 {
            writes.add_event(*board, *position, event);
        }
    }
}

/// Appends one event, and trims the log.
pub(crate) fn append(
    session: &Session<'_>,
    writes: &mut PendingWrites,
    (board, position): (i64, u64),
    event: &Event,
) -> Result<(), StoreError> {
    let mut pending = PendingEvents::default();
    pending.push(board, position, event);
    let appended = AppendedEvents {
        first: position,
        last: position,
        weight: pending.total_weight(),
        now: event.recorded_at,
    };
    pending.add_to(writes);
    let log = LogState::read(session, board)?;
    retention::finish_append(session, writes, (board, &log), &appended, 0)?;
    Ok(())
}
