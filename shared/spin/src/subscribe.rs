//! A message of the Redis trigger, from its payload into the store.

use std::time::Duration;

use leaderboard_core::StoreError;

use leaderboard_score_messages::{MessageReport, OnRebuild};
use serde_json::json;

use crate::instance::{Instance, RequestEnvironment};
use crate::log;

/// How often a message is tried while the store is out of reach. The trigger delivers at most once, so giving
/// up early loses it; holding on too long holds up every message behind it.
const ATTEMPTS: u32 = 6;
/// The wait before the second attempt; it doubles each time (6.2 s in all).
const FIRST_WAIT: Duration = Duration::from_millis(200);
/// From this attempt on scores that meet a rebuild become dead letters: small rebuilds are over by then (0.6 s), and one
/// tenant's large ones hold up nobody else's messages.
const REBUILD_ATTEMPTS: u32 = 3;

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
    until_settled(
        async |on_rebuild| settle(payload, on_rebuild).await,
        spin_sdk::time::sleep,
    )
    .await
}

/// Makes attempts until nothing is left to do.
async fn until_settled(
    settle: impl AsyncFn(OnRebuild) -> Result<MessageReport, StoreError>,
    pause: impl AsyncFn(Duration),
) -> Result<(), Unapplied> {
    let mut wait = FIRST_WAIT;
    for attempt in 1..=ATTEMPTS {
        let on_rebuild = if attempt < REBUILD_ATTEMPTS {
            OnRebuild::Wait
        } else {
            OnRebuild::Bury
        };
        match settle(on_rebuild).await {
            Ok(report) => {
                log::line(&json!({"level": "info", "message": report, "attempt": attempt}));
                if report.waiting == 0 {
                    return Ok(());
                }
            }
            Err(error) => log::cause("warn", &error),
        }
        if attempt < ATTEMPTS {
            pause(wait).await;
            wait *= 2;
        }
    }
    Err(Unapplied)
}

/// Applies a message, or buries it when the store can be reached and cannot apply it: a second attempt would
/// end the same way, and the messages behind it wait.
async fn settle(payload: &[u8], on_rebuild: OnRebuild) -> Result<MessageReport, StoreError> {
    let environment = RequestEnvironment::new(Instance::shared().await?);
    match leaderboard_score_messages::apply_with(&environment, payload, on_rebuild).await {
        Err(error @ (StoreError::Corrupt(_) | StoreError::Rejected(_))) => {
            log::cause("error", &error);
            leaderboard_score_messages::bury(&environment, payload, "the store could not apply it").await
        }
        settled => settled,
    }
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    /// Makes attempts, each of which gives what `settle` says; how long was waited between them, and whether all was settled.
    fn attempts(settle: impl Fn(OnRebuild) -> Result<MessageReport, StoreError>) -> (Vec<u128>, bool) {
        let waits = RefCell::new(Vec::new());
        let settled = until_settled(
            async |on_rebuild| settle(on_rebuild),
            async |wait| waits.borrow_mut().push(wait.as_millis()),
        );
        // Nothing in it waits.
        match pin!(settled).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(done) => (waits.take(), done.is_ok()),
            Poll::Pending => panic!("something waited"),
        }
    }

    fn down() -> StoreError {
        StoreError::Unavailable("connection refused".into())
    }

    #[test]
    fn a_score_that_meets_a_long_rebuild_is_buried_soon() {
        let made = Cell::new(0);
        let done = attempts(|on_rebuild| {
            made.set(made.get() + 1);
            let is_buried = on_rebuild == OnRebuild::Bury;
            Ok(MessageReport {
                buried: usize::from(is_buried),
                waiting: usize::from(!is_buried),
                ..MessageReport::default()
            })
        });
        assert_eq!((made.get(), done), (3, (vec![200, 400], true)));
    }

    #[test]
    fn a_store_out_of_reach_is_tried_for_six_seconds() {
        let (waits, settled) = attempts(|_| Err(down()));
        assert_eq!((waits.iter().sum::<u128>(), settled), (6_200, false));
        // A rebuild that is met when the store is back holds up nobody any more.
        let made = Cell::new(0);
        let (waits, settled) = attempts(|on_rebuild| {
            made.set(made.get() + 1);
            let met = usize::from(on_rebuild == OnRebuild::Wait);
            let report = MessageReport {
                waiting: met,
                ..MessageReport::default()
            };
            if made.get() < 4 { Err(down()) } else { Ok(report) }
        });
        assert_eq!((waits.len(), settled), (3, true));
    }
}
