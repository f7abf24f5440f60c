//! Messages of the Redis trigger that contain scores.

use std::time::Duration;

use leaderboard_core::StoreError;
use leaderboard_score_messages::{MessageReport, OnRebuild};
use serde_json::json;

use crate::instance::{Instance, RequestEnvironment};
use crate::log;

/// How often a message is tried while the store is unavailable. The trigger delivers a message at most once, so a message is lost
/// if this number is too small. If it is too large, the message delays all messages behind it.
const ATTEMPTS: u32 = 6;
/// The wait before the second try, in milliseconds. Each further wait is twice as long (6.2 s in total).
const FIRST_WAIT: Duration = Duration::from_millis(200);
/// From this try on, scores for a period that is being rebuilt become dead letters. Small rebuilds are over by then (0.6 s), and
/// the large rebuild of one tenant does not delay the messages of others.
const REBUILD_ATTEMPTS: u32 = 3;

/// A message that was neither applied nor stored as dead letters, because the store was unavailable.
#[derive(Debug)]
pub struct Unapplied;

impl std::fmt::Display for Unapplied {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the message was not applied: the store stayed out of reach")
    }
}

impl std::error::Error for Unapplied {}

/// Applies one message. Its invalid or refused submissions become dead letters, which is not an error.
///
/// # Errors
/// [`Unapplied`] if the store was unavailable; the cause is in the log.
pub async fn subscribe(payload: &[u8]) -> Result<(), Unapplied> {
    until_applied(
        async |on_rebuild| apply_message(payload, on_rebuild).await,
        spin_sdk::time::sleep,
    )
    .await
}

/// Tries again until all submissions are applied or stored as dead letters, at most [`ATTEMPTS`] times.
async fn until_applied(
    apply_message: impl AsyncFn(OnRebuild) -> Result<MessageReport, StoreError>,
    pause: impl AsyncFn(Duration),
) -> Result<(), Unapplied> {
    let mut wait = FIRST_WAIT;
    for attempt in 1..=ATTEMPTS {
        let on_rebuild = if attempt < REBUILD_ATTEMPTS {
            OnRebuild::Wait
        } else {
            OnRebuild::DeadLetter
        };
        match apply_message(on_rebuild).await {
            Ok(report) => {
                log::write_line(&json!({"level": "info", "message": report, "attempt": attempt}));
                if report.waiting == 0 {
                    return Ok(());
                }
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
async fn apply_message(payload: &[u8], on_rebuild: OnRebuild) -> Result<MessageReport, StoreError> {
    let environment = RequestEnvironment::of_message(Instance::shared().await?);
    match leaderboard_score_messages::apply_with(&environment, payload, on_rebuild).await {
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

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    /// Returns the waits between the tries in milliseconds, and whether the message was applied, when each try calls
    /// `apply_message`.
    fn attempts(apply_message: impl Fn(OnRebuild) -> Result<MessageReport, StoreError>) -> (Vec<u128>, bool) {
        let waits = RefCell::new(Vec::new());
        let applied = until_applied(
            async |on_rebuild| apply_message(on_rebuild),
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
    fn a_score_that_meets_a_long_rebuild_soon_becomes_a_dead_letter() {
        let made = Cell::new(0);
        let done = attempts(|on_rebuild| {
            made.set(made.get() + 1);
            let is_dead_letter = on_rebuild == OnRebuild::DeadLetter;
            Ok(MessageReport {
                dead_letters: usize::from(is_dead_letter),
                waiting: usize::from(!is_dead_letter),
                ..MessageReport::default()
            })
        });
        assert_eq!((made.get(), done), (3, (vec![200, 400], true)));
    }

    #[test]
    fn a_store_out_of_reach_is_tried_for_six_seconds() {
        let (waits, applied) = attempts(|_| Err(down()));
        assert_eq!((waits.iter().sum::<u128>(), applied), (6_200, false));
        // A rebuild no longer delays the messages behind it.
        let made = Cell::new(0);
        let (waits, applied) = attempts(|on_rebuild| {
            made.set(made.get() + 1);
            let met = usize::from(on_rebuild == OnRebuild::Wait);
            let report = MessageReport {
                waiting: met,
                ..MessageReport::default()
            };
            if made.get() < 4 { Err(down()) } else { Ok(report) }
        });
        assert_eq!((waits.len(), applied), (3, true));
    }
}
