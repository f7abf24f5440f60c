//! A message of the Redis trigger, from its payload into the store.

use std::time::Duration;

use leaderboard_core::StoreError;
use leaderboard_http::message;
use serde_json::json;

use crate::instance::{Instance, RequestEnvironment};
use crate::log;

/// How often a message is tried while the store is out of reach. The trigger delivers at most once, so giving
/// up early loses it; holding on too long holds up every message behind it.
const ATTEMPTS: u32 = 6;
/// The wait before the second attempt; it doubles each time (6.2 s in all).
const FIRST_WAIT: Duration = Duration::from_millis(200);

/// A message that was neither applied nor put into the dead letters: the store stayed out of reach.
#[derive(Debug)]
pub struct Unapplied;

impl std::fmt::Display for Unapplied {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the message was not applied: the store stayed out of reach")
    }
}

impl std::error::Error for Unapplied {}

/// Applies one message. What is wrong with it goes to the dead letters and is not an error here.
///
/// # Errors
/// [`Unapplied`] when the store stayed out of reach; the cause is in the log.
pub async fn subscribe(payload: &[u8]) -> Result<(), Unapplied> {
    let mut wait = FIRST_WAIT;
    for attempt in 1..=ATTEMPTS {
        match settle(payload).await {
            Ok(report) => {
                log::line(&json!({"level": "info", "message": report, "attempt": attempt}));
                return Ok(());
            }
            Err(error) => log::cause("warn", &error),
        }
        if attempt < ATTEMPTS {
            spin_sdk::time::sleep(wait).await;
            wait *= 2;
        }
    }
    Err(Unapplied)
}

/// Applies a message, or buries it when the store can be reached and cannot apply it: a second attempt would
/// end the same way, and the messages behind it wait.
async fn settle(payload: &[u8]) -> Result<message::MessageReport, StoreError> {
    let environment = RequestEnvironment::new(Instance::shared().await?);
    match message::apply(&environment, payload).await {
        Err(error @ (StoreError::Corrupt(_) | StoreError::Rejected(_))) => {
            log::cause("error", &error);
            message::bury(&environment, payload, "the store could not apply it").await
        }
        settled => settled,
    }
}
