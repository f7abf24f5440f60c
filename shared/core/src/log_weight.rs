//! The weights of events and idempotency records. A tenant's quota counts these weights.

use crate::codec::{encode_event, encode_layout};
use crate::{Event, PreparedSubmission, SORTABLE_BYTES, Target};

/// The weight of an event in addition to its own bytes: about the size of its position and the store's overhead, in bytes.
pub const EVENT_OVERHEAD_BYTES: u64 = 32;
/// The weight of an idempotency record in addition to its own bytes: the most that Redis adds in its tables and by rounding, in
/// bytes.
pub const RECORD_OVERHEAD_BYTES: u64 = 160;
/// The size of the fixed part of an idempotency record, in bytes: the instant (8), the fingerprint (16), and the fixed parts of
/// the outcome: status, columns, directions, flags and length of the layout (5), version and both ranks (24).
const RECORD_HEAD_BYTES: u64 = 53;
/// The number of tuples in an outcome: one of the entry, and one of the previous entry.
const TUPLES_OF_AN_OUTCOME: u64 = 2;

/// Returns the weight of an event of `bytes` bytes.
#[must_use]
pub fn event_weight(bytes: usize) -> u64 {
    EVENT_OVERHEAD_BYTES.saturating_add(bytes as u64)
}

impl Target {
    /// Returns the weight of an idempotency record for this target, with a name of `name_bytes` bytes. The weight is at least the
    /// memory that Redis needs for any outcome. All stores use this weight, so that a quota means the same in every store.
    #[must_use]
    pub fn record_weight(&self, name_bytes: usize) -> u64 {
        let layout = self.leaderboard.value.layout();
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
    /// Returns the weight of the idempotency record of the submission for one of its targets; 0 if the submission has no id.
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
        event_weight(encode_event(self).len())
    }
}
