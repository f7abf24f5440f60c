//! Changes of leaderboards, announced on a Redis channel: the region's cached views from before them are dropped.
#![expect(unsafe_code, reason = "the entry-point macro exports C functions")]

use leaderboard_spin::{Unheard, changed};

#[spin_sdk::redis_subscriber]
async fn on_message(payload: Vec<u8>) -> Result<(), Unheard> {
    changed(&payload).await
}
