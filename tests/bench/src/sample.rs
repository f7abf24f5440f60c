//! The figures of measurements, and their medians.

use serde::{Deserialize, Serialize};

use crate::data::Data;
use crate::operation::Operation;

/// The names of the sections in the raw data, in the progress and in the ids of submissions.
pub(crate) const BY_CONNECTIONS: &str = "connections";
pub(crate) const BY_ENTRIES: &str = "entries";
pub(crate) const BY_LEADERBOARDS: &str = "leaderboards";
pub(crate) const BY_TENANTS: &str = "tenants";
pub(crate) const AT_HALF_RATE: &str = "half-rate";
pub(crate) const AT_SATURATION: &str = "saturation";
pub(crate) const LIKE_SPIN: &str = "like-spin";

/// The figures of the load generator.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Load {
    /// The number of requests with a successful response.
    pub(crate) requests: u64,
    /// The number of requests with another response or without a response.
    pub(crate) errors: u64,
    pub(crate) requests_per_s: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    /// `None` if the load generator does not report it.
    pub(crate) p999_ms: Option<f64>,
}

/// The processor time of a run divided by its requests, in microseconds; `None` where the system has no such
/// process.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct CpuPerRequest {
    pub(crate) client_us: f64,
    pub(crate) server_us: Option<f64>,
    pub(crate) redis_us: Option<f64>,
}

/// The memory after a run in MiB; `None` where the system has no such process.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Memory {
    pub(crate) server_mib: Option<f64>,
    pub(crate) redis_mib: Option<f64>,
}

/// A case to measure: an operation with a number of connections.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Case {
    pub(crate) operation: Operation,
    pub(crate) connections: u32,
}

/// One measurement of one system.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sample {
    /// How many requests a second were sent; `None` for as many as the system answers.
    pub(crate) rate: Option<f64>,
    pub(crate) load: Load,
    pub(crate) cpu: CpuPerRequest,
    pub(crate) memory: Memory,
}

/// All rounds of a case on one system.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) section: String,
    pub(crate) system: String,
    pub(crate) data: Data,
    pub(crate) case: Case,
    /// The number of Redis commands of a request, without those inside a script; `None` if they were not
    /// counted.
    pub(crate) redis_commands: Option<f64>,
    pub(crate) rounds: Vec<Sample>,
}

impl Row {
    /// Returns the median of a figure over the rounds that have it.
    pub(crate) fn median(&self, figure: impl Fn(&Sample) -> Option<f64>) -> Option<f64> {
        median(self.rounds.iter().filter_map(figure).collect())
    }

    /// Returns the median of the requests per second.
    pub(crate) fn requests_per_s(&self) -> f64 {
        self.median(|sample| Some(sample.load.requests_per_s))
            .unwrap_or_default()
    }

    /// Returns the median of a latency over the rounds in which a request succeeded.
    pub(crate) fn latency(&self, figure: impl Fn(&Load) -> Option<f64>) -> Option<f64> {
        self.median(|sample| figure(&sample.load).filter(|_| sample.load.requests > 0))
    }

    /// Returns the number of errors of all rounds.
    pub(crate) fn errors(&self) -> u64 {
        self.rounds.iter().map(|sample| sample.load.errors).sum()
    }
}

/// Returns the median of the rounds' ratios of a figure of `row` to that of `base`. Rounds in which the base
/// has no such figure are left out; `None` if no round has a ratio.
pub(crate) fn median_ratio(row: &Row, base: &Row, figure: impl Fn(&Load) -> f64) -> Option<f64> {
    let rounds = row.rounds.iter().zip(&base.rounds);
    let ratios = rounds.map(|(sample, base)| figure(&sample.load) / figure(&base.load));
    median(ratios.filter(|ratio| ratio.is_finite()).collect())
}

/// Returns the median; the lower one of two values in the middle; `None` if there are no values.
pub(crate) fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len().saturating_sub(1) / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_lower_middle_value() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(Vec::new()), None);
    }
}
