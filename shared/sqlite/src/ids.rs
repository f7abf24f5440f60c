//! Idempotency records, which make a submission count once.

use std::collections::HashMap;

use leaderboard_core::codec::encode_outcome;
use leaderboard_core::ports::IDEMPOTENCY_MS;
use leaderboard_core::{Fingerprint, Outcome, PreparedSubmission, StoreError, Timestamp};

use crate::bulk;
use crate::connection::Value;
use crate::row::stored;
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

/// The records of this transaction, by leaderboard and name. They are written together at its end.
#[derive(Debug, Default)]
pub(crate) struct PendingRecords(HashMap<(i64, String), (IdempotencyRecord, Timestamp)>);

impl PendingRecords {
    /// Returns the record of an earlier submission of this transaction.
    pub(crate) fn get(&self, board: i64, name: &str, now: Timestamp) -> Option<&IdempotencyRecord> {
        let (known, recorded_at) = self.0.get(&(board, name.to_owned()))?;
        (recorded_at.as_unix_ms() > too_old(now)).then_some(known)
    }

    /// Adds the record of an outcome, if the submission has an id.
    pub(crate) fn push(&mut self, board: i64, submission: &PreparedSubmission, outcome: &Outcome) {
        let Some(name) = submission.record_name() else {
            return;
        };
        let fingerprint: Fingerprint = submission.fingerprint;
        let known = IdempotencyRecord {
            fingerprint: fingerprint.to_vec(),
            outcome: encode_outcome(outcome),
        };
        let name = (board, name.into_owned());
        self.0.insert(name, (known, submission.recorded_at));
    }

    /// Writes the records, and replaces expired ones of the same name.
    pub(crate) async fn flush(self, session: &Session<'_>) -> Result<(), StoreError> {
        let mut ids: Vec<_> = self.0.iter().collect();
        // In the order of the table, so that neighbouring rows are written together.
        ids.sort_unstable_by_key(|(name, _)| *name);
        let parameters: Vec<_> = ids
            .into_iter()
            .map(|((board, id), (known, recorded_at))| {
                [
                    Value::Integer(*board),
                    Value::Text(id),
                    Value::Integer(recorded_at.as_unix_ms()),
                    Value::Blob(&known.fingerprint),
                    Value::Blob(&known.outcome),
                ]
            })
            .collect();
        bulk::insert(
            session,
            "INSERT OR REPLACE INTO submissions (leaderboard, id, recorded_at, fingerprint, outcome) VALUES ",
            "",
            &parameters,
        )
        .await
    }
}

/// Deletes some of the records that have expired at `now`: always more than the `added` records of this call.
pub(crate) async fn prune(
    session: &Session<'_>,
    board: i64,
    now: Timestamp,
    added: usize,
) -> Result<(), StoreError> {
    const PRUNE: &str = "DELETE FROM submissions WHERE leaderboard = ?1 AND id IN (SELECT id \
         FROM submissions WHERE leaderboard = ?1 AND recorded_at <= ?2 ORDER BY recorded_at LIMIT ?3)";
    let limit = PRUNED_AT_ONCE.saturating_add((added as u64).saturating_mul(2));
    let parameters = [
        Value::Integer(board),
        Value::Integer(too_old(now)),
        Value::Integer(stored(limit)),
    ];
    session.run(PRUNE, &parameters).await
}
