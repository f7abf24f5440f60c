//! Measures reads of a leaderboard as it was at an instant, and the replay of its log.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use futures::{StreamExt, TryStreamExt};
use http::Method;
use serde::Serialize;
use serde_json::{Value, json};

use crate::data::{self, Data};
use crate::edgeboard::Edgeboard;
use crate::fill;
use crate::progress::Progress;

/// The leaderboard has 10^`DIGITS` entries.
const DIGITS: u32 = 5;
/// The number of submissions of each player.
const SUBMISSIONS_EACH: u32 = 10;
/// The most events that a log keeps.
const KEEP_EVENTS: u32 = 1_000_000;
/// The number of requests in flight at a time. More of them would not fill the store faster.
const IN_FLIGHT: usize = 4;
/// After how many batches an instant is read.
const BATCHES_OF_AN_INSTANT: usize = 25;
const TENANT: &str = "default";
/// The pause before a read whose snapshot is not ready is sent again, and how often it is.
const PAUSE: Duration = Duration::from_millis(100);
const MAX_TRIES: u32 = 50;
/// How long the writers may take to store their last snapshots.
const SETTLING: Duration = Duration::from_secs(3);

/// The times of the reads of one store, in milliseconds.
#[derive(Debug, Serialize)]
pub(crate) struct History {
    pub(crate) system: &'static str,
    pub(crate) events: u64,
    /// The first read of each instant.
    pub(crate) first_ms: Vec<f64>,
    /// The second read of each instant.
    pub(crate) second_ms: Vec<f64>,
    /// The time of a comparison of all entries with a replay, in seconds.
    pub(crate) comparison_s: f64,
}

/// Measures Redis and SQLite.
pub(crate) async fn measure(build: &Path, progress: Progress) -> Result<Vec<History>> {
    let mut histories = Vec::new();
    for (system, on_redis) in [("Edgeboard, Redis", true), ("Edgeboard, SQLite", false)] {
        let edgeboard = Edgeboard::start(build, on_redis, false).await?;
        let instants = submit(&edgeboard, system, progress).await?;
        tokio::time::sleep(SETTLING).await;
        progress.say(&format!(
            "history: {system}, reads of {} instants",
            instants.len()
        ));
        let mut times = [Vec::new(), Vec::new()];
        for each in &mut times {
            for instant in &instants {
                each.push(time_read(&edgeboard, instant).await?);
            }
        }
        let [first_ms, second_ms] = times;
        progress.say(&format!("history: {system}, a comparison"));
        histories.push(History {
            system,
            events: read_last_position(&edgeboard).await?,
            first_ms,
            second_ms,
            comparison_s: compare(&edgeboard).await?,
        });
    }
    Ok(histories)
}

fn path_of(view: &str) -> String {
    format!("/api/v1/leaderboards/{}{view}", data::leaderboard(0))
}

/// Submits all scores. Returns instants that are spread over the events.
async fn submit(edgeboard: &Edgeboard, system: &str, progress: Progress) -> Result<Vec<String>> {
    let (admin, data) = (&edgeboard.admin, Data::single(DIGITS));
    fill::set_limits(admin).await?;
    let configuration = json!({"operator": "increment", "log": {"keep_events": KEEP_EVENTS}});
    admin
        .send(Method::PUT, &path_of(""), TENANT, configuration.to_string())
        .await?;
    let mut instants = Vec::new();
    for round in 0..SUBMISSIONS_EACH {
        progress.say(&format!(
            "history: {system}, round {} of {SUBMISSIONS_EACH}",
            round + 1
        ));
        let all: Vec<_> = fill::batches(data).collect();
        for some in all.chunks(BATCHES_OF_AN_INSTANT) {
            let pair = (TENANT.to_owned(), data::leaderboard(0));
            futures::stream::iter(some.iter().cloned())
                .map(|numbers| fill::send_batch(admin, data, pair.clone(), numbers))
                .buffer_unordered(IN_FLIGHT)
                .try_for_each(|_| async { Ok(()) })
                .await?;
            // The log has room for one event less: it loses that of the configuration, and a replay needs a snapshot.
            if round > 0 {
                instants.push(read_last_instant(edgeboard).await?);
            }
        }
    }
    Ok(instants)
}

/// Returns a page with the event after a position.
async fn read_event(edgeboard: &Edgeboard, after: u64) -> Result<Value> {
    let path = path_of(&format!("/events?limit=1&after={after}"));
    edgeboard
        .admin
        .send(Method::GET, &path, TENANT, String::new())
        .await
}

/// Returns the position of the newest event.
async fn read_last_position(edgeboard: &Edgeboard) -> Result<u64> {
    let page = read_event(edgeboard, 0).await?;
    let last = page.get("last").and_then(Value::as_u64);
    last.context("a log has a last event")
}

/// Returns the instant of the newest event.
async fn read_last_instant(edgeboard: &Edgeboard) -> Result<String> {
    let last = read_last_position(edgeboard).await?;
    let page = read_event(edgeboard, last.saturating_sub(1)).await?;
    let instant = page.pointer("/events/0/recorded_at").and_then(Value::as_str);
    Ok(instant.context("an event has an instant")?.to_owned())
}

/// Returns how many milliseconds the top ten of an instant takes.
async fn time_read(edgeboard: &Edgeboard, instant: &str) -> Result<f64> {
    let path = path_of(&format!("/entries?limit=10&at={instant}"));
    let started_at = Instant::now();
    for _ in 0..MAX_TRIES {
        let read = edgeboard
            .admin
            .send(Method::GET, &path, TENANT, String::new())
            .await;
        match read {
            Ok(_) => return Ok(started_at.elapsed().as_secs_f64() * 1_000.0),
            Err(error) if error.to_string().contains("history-not-ready") => tokio::time::sleep(PAUSE).await,
            Err(error) => return Err(error),
        }
    }
    bail!("{path} is never ready")
}

/// Compares all entries with a replay. Returns how many seconds that took.
async fn compare(edgeboard: &Edgeboard) -> Result<f64> {
    let started_at = Instant::now();
    let mut path = path_of("/rebuild?period=all");
    loop {
        let report = edgeboard
            .admin
            .send(Method::POST, &path, TENANT, String::new())
            .await?;
        if report.get("differences").and_then(Value::as_u64) != Some(0) {
            bail!("entries differ from the replay: {report}");
        }
        let Some(next) = report.get("next").and_then(Value::as_str) else {
            return Ok(started_at.elapsed().as_secs_f64());
        };
        path = path_of(&format!("/rebuild?period=all&after={next}"));
    }
}
