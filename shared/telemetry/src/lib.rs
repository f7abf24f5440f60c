//! The access log and the metrics of Edgeboard.
//!
//! - `log`: the line that is logged for each request;
//! - `metrics`: the requests that an instance counts, the region's counts, and their text format.

mod log;
pub mod metrics;

use leaderboard_environment::Environment;

pub use log::{Level, LogRecord};

/// An environment whose instance counts requests.
pub trait TelemetryEnvironment: Environment<State: AsRef<metrics::RequestCounts>> {
    /// Returns the counts of this instance.
    fn counts(&self) -> &metrics::RequestCounts {
        self.state().as_ref()
    }
}

impl<E: Environment<State: AsRef<metrics::RequestCounts>>> TelemetryEnvironment for E {}
