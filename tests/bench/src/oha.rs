//! Runs oha, the load generator for HTTP.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::data::Data;
use crate::operation::Operation;
use crate::sample::{Case, Load};

/// A request counts as an error if it has no response after this time.
const TIMEOUT: &str = "10s";
const MS_PER_S: f64 = 1_000.0;

/// The length of a run, in seconds or in requests.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Duration {
    Seconds(f64),
    Requests(u32),
}

/// How a run goes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run<'a> {
    pub(crate) duration: Duration,
    /// How many requests are sent in a second, whether or not the server keeps up: a request that waits for a
    /// connection counts as slow. `None`: each connection sends a request as soon as it has a response.
    pub(crate) rate: Option<f64>,
    /// The beginning of the ids of submissions, so that they differ from those of other runs.
    pub(crate) name: &'a str,
}

/// A server that answers HTTP.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// `http://host:port`
    pub(crate) address: String,
    /// The API key of writes; `None` if the server checks no keys.
    pub(crate) key: Option<String>,
}

/// The fields of oha's report that this program uses.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    summary: Summary,
    latency_percentiles: BTreeMap<String, Option<f64>>,
    status_code_distribution: BTreeMap<String, u64>,
    error_distribution: BTreeMap<String, u64>,
}

#[derive(Debug, Deserialize)]
struct Summary {
    /// The length of the run, in seconds.
    total: f64,
}

/// Sends requests of a case to a server, and returns what oha measured.
pub(crate) fn run(target: &Target, data: Data, case: Case, run: &Run<'_>) -> Result<Load> {
    let mut oha = Command::new("oha");
    oha.args(["--no-tui", "--output-format", "json", "-w", "-t", TIMEOUT]);
    oha.args(["-c", &case.connections.to_string()]);
    if let Some(rate) = run.rate {
        // oha takes whole numbers, from 1.
        oha.args(["-q", &format!("{:.0}", rate.max(1.0)), "--latency-correction"]);
    }
    let seconds = match run.duration {
        Duration::Seconds(seconds) => {
            oha.args(["-z", &format!("{:.0}ms", seconds * MS_PER_S)]);
            seconds
        }
        Duration::Requests(requests) => {
            oha.args(["-n", &requests.to_string()]);
            1.0
        }
    };
    // The temporary file must exist until oha has read it.
    let bodies = tempfile::NamedTempFile::new()?;
    if case.operation.is_write() {
        case.operation
            .write_bodies(data, run.name, seconds, bodies.path())?;
        oha.args(["-m", "POST", "-T", "application/json", "-Z"])
            .arg(bodies.path());
        if let Some(key) = &target.key {
            oha.args(["-H", &format!("X-API-Key: {key}")]);
        }
    }
    oha.arg("--rand-regex-url")
        .arg(url_pattern(&target.address, case.operation, data));
    let output = oha.stdin(Stdio::null()).output().context("oha does not start")?;
    if !output.status.success() {
        bail!("oha: {}", String::from_utf8_lossy(&output.stderr));
    }
    let report = serde_json::from_slice(&output.stdout).context("the report of oha")?;
    Ok(read_report(&report))
}

/// Returns the URLs of an operation as a regular expression.
fn url_pattern(address: &str, operation: Operation, data: Data) -> String {
    format!("{}{}", address.replace('.', "[.]"), operation.path_pattern(data))
}

/// Converts oha's report. A response whose status is not 2xx is an error.
fn read_report(report: &Report) -> Load {
    let (mut requests, mut errors) = (0, report.error_distribution.values().sum());
    for (status, count) in &report.status_code_distribution {
        if status.starts_with('2') {
            requests += count;
        } else {
            errors += count;
        }
    }
    let percentile = |name: &str| report.latency_percentiles.get(name).copied().flatten();
    let ms = |name| percentile(name).map(|seconds| seconds * MS_PER_S);
    #[expect(clippy::cast_precision_loss, reason = "the requests of one run")]
    let requests_per_s = requests as f64 / report.summary.total;
    Load {
        requests,
        errors,
        requests_per_s,
        p50_ms: ms("p50").unwrap_or_default(),
        p99_ms: ms("p99").unwrap_or_default(),
        p999_ms: ms("p99.9"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refused_and_lost_requests_count_as_errors() {
        let report = r#"{"summary": {"total": 2.0}, "latencyPercentiles": {"p50": 0.001, "p99": 0.01, "p99.9": null},
            "statusCodeDistribution": {"200": 90, "207": 10, "429": 3, "503": 1}, "errorDistribution": {"timeout": 2}}"#;
        let load = read_report(&serde_json::from_str(report).unwrap());
        assert_eq!((load.requests, load.errors, load.requests_per_s), (100, 6, 50.0));
        assert_eq!((load.p50_ms, load.p99_ms, load.p999_ms), (1.0, 10.0, None));
    }
}
