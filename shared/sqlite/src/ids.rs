//! Idempotency records, which make a submission count once.

use leaderboard_core::ports::IDEMPOTENCY_MS;
use leaderboard_core::{StoreError, Timestamp};

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
    session.run(PRUNE, &[board.into(), too_old(now).into(), limit.into()])
}
