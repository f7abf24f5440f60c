//! Invalidates the region's cached responses when a message on a Redis channel says that a leaderboard has changed.
#![expect(unsafe_code, reason = "the entry-point macro exports C functions")]

use leaderboard_spin::{UnappliedChange, apply_changes};

#[spin_sdk::redis_subscriber]
async fn on_message(payload: Vec<u8>) -> Result<(), UnappliedChange> {
    apply_changes(&payload).await
}
