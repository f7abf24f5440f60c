//! How much of a leaderboard's log is kept.

use crate::{Invalid, Timestamp};

/// The most events that a leaderboard can keep.
pub const MAX_KEEP_EVENTS: u32 = 1_000_000;
/// The most days for which a leaderboard can keep events.
pub const MAX_KEEP_DAYS: u16 = 3650;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// How much of a leaderboard's log is kept: the newest events that are within both bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogPolicy {
    /// The most events, 1 to [`MAX_KEEP_EVENTS`].
    pub keep_events: u32,
    /// The age of the oldest event in days, 1 to [`MAX_KEEP_DAYS`].
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
