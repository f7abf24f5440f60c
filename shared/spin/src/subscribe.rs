//! Messages of the Redis trigger that contain scores.

use std::time::Duration;

use leaderboard_core::StoreError;
use leaderboard_score_messages::{MAX_DRAINED, MessageReport, is_wake_up};
use serde_json::json;

use crate::instance::{Instance, RequestEnvironment};
use crate::log;

/// How often a message is tried while the store is unavailable. The trigger delivers a message at most once, so a message is lost
/// if this number is too small. If it is too large, the message delays all messages behind it.
const ATTEMPTS: u32 = 6;
/// The wait before the second try, in milliseconds. Each further wait is twice as long (6.2 s in total).
const FIRST_WAIT: Duration = Duration::from_millis(200);

/// The most items of the queue that are applied after a message.
const DRAINED_AFTER_MESSAGE: u32 = 100;

/// A message that was neither applied nor stored, because the store was unavailable.
#[derive(Debug)]
pub struct Unapplied;

impl std::fmt::Display for Unapplied {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the message was not applied: the store stayed out of reach")
    }
}

impl std::error::Error for Unapplied {}

/// Applies one message, and then items of the queue. A wake-up only drains the queue. The invalid or refused submissions of a message
/// become dead letters, which is not an error.
///
/// # Errors
/// [`Unapplied`] if the store was unavailable; the cause is in the log.
pub async fn subscribe(payload: &[u8]) -> Result<(), Unapplied> {
    if is_wake_up(payload) {
        drain(MAX_DRAINED).await;
        return Ok(());
    }
    until_applied(async || apply_message(payload).await, spin_sdk::time::sleep).await?;
    // The next message does not wait for the whole queue.
    drain(DRAINED_AFTER_MESSAGE).await;
    Ok(())
}

/// Tries again until all submissions are applied or stored, at most [`ATTEMPTS`] times.
async fn until_applied(
    apply_message: impl AsyncFn() -> Result<MessageReport, StoreError>,
    pause: impl AsyncFn(Duration),
) -> Result<(), Unapplied> {
    let mut wait = FIRST_WAIT;
    for attempt in 1..=ATTEMPTS {
        match apply_message().await {
            Ok(report) => {
                log::write_line(&json!({"level": "info", "message": report, "attempt": attempt}));
                return Ok(());
            }
            Err(error) => log::write_cause("warn", &error),
        }
        if attempt < ATTEMPTS {
            pause(wait).await;
            wait *= 2;
        }
    }
    Err(Unapplied)
}

/// Applies a message. If the store is available but cannot apply the message, stores it as dead letters, because another try
/// would fail in the same way and delay the messages behind it.
async fn apply_message(payload: &[u8]) -> Result<MessageReport, StoreError> {
    let environment = RequestEnvironment::of_message(Instance::shared().await?);
    match leaderboard_score_messages::apply_message(&environment, payload).await {
        Err(error @ (StoreError::Corrupt(_) | StoreError::Rejected(_))) => {
            log::write_cause("error", &error);
            leaderboard_score_messages::push_as_dead_letters(
                &environment,
                payload,
                "the store could not apply it",
            )
            .await
        }
        applied => applied,
    }
}

/// Applies items of the queue. A failure is only logged: the items stay in the queue.
async fn drain(max_items: u32) {
    let drained = async {
        let environment = RequestEnvironment::of_message(Instance::shared().await?);
        leaderboard_score_messages::drain(&environment, max_items).await
    };
    if let Err(error) = drained.await {
        log::write_cause("warn", &error);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    /// Returns the waits between the tries in milliseconds, and whether the message was applied, when each try calls
    /// `apply_message`.
    fn attempts(apply_message: impl Fn() -> Result<MessageReport, StoreError>) -> (Vec<u128>, bool) {
        let waits = RefCell::new(Vec::new());
        let applied = until_applied(
            async || apply_message(),
            async |wait| waits.borrow_mut().push(wait.as_millis()),
        );
        // The pause of this test does not wait.
        match pin!(applied).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(done) => (waits.take(), done.is_ok()),
            Poll::Pending => panic!("something waited"),
        }
    }

    fn down() -> StoreError {
        StoreError::Unavailable("connection refused".into())
    }

    #[test]
    fn a_store_out_of_reach_is_tried_for_six_seconds() {
        let (waits, applied) = attempts(|| Err(down()));
        assert_eq!((waits.iter().sum::<u128>(), applied), (6_200, false));
        let made = Cell::new(0);
        let (waits, applied) = attempts(|| {
            made.set(made.get() + 1);
            if made.get() < 4 {
                Err(down())
            } else {
                Ok(MessageReport::default())
            }
        });
        assert_eq!((waits.len(), applied), (3, true));
    }
}
