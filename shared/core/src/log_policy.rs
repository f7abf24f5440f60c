//! How much of a leaderboard's log is kept.

use crate::codec::encode_layout;
use crate::{Event, Invalid, PreparedSubmission, SORTABLE_BYTES, Target, Timestamp};

/// The most events that a leaderboard can keep.
pub const MAX_KEEP_EVENTS: u32 = 1_000_000;
/// The most days for which a leaderboard can keep events.
pub const MAX_KEEP_DAYS: u16 = 3650;
/// What an event weighs in addition to its own bytes: about the size of its position and the store's overhead, in bytes.
pub const EVENT_OVERHEAD_BYTES: u64 = 32;
/// What an idempotency record weighs in addition to its own bytes: the most that Redis adds in its tables and by rounding, in
/// bytes.
pub const RECORD_OVERHEAD_BYTES: u64 = 160;
/// The size of the fixed part of an idempotency record, in bytes: the instant (8), the fingerprint (16), and of the outcome:
/// status, columns, directions, flags and length of the layout (5), version and both ranks (24).
const RECORD_HEAD_BYTES: u64 = 53;
/// The number of tuples in an outcome: that of the entry, and that of the entry before.
const TUPLES_OF_AN_OUTCOME: u64 = 2;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// How much of a leaderboard's log is kept: the newest events that are within both bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogPolicy {
    /// The most events, 1 to [`MAX_KEEP_EVENTS`].
    pub keep_events: u32,
    /// The oldest event in days, 1 to [`MAX_KEEP_DAYS`].
    pub keep_days: u16,
}

impl Default for LogPolicy {
    fn default() -> Self {
        Self {
            keep_events: 100_000,
            keep_days: 30,
        }
    }
}

impl LogPolicy {
    /// Returns a fault for each field that is out of its bounds.
    #[must_use]
    pub fn find_faults(&self) -> Vec<Invalid> {
        let mut faults = Vec::new();
        if self.keep_events == 0 || self.keep_events > MAX_KEEP_EVENTS {
            let detail = format!("must be 1 to {MAX_KEEP_EVENTS}");
            faults.push(Invalid::new("/keep_events", detail));
        }
        if self.keep_days == 0 || self.keep_days > MAX_KEEP_DAYS {
            let detail = format!("must be 1 to {MAX_KEEP_DAYS}");
            faults.push(Invalid::new("/keep_days", detail));
        }
        faults
    }

    /// Returns how long events are kept, in milliseconds.
    #[must_use]
    pub fn keep_ms(&self) -> i64 {
        i64::from(self.keep_days).saturating_mul(DAY_MS)
    }

    /// Returns the instant before which events are too old at `now`.
    #[must_use]
    pub fn oldest_at(&self, now: Timestamp) -> Timestamp {
        now.saturating_add_ms(self.keep_ms().saturating_neg())
    }
}

/// Returns the weight of an event of `bytes` bytes.
#[must_use]
pub fn event_weight(bytes: usize) -> u64 {
    EVENT_OVERHEAD_BYTES.saturating_add(bytes as u64)
}

impl Target {
    /// Returns the weight of an idempotency record for this target, with a name of `name_bytes` bytes. The weight is at least the
    /// memory that Redis needs for any outcome. All stores use it, so that a quota means the same on every store.
    #[must_use]
    pub fn record_weight(&self, name_bytes: usize) -> u64 {
        let layout = self.board.value.layout();
        let tuple_bytes = layout.columns.count().saturating_mul(SORTABLE_BYTES) as u64;
        [
            RECORD_OVERHEAD_BYTES,
            RECORD_HEAD_BYTES,
            tuple_bytes.saturating_mul(TUPLES_OF_AN_OUTCOME),
            encode_layout(&layout).len() as u64,
            self.period.id.as_str().len() as u64,
            name_bytes as u64,
        ]
        .into_iter()
        .fold(0, u64::saturating_add)
    }
}

impl PreparedSubmission {
    /// Returns the weight of the idempotency record for one of the targets; 0 without an id.
    #[must_use]
    pub fn record_weight(&self, target: &Target) -> u64 {
        let name = self.record_name();
        name.map_or(0, |name| target.record_weight(name.len()))
    }
}

impl Event {
    /// Returns the weight of the event in a log.
    #[must_use]
    pub fn weight(&self) -> u64 {
        event_weight(crate::codec::encode_event(self).len())
    }
}
