//! Tells on standard error what is under way.

use std::time::Instant;

const SECONDS_PER_MINUTE: u64 = 60;

/// The progress since a start.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Progress {
    started_at: Instant,
}

impl Progress {
    /// Returns the progress of a program that starts now.
    pub(crate) fn start() -> Self {
        Self {
            started_at: Instant::now(),
        }
    }

    /// Prints a line with the minutes and seconds since the start.
    pub(crate) fn say(self, text: &str) {
        let seconds = self.started_at.elapsed().as_secs();
        let (minutes, seconds) = (seconds / SECONDS_PER_MINUTE, seconds % SECONDS_PER_MINUTE);
        eprintln!("==> {minutes:02}:{seconds:02} {text}");
    }
}
