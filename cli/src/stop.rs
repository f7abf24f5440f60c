//! A request to stop that every task of a command can see and wait for.

use std::sync::Arc;

use tokio::sync::watch;

/// Cheap to clone; all clones share one state, which goes from "go on" to "stop" once.
#[derive(Clone, Debug)]
pub(crate) struct StopSignal(Arc<watch::Sender<bool>>);

impl StopSignal {
    /// "Go on."
    pub(crate) fn new() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }

    /// From now on, "stop".
    pub(crate) fn request(&self) {
        self.0.send_replace(true);
    }

    /// Whether a stop was requested.
    pub(crate) fn is_requested(&self) -> bool {
        *self.0.borrow()
    }

    /// Returns when a stop is requested.
    pub(crate) async fn requested(&self) {
        let mut receiver = self.0.subscribe();
        // The sender lives in `self`, so the channel cannot close while this waits.
        let _stopped = receiver.wait_for(|stopped| *stopped).await;
    }
}
