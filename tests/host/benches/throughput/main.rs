//! How fast the host is: a bare hyper server against the host with the hello guest, and the host with one Redis
//! command and with one key-value read per request, all in one run, over the same connections and client.
//!
//! `cargo bench -p leaderboard-host --bench throughput` prints a table, then one line of JSON. The servers are processes of their own,
//! the client is this one. Needs the guests in `target/functions`; `redis-server` is used when it is installed.

mod client;
mod servers;

use std::io::Write;
use std::time::Duration;

use client::{Load, Report, measure};
use servers::{Bare, HostProcess, Redis};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Connections that send one request after the other.
const CONNECTIONS: usize = 32;
/// Before measuring.
const WARM_UP: Duration = Duration::from_secs(1);
/// How long each target is measured.
const MEASURED: Duration = Duration::from_secs(5);
/// What the host must reach of a bare server.
const MIN_RATIO: f64 = 0.35;
/// What 99 of 100 requests must stay below, in milliseconds.
const MAX_P99_MS: f64 = 5.0;

type Error = Box<dyn std::error::Error>;

fn main() -> Result<(), Error> {
    if std::env::args().any(|argument| argument == servers::BARE_FLAG) {
        return servers::serve_bare();
    }
    let load = Load {
        connections: CONNECTIONS,
        warm_up: WARM_UP,
        measured: MEASURED,
    };
    let mut reports = Vec::new();
    {
        let bare = Bare::start()?;
        reports.push(measure("bare hyper", bare.address, "/", &load)?);
    }
    let redis = Redis::start();
    let host = HostProcess::start(redis.as_ref())?;
    reports.push(measure("hello", host.address, "/hello", &load)?);
    reports.push(measure(
        "one key-value get",
        host.address,
        "/probe/bench/kv",
        &load,
    )?);
    if let Some(redis) = &redis {
        let path = format!("/probe/bench/redis?address={}", redis.address());
        reports.push(measure("one Redis command", host.address, &path, &load)?);
    }
    print(&reports)
}

/// A table for people and one line for programs.
fn print(reports: &[Report]) -> Result<(), Error> {
    let mut out = std::io::stdout().lock();
    let bare = reports.first().map_or(f64::NAN, |report| report.per_second);
    writeln!(
        out,
        "{:<20} {:>12} {:>8} {:>9} {:>9}",
        "target", "requests/s", "ratio", "p50 ms", "p99 ms"
    )?;
    for report in reports {
        let Report {
            name,
            per_second,
            p50_ms,
            p99_ms,
        } = report;
        let ratio = per_second / bare;
        writeln!(
            out,
            "{name:<20} {per_second:>12.0} {ratio:>8.2} {p50_ms:>9.2} {p99_ms:>9.2}"
        )?;
    }
    let targets: Vec<_> = reports
        .iter()
        .map(|report| {
            serde_json::json!({
                "target": report.name,
                "requests_per_second": report.per_second.round(),
                "ratio": (report.per_second / bare * 1000.0).round() / 1000.0,
                "p50_ms": report.p50_ms,
                "p99_ms": report.p99_ms,
            })
        })
        .collect();
    let hello = reports.iter().find(|report| report.name == "hello");
    let reached =
        hello.is_some_and(|hello| hello.per_second / bare >= MIN_RATIO && hello.p99_ms < MAX_P99_MS);
    let line = serde_json::json!({
        "benchmark": "host",
        "connections": CONNECTIONS,
        "targets": targets,
        "min_ratio": MIN_RATIO,
        "max_p99_ms": MAX_P99_MS,
        "reached": reached,
    });
    writeln!(out, "{line}")?;
    Ok(())
}
