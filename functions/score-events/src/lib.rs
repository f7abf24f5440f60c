//! Applies scores that backends publish to a Redis channel. The ids of a message ensure that it is applied once.
#![expect(unsafe_code, reason = "the entry-point macro exports C functions")]

use leaderboard_spin::{Unapplied, subscribe};

#[spin_sdk::redis_subscriber]
async fn on_message(payload: Vec<u8>) -> Result<(), Unapplied> {
    subscribe(&payload).await
}
