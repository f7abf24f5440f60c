//! How fast the host is: a bare hyper server against the host with the hello guest, and the host with one Redis
//! command and with one key-value read per request, all in one run, over the same connections and client.
//!
//! `cargo bench -p leaderboard-host --bench throughput` prints a table, then its rows as JSON: medians of several rounds.
//! The servers are processes of their own, the client is this one. Needs the guests in `target/functions`; `redis-server` is used when it is installed.

mod client;
mod servers;

use std::io::Write;
use std::time::Duration;

use client::{Load, Report, measure};
use servers::{Bare, HostProcess, Redis};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The guest that does nothing but answer.
const HELLO: &str = "hello";
/// Connections that send one request after the other.
const CONNECTIONS: usize = 32;
/// Rounds; in each every target has its turn, so that whatever else the machine does hits all of them alike.
const ROUNDS: usize = 5;
/// Before each measurement.
const WARM_UP: Duration = Duration::from_millis(500);
/// How long each target is measured in a round.
const MEASURED: Duration = Duration::from_millis(1500);
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
    let bare = Bare::start()?;
    let redis = Redis::start();
    let host = HostProcess::start(redis.as_ref())?;
    let mut targets = vec![
        ("bare hyper", bare.address, "/".to_owned()),
        (HELLO, host.address, "/hello".to_owned()),
        ("one key-value get", host.address, "/probe/bench/kv".to_owned()),
    ];
    if let Some(redis) = &redis {
        let path = format!("/probe/bench/redis?address={}", redis.address());
        targets.push(("one Redis command", host.address, path));
    }
    let mut rounds: Vec<Vec<Report>> = targets.iter().map(|_| Vec::new()).collect();
    for _ in 0..ROUNDS {
        for ((_, address, path), reports) in targets.iter().zip(&mut rounds) {
            reports.push(measure(*address, path, &load)?);
        }
    }
    let bare = rounds.first().map_or(&[][..], Vec::as_slice);
    let named = targets.iter().map(|(name, ..)| *name).zip(&rounds);
    print(
        &named
            .map(|(name, reports)| Row::new(name, reports, bare))
            .collect::<Vec<_>>(),
    )
}

/// The medians of a target's rounds.
struct Row {
    name: &'static str,
    per_second: f64,
    /// Compared with the bare server in the same round.
    ratio: f64,
    p50_ms: f64,
    p99_ms: f64,
}

impl Row {
    fn new(name: &'static str, reports: &[Report], bare: &[Report]) -> Self {
        let pairs = reports.iter().zip(bare);
        Self {
            name,
            per_second: median(reports.iter().map(|report| report.per_second)),
            ratio: median(pairs.map(|(report, bare)| report.per_second / bare.per_second)),
            p50_ms: median(reports.iter().map(|report| report.p50_ms)),
            p99_ms: median(reports.iter().map(|report| report.p99_ms)),
        }
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// A table for people and a line of JSON for each row for programs.
fn print(rows: &[Row]) -> Result<(), Error> {
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{:<20} {:>12} {:>8} {:>9} {:>9}",
        "target", "requests/s", "ratio", "p50 ms", "p99 ms"
    )?;
    for Row {
        name,
        per_second,
        ratio,
        p50_ms,
        p99_ms,
    } in rows
    {
        writeln!(
            out,
            "{name:<20} {per_second:>12.0} {ratio:>8.2} {p50_ms:>9.2} {p99_ms:>9.2}"
        )?;
    }
    for row in rows {
        let mut line = serde_json::json!({
            "measured": row.name,
            "requests_per_second": row.per_second.round(),
            "ratio": (row.ratio * 1000.0).round() / 1000.0,
            "p50_ms": row.p50_ms,
            "p99_ms": row.p99_ms,
        });
        if let (HELLO, Some(fields)) = (row.name, line.as_object_mut()) {
            let reached = row.ratio >= MIN_RATIO && row.p99_ms < MAX_P99_MS;
            let target = format!("ratio ≥ {MIN_RATIO}, p99 < {MAX_P99_MS} ms");
            fields.insert("target".into(), target.into());
            fields.insert("reached".into(), reached.into());
        }
        writeln!(out, "{line}")?;
    }
    Ok(())
}
