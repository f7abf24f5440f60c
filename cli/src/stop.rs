//! A stop signal that every task of a command can check and wait for.

use std::sync::Arc;

use tokio::sync::watch;

/// A signal that all clones share; once requested, it stays requested.
#[derive(Clone, Debug)]
pub(crate) struct StopSignal(Arc<watch::Sender<bool>>);

impl StopSignal {
    /// Creates a signal that is not requested.
    pub(crate) fn new() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }

    /// Requests a stop.
    pub(crate) fn request(&self) {
        self.0.send_replace(true);
    }

    /// Whether a stop is requested.
    pub(crate) fn is_requested(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until a stop is requested.
    pub(crate) async fn requested(&self) {
        let mut receiver = self.0.subscribe();
        // The sender lives in `self`, so the channel cannot close while this waits.
        let _stopped = receiver.wait_for(|stopped| *stopped).await;
    }
}
