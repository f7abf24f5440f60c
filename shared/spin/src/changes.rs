//! Handles messages of the Redis trigger that say that leaderboards changed.

use leaderboard_responses::{ChangesError, apply_change_message};

use crate::instance::{Instance, RequestEnvironment};
use crate::log;

/// A message that could not be parsed or fully applied. It is not tried again: cached responses that should have been invalidated
/// are stale until their lifetime ends.
#[derive(Debug)]
pub struct UnappliedChange;

impl std::fmt::Display for UnappliedChange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the message of changes was not acted on in full")
    }
}

impl std::error::Error for UnappliedChange {}

/// Invalidates the cached responses about the leaderboards that a message names.
///
/// # Errors
/// [`UnappliedChange`]; the cause is in the log.
pub async fn apply_changes(payload: &[u8]) -> Result<(), UnappliedChange> {
    let apply = async || {
        let instance = Instance::shared().await.map_err(ChangesError::Store)?;
        apply_change_message(&RequestEnvironment::of_message(instance), payload).await
    };
    apply().await.map_err(|error| {
        log::write_cause("warn", &error);
        UnappliedChange
    })
}
