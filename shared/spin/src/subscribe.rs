//! A message of the Redis trigger, from its payload into the store.

use std::time::Duration;

use leaderboard_core::StoreError;
use leaderboard_http::message;

use crate::instance::{Instance, RequestEnvironment};

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
        match apply(payload).await {
            Ok(report) => {
                eprintln!(
                    "{}",
                    serde_json::json!({"level": "info", "message": report, "attempt": attempt})
                );
                return Ok(());
            }
            Err(error) => {
                eprintln!(
                    "{}",
                    serde_json::json!({"level": "warn", "cause": error.to_string(), "attempt": attempt})
                );
            }
        }
        if attempt < ATTEMPTS {
            spin_sdk::time::sleep(wait).await;
            wait *= 2;
        }
    }
    Err(Unapplied)
}

async fn apply(payload: &[u8]) -> Result<message::MessageReport, StoreError> {
    let environment = RequestEnvironment::new(Instance::shared().await?);
    message::apply(&environment, payload).await
}
