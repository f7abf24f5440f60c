//! A message of the Redis trigger that leaderboards changed.

use leaderboard_core::StoreError;
use leaderboard_responses::{ChangesError, apply_change_message};
use serde_json::json;

use crate::instance::{Instance, RequestEnvironment};
use crate::log;

/// A message that could not be parsed or fully applied. It is not tried again: cached responses that should have been invalidated
/// are stale until their lifetime ends.
#[derive(Debug)]
pub struct Unheard;

impl std::fmt::Display for Unheard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the message of changes was not acted on in full")
    }
}

impl std::error::Error for Unheard {}

/// Invalidates what one message says has changed.
///
/// # Errors
/// [`Unheard`]; the cause is in the log.
pub async fn changed(payload: &[u8]) -> Result<(), Unheard> {
    hear(payload).await.map_err(|error| {
        log::line(&json!({"level": "warn", "cause": error.to_string()}));
        Unheard
    })
}

async fn hear(payload: &[u8]) -> Result<(), ChangesError> {
    let instance = Instance::shared()
        .await
        .map_err(|error: StoreError| ChangesError::Store(error))?;
    apply_change_message(&RequestEnvironment::new(instance), payload).await
}
