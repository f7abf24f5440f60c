//! Measures live updates: how long a score takes to the clients of open streams, and the memory of a stream.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use http::Method;
use http_body_util::BodyExt;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::task::LocalSet;

use crate::edgeboard::Edgeboard;
use crate::fill;
use crate::process;
use crate::progress::Progress;

/// The number of open streams.
const STREAMS: usize = 1_000;
/// How many streams are opened at a time.
const OPENED_AT_ONCE: usize = 5;
/// The number of scores in a round, of which each is the best so far.
const SCORES: usize = 2_000;
/// The pause between two scores.
const PAUSE: Duration = Duration::from_millis(10);
/// The time before the first score, and after the last one. The memory of open streams is read after the first one.
const SETTLING: Duration = Duration::from_secs(3);
const LEADERBOARD: &str = "live";
const TENANT: &str = "default";

/// What the streams of one store cost, and how late their events were.
#[derive(Debug, Serialize)]
pub(crate) struct Live {
    pub(crate) system: &'static str,
    pub(crate) streams: usize,
    pub(crate) scores_per_s: f64,
    /// From the submission of a score until a stream shows it, in milliseconds: median, 99th percentile, longest.
    pub(crate) delays_ms: [f64; 3],
    /// The memory of the host for each open stream, in KiB.
    pub(crate) kib_per_stream: f64,
    /// The share of one core that the host used while scores were sent.
    pub(crate) server_cores: f64,
}

/// When scores were sent, and how late the streams showed them. A score's place in the list is its value minus one.
#[derive(Debug, Default)]
struct Scores {
    sent_at: Vec<Instant>,
    delays_ms: Vec<f64>,
}

/// Measures Redis and SQLite.
pub(crate) async fn measure(build: &Path, progress: Progress) -> Result<Vec<Live>> {
    let mut all = Vec::new();
    for (system, on_redis) in [("Edgeboard, Redis", true), ("Edgeboard, SQLite", false)] {
        progress.say(&format!("live: {system}, {STREAMS} streams"));
        let edgeboard = Edgeboard::start(build, on_redis, false).await?;
        let round = LocalSet::new();
        all.push(round.run_until(measure_store(&edgeboard, system)).await?);
    }
    Ok(all)
}

async fn measure_store(edgeboard: &Edgeboard, system: &'static str) -> Result<Live> {
    fill::set_limits(&edgeboard.admin).await?;
    let path = format!("/api/v1/leaderboards/{LEADERBOARD}");
    let put = edgeboard.admin.send(Method::PUT, &path, TENANT, "{}".to_owned());
    put.await?;
    let scores = Rc::new(RefCell::new(Scores::default()));
    // One stream opens what all share, such as compiled code.
    open_stream(edgeboard, &scores, &path).await?;
    let before = process::resident_mib(edgeboard.program.id())?;
    for _ in 0..STREAMS / OPENED_AT_ONCE {
        let opened = (0..OPENED_AT_ONCE).map(|_| open_stream(edgeboard, &scores, &path));
        futures::future::try_join_all(opened).await?;
    }
    tokio::time::sleep(SETTLING).await;
    let after = process::resident_mib(edgeboard.program.id())?;
    let used = process::cpu_seconds(edgeboard.program.id())?;
    let started_at = Instant::now();
    send_scores(edgeboard, &scores, &path).await?;
    let seconds = started_at.elapsed().as_secs_f64();
    let server_s = process::cpu_seconds(edgeboard.program.id())? - used;
    tokio::time::sleep(SETTLING).await;
    let mut delays = std::mem::take(&mut scores.borrow_mut().delays_ms);
    ensure!(
        delays.len() == SCORES * (STREAMS + 1),
        "{} of {} scores were shown",
        delays.len(),
        SCORES * (STREAMS + 1)
    );
    delays.sort_by(f64::total_cmp);
    let percentile = |percent: usize| delays.get((delays.len() * percent / 100).min(delays.len() - 1));
    #[expect(clippy::cast_precision_loss, reason = "the streams and scores of a round")]
    let (streams, sent) = (STREAMS as f64, SCORES as f64);
    Ok(Live {
        system,
        streams: STREAMS,
        scores_per_s: sent / seconds,
        delays_ms: [50, 99, 100].map(|percent| percentile(percent).copied().unwrap_or(f64::NAN)),
        kib_per_stream: (after - before) * 1024.0 / streams,
        server_cores: server_s / seconds,
    })
}

