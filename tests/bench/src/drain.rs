//! Measures how fast the queue is applied to one leaderboard.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use futures::{StreamExt, TryStreamExt};
use http::Method;
use leaderboard_redis::Connection;
use leaderboard_test_support::{RedisServer, native_redis};
use serde::Serialize;

use crate::data::{self, Data};
use crate::edgeboard::Edgeboard;
use crate::fill;
use crate::process;
use crate::progress::Progress;
use crate::redis_info::read_info;

/// The leaderboard has 10^`DIGITS` entries.
const DIGITS: u32 = 5;
/// The number of scores that are queued in a round.
const SCORES: u64 = 20_000;
/// The number of requests or commands in flight at a time.
const IN_FLIGHT: usize = 8;
/// The stream of the queue in Redis.
const STREAM: &[u8] = b"eb::queue";
const TICK_PATH: &str = "/internal/tick";
/// The pause before the state of a request is read again.
const PAUSE: Duration = Duration::from_millis(20);

/// How scores come into the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    /// A backend appends messages to the stream in Redis. They are applied afterwards, by ticks.
    Appended,
    /// Requests with `Prefer: respond-async`. They are applied while further requests arrive.
    Requests,
}

/// How fast the queue was applied, in one way.
#[derive(Debug, Serialize)]
pub(crate) struct Drain {
    pub(crate) system: &'static str,
    pub(crate) source: &'static str,
    /// The number of scores in a message or request.
    pub(crate) scores_each: u64,
    pub(crate) rounds: Vec<DrainRound>,
}

/// One round: all scores were applied in this time.
#[derive(Debug, Serialize)]
pub(crate) struct DrainRound {
    pub(crate) scores_per_s: f64,
    /// The processor time of the host for a score, in microseconds.
    pub(crate) server_us: f64,
    /// The processor time of Redis for a score, in microseconds.
    pub(crate) redis_us: Option<f64>,
}

/// Measures all sources on Redis and on SQLite.
pub(crate) async fn measure(build: &Path, rounds: u32, progress: Progress) -> Result<Vec<Drain>> {
    let mut drains = Vec::new();
    for (system, on_redis) in [("Edgeboard, Redis", true), ("Edgeboard, SQLite", false)] {
        let edgeboard = Edgeboard::start(build, on_redis, false).await?;
        fill::fill(&edgeboard, system, Data::single(DIGITS), progress).await?;
        for (source, name, scores_each) in [
            (Source::Appended, "appended", 1),
            (Source::Appended, "appended", 100),
            (Source::Requests, "respond-async", 100),
        ] {
            if source == Source::Appended && !on_redis {
                continue;
            }
            progress.say(&format!("draining: {system}, {name}, {scores_each} scores each"));
            let mut drain = Drain {
                system,
                source: name,
                scores_each,
                rounds: Vec::new(),
            };
            for round in 0..rounds {
                let queued = Queued {
                    source,
                    scores_each,
                    name: format!("{name}-{scores_each}-{round}"),
                };
                drain.rounds.push(queued.measure(&edgeboard).await?);
            }
            drains.push(drain);
        }
    }
    Ok(drains)
}

/// The scores of one round.
struct Queued {
    source: Source,
    scores_each: u64,
    /// The beginning of the ids of the submissions.
    name: String,
}

impl Queued {
    async fn measure(&self, edgeboard: &Edgeboard) -> Result<DrainRound> {
        if self.source == Source::Appended {
            let redis = edgeboard.redis.as_ref().context("the stream is in Redis")?;
            self.append(redis).await?;
        }
        let before = read_cpu_seconds(edgeboard).await?;
        let started_at = Instant::now();
        match self.source {
            Source::Appended => drain_by_ticks(edgeboard).await?,
            Source::Requests => self.send(edgeboard).await?,
        }
        let seconds = started_at.elapsed().as_secs_f64();
        let after = read_cpu_seconds(edgeboard).await?;
        #[expect(clippy::cast_precision_loss, reason = "the scores of a round")]
        let scores = SCORES as f64;
        let each = |(after, before): (f64, f64)| (after - before) * 1_000_000.0 / scores;
        Ok(DrainRound {
            scores_per_s: scores / seconds,
            server_us: each((after.0, before.0)),
            redis_us: after.1.zip(before.1).map(each),
        })
    }

