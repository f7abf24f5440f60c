//! How much of a leaderboard's log is kept.

use crate::{Event, Invalid, Timestamp};

/// The most events that a leaderboard can keep.
pub const MAX_KEEP_EVENTS: u32 = 1_000_000;
/// The most days for which a leaderboard can keep events.
pub const MAX_KEEP_DAYS: u16 = 3650;
/// What an event weighs beside its own bytes, in bytes: its position and the store's own overhead, roughly.
pub const EVENT_OVERHEAD_BYTES: u64 = 32;
/// What an idempotency record weighs, in bytes: id, fingerprint, outcome and the store's own overhead, roughly. All
/// weigh the same, so that what a tenant holds does not depend on the store.
pub const IDEMPOTENCY_RECORD_BYTES: u64 = 256;

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
    /// Every field that is out of its bounds.
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

    /// For how long events are kept, in milliseconds.
    #[must_use]
    pub fn keep_ms(&self) -> i64 {
        i64::from(self.keep_days).saturating_mul(DAY_MS)
    }

    /// The instant before which events are too old at `now`.
    #[must_use]
    pub fn oldest_at(&self, now: Timestamp) -> Timestamp {
        now.saturating_add_ms(self.keep_ms().saturating_neg())
    }
}

/// What an event of so many bytes weighs.
#[must_use]
pub fn event_weight(bytes: usize) -> u64 {
    EVENT_OVERHEAD_BYTES.saturating_add(bytes as u64)
}

impl Event {
    /// What the event weighs in a log.
    #[must_use]
    pub fn weight(&self) -> u64 {
        event_weight(crate::codec::encode_event(self).len())
    }
}
