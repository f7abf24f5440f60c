//! What the whole path carries: 32 connections that stay open, each sending its next request when it has the
//! answer to the last one, to the components as shipped on the local host, on SQLite and on Redis.
//!
//! Server, load and Redis share the machine, so a figure by itself says little. Every run therefore begins with
//! two measures of the same host: a path that it answers without any component, and a component that asks no
//! store. `ratio` is the share of the former.

mod requests;

use std::error::Error;
use std::time::Duration;

use leaderboard_suite::measure::{millis, print_row, rounded};
use leaderboard_suite::{HostProcess, RedisServer};
use serde_json::json;

use leaderboard_suite::load::{self, Load, Measured};
use requests::Target;

type Outcome<T> = Result<T, Box<dyn Error>>;

const LOAD: Load = Load {
    connections: 32,
    warm_up: Duration::from_secs(1),
    measured: Duration::from_secs(3),
};
/// Runs of each target, of which the median counts.
const RUNS: usize = 3;

fn main() -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        measure("SQLite", None).await?;
        let redis = RedisServer::start();
        measure("Redis", Some(&redis.url())).await
    })
}

async fn measure(store: &str, redis_url: Option<&str>) -> Outcome<()> {
    let host = HostProcess::start(redis_url)?;
    requests::fill(&host).await?;
    let mut bare = None;
    for target in Target::ALL {
        let mut runs = Vec::new();
        for number in 1..=RUNS {
            let requests = target.requests(&host);
            eprintln!("    {store}, {}: run {number} of {RUNS}", target.name());
            runs.push(load::run(host.address(), &requests, &LOAD).await?);
        }
        let median = median_of(runs).ok_or("no run")?;
        let bare = *bare.get_or_insert(median.per_second);
        print(store, target, &median, bare);
    }
    Ok(())
}

/// The run that has as many faster ones as slower ones.
fn median_of(mut runs: Vec<Measured>) -> Option<Measured> {
    runs.sort_by(|a, b| a.per_second.total_cmp(&b.per_second));
    let middle = runs.len() / 2;
    runs.into_iter().nth(middle)
}

fn print(store: &str, target: Target, measured: &Measured, bare: f64) {
    print_row(&json!({
        "measured": format!("{store}: {}", target.name()),
        "requests_per_second": rounded(measured.per_second, 0),
        "ratio": rounded(measured.per_second / bare, 3),
        "p50_ms": millis(measured.times.percentile(50)),
        "p99_ms": millis(measured.times.percentile(99)),
        "errors": measured.errors,
    }));
}