    /// Returns the scores of a message, as JSON.
    fn write_scores(&self, message: u64, has_leaderboards: bool) -> String {
        let data = Data::single(DIGITS);
        let leaderboards = if has_leaderboards {
            format!(r#""leaderboards":["{}"],"#, data::leaderboard(0))
        } else {
            String::new()
        };
        let scores: Vec<String> = (0..self.scores_each)
            .map(|score| {
                let number = message * self.scores_each + score;
                let (player, name) = (data.player(number), &self.name);
                format!(r#"{{{leaderboards}"player":"{player}","score":1,"id":"{name}-{number}"}}"#)
            })
            .collect();
        format!("[{}]", scores.join(","))
    }

    async fn append(&self, redis: &RedisServer) -> Result<()> {
        let connection = native_redis::try_connect(&redis.url()).await?;
        for message in 0..SCORES / self.scores_each {
            let scores = self.write_scores(message, true);
            let text = format!(r#"{{"tenant":"default","scores":{scores}}}"#);
            let added = connection
                .command("XADD", &[STREAM, b"*", b"message", text.as_bytes()])
                .await;
            added.map_err(|error| anyhow::anyhow!("{error:?}"))?;
        }
        Ok(())
    }

    /// Sends all requests, and waits until each is applied.
    async fn send(&self, edgeboard: &Edgeboard) -> Result<()> {
        let client = edgeboard.admin.preferring("respond-async");
        let path = format!("/api/v1/leaderboards/{}/scores", data::leaderboard(0));
        let (client, path) = (&client, &path);
        let ids: Vec<String> = futures::stream::iter(0..SCORES / self.scores_each)
            .map(|message| async move {
                let body = format!(r#"{{"scores":{}}}"#, self.write_scores(message, false));
                let accepted = client.send(Method::POST, path, "default", body).await?;
                let id = accepted.get("id").and_then(|id| id.as_str());
                anyhow::Ok(id.context("an accepted request has an id")?.to_owned())
            })
            .buffer_unordered(IN_FLIGHT)
            .try_collect()
            .await?;
        for id in ids {
            wait_until_applied(edgeboard, &id).await?;
        }
        Ok(())
    }
}

/// Waits until a request is applied.
async fn wait_until_applied(edgeboard: &Edgeboard, id: &str) -> Result<()> {
    let path = format!("/api/v1/submissions/{id}");
    loop {
        let request = edgeboard
            .admin
            .send(Method::GET, &path, "default", String::new())
            .await?;
        match request.get("state").and_then(|state| state.as_str()) {
            Some("applied") => return Ok(()),
            Some("pending") => tokio::time::sleep(PAUSE).await,
            _ => bail!("a queued request was not applied: {request}"),
        }
    }
}

/// Sends ticks until a tick finds nothing.
async fn drain_by_ticks(edgeboard: &Edgeboard) -> Result<()> {
    loop {
        let report = edgeboard
            .admin
            .send(Method::POST, TICK_PATH, "default", String::new())
            .await?;
        let count = |name: &str| report.get(name).and_then(serde_json::Value::as_u64);
        match (count("finished"), count("retried"), count("dead")) {
            (Some(0), Some(0), Some(0)) => return Ok(()),
            (Some(_), Some(0), Some(0)) => {}
            _ => bail!("a message was not applied: {report}"),
        }
    }
}

/// Returns the processor time of the host and of Redis in seconds.
async fn read_cpu_seconds(edgeboard: &Edgeboard) -> Result<(f64, Option<f64>)> {
    let redis = match &edgeboard.redis {
        Some(redis) => {
            let pid = u32::try_from(read_info(redis, "server", "process_id").await?)?;
            Some(process::cpu_seconds(pid)?)
        }
        None => None,
    };
    Ok((process::cpu_seconds(edgeboard.program.id())?, redis))
}