/// Sends scores at a steady rate, each from a player of its own.
async fn send_scores(edgeboard: &Edgeboard, scores: &Rc<RefCell<Scores>>, path: &str) -> Result<()> {
    let mut ticks = tokio::time::interval(PAUSE);
    let mut sent = Vec::new();
    for value in 1..=SCORES {
        ticks.tick().await;
        scores.borrow_mut().sent_at.push(Instant::now());
        let body = json!({"player": format!("p{value}"), "score": value}).to_string();
        let (admin, path) = (edgeboard.admin.clone(), format!("{path}/scores"));
        sent.push(tokio::task::spawn_local(async move {
            admin.send(Method::POST, &path, TENANT, body).await
        }));
    }
    for one in sent {
        one.await??;
    }
    Ok(())
}

/// Opens a stream, and returns after its first event. Its later events are read in the background.
async fn open_stream(edgeboard: &Edgeboard, scores: &Rc<RefCell<Scores>>, path: &str) -> Result<()> {
    let mut body = edgeboard.admin.open(&format!("{path}/live"), TENANT).await?;
    let mut reader = EventReader::default();
    let scores = Rc::clone(scores);
    let mut frames = Box::pin(async move { (body.frame().await, body) }).await;
    let first = frames.0.context("a stream begins with an event")??;
    reader.read(first.into_data().unwrap_or_default().as_ref(), &scores);
    tokio::task::spawn_local(async move {
        while let Some(Ok(frame)) = frames.1.frame().await {
            reader.read(frame.into_data().unwrap_or_default().as_ref(), &scores);
        }
    });
    Ok(())
}

/// Reads the events of a stream.
#[derive(Debug, Default)]
struct EventReader {
    /// The bytes after the last complete line.
    rest: Vec<u8>,
    /// The best score that the stream has shown.
    shown: usize,
}

impl EventReader {
    /// Reads some bytes. Notes the delay of each score that they show, or that a better one replaced.
    fn read(&mut self, bytes: &[u8], scores: &RefCell<Scores>) {
        self.rest.extend_from_slice(bytes);
        while let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.rest.drain(..=end).collect();
            let best = find_best_score(&line).unwrap_or(0);
            let mut scores = scores.borrow_mut();
            let late: Vec<f64> = scores
                .sent_at
                .iter()
                .take(best)
                .skip(self.shown)
                .map(|sent_at| sent_at.elapsed().as_secs_f64() * 1_000.0)
                .collect();
            scores.delays_ms.extend(late);
            self.shown = self.shown.max(best);
        }
    }
}

/// Returns the first score of a line with the data of an event; the first entry or change is the best one.
fn find_best_score(line: &[u8]) -> Option<usize> {
    let data: Value = serde_json::from_slice(line.strip_prefix(b"data: ")?).ok()?;
    let entries = data.get("entries").or_else(|| data.get("places"))?.as_array()?;
    let best = entries.iter().filter_map(|entry| {
        let entry = entry.get("entry").unwrap_or(entry);
        entry.pointer("/values/score")?.as_u64()
    });
    best.max().and_then(|best| usize::try_from(best).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_score_counts_once_however_the_events_are_divided() {
        let scores = RefCell::new(Scores {
            sent_at: vec![Instant::now(); 3],
            delays_ms: Vec::new(),
        });
        let mut reader = EventReader::default();
        let text = concat!(
            "event: snapshot\n",
            "data: {\"entries\":[{\"values\":{\"score\":1}}]}\n\n",
            "data: {\"places\":[{\"at\":1,\"from\":0,\"rank\":2},{\"at\":0,\"entry\":{\"values\":{\"score\":3}}}]}\n\n"
        );
        for byte in text.as_bytes().chunks(7) {
            reader.read(byte, &scores);
        }
        assert_eq!(scores.borrow().delays_ms.len(), 3);
    }
}
