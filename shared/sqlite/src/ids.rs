//! Idempotency records, which make a submission count once.

use std::collections::BTreeMap;

use leaderboard_core::ports::IDEMPOTENCY_MS;
use leaderboard_core::{Fingerprint, PreparedSubmission, StoreError, Timestamp};

use crate::connection::Value;
use crate::row::stored;
use crate::rows::JsonRows;
use crate::session::Session;

/// How many expired records one call deletes, in addition to two for each record that the call adds.
const PRUNED_AT_ONCE: u64 = 64;

/// The content of an idempotency record.
#[derive(Debug, Clone)]
pub(crate) struct IdempotencyRecord {
    pub(crate) fingerprint: Vec<u8>,
    /// The outcome, as `encode_outcome` encodes it.
    pub(crate) outcome: Vec<u8>,
}

/// Returns the latest creation time of a record that has expired at `now`, in milliseconds since the epoch.
pub(crate) fn too_old(now: Timestamp) -> i64 {
    now.as_unix_ms().saturating_sub(IDEMPOTENCY_MS)
}

/// The records of a transaction by leaderboard and name, in the order of the table: when the submission was received, the
/// fingerprint of its content, and its outcome.
#[derive(Debug, Default)]
pub(crate) struct PendingRecords(BTreeMap<(i64, String), (Timestamp, Fingerprint, Vec<u8>)>);

impl PendingRecords {
    /// Adds the record of an encoded outcome, if the submission has an id.
    pub(crate) fn push(&mut self, board: i64, submission: &PreparedSubmission, outcome: &[u8]) {
        let Some(name) = submission.record_name() else {
            return;
        };
        let row = (submission.recorded_at, submission.fingerprint, outcome.to_vec());
        self.0.insert((board, name.into_owned()), row);
    }

    /// Writes the records, and replaces expired ones of the same name.
    pub(crate) fn flush(self, session: &Session<'_>) -> Result<(), StoreError> {
        const SAVE: &str = "INSERT OR REPLACE INTO submissions (leaderboard, id, recorded_at, fingerprint, outcome) \
             SELECT value ->> 0, value ->> 1, value ->> 2, unhex(value ->> 3), unhex(value ->> 4) FROM json_each(?1)";
        let mut rows = JsonRows::default();
        for ((board, name), (recorded_at, fingerprint, outcome)) in &self.0 {
            rows.push(&[
                Value::Integer(*board),
                Value::Text(name),
                Value::Integer(recorded_at.as_unix_ms()),
                Value::Blob(fingerprint),
                Value::Blob(outcome),
            ]);
        }
        rows.run(session, SAVE)
    }
}

/// Deletes some of the records that have expired at `now`: always more than the `added` records of this call.
pub(crate) fn prune(
    session: &Session<'_>,
    board: i64,
    now: Timestamp,
    added: usize,
) -> Result<(), StoreError> {
    const PRUNE: &str = "DELETE FROM submissions WHERE leaderboard = ?1 AND id IN (SELECT id \
         FROM submissions WHERE leaderboard = ?1 AND recorded_at <= ?2 ORDER BY recorded_at LIMIT ?3 + 0)";
    let limit = PRUNED_AT_ONCE.saturating_add((added as u64).saturating_mul(2));
    let parameters = [
        Value::Integer(board),
        Value::Integer(too_old(now)),
        Value::Integer(stored(limit)),
    ];
    session.run(PRUNE, &parameters)
}
