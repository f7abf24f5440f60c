//! The access log and the metrics of Edgeboard.

mod log;
pub mod metrics;

use leaderboard_environment::Environment;

pub use log::{Level, LogRecord};

/// An environment whose instance counts requests.
pub trait TelemetryEnvironment: Environment<State: AsRef<metrics::Counts>> {
    /// Returns what this instance has counted.
    fn counts(&self) -> &metrics::Counts {
        self.state().as_ref()
    }
}

impl<E: Environment<State: AsRef<metrics::Counts>>> TelemetryEnvironment for E {}
