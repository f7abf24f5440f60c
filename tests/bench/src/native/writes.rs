//! Writes of the native server, by the function library of the service.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use leaderboard_core::ports::{Leaderboards, RankDetail, Scores, SubmissionResult, SubmitOptions};
use leaderboard_core::{
    Leaderboard, LeaderboardId, PlayerId, PreparedSubmission, RefusalReason, Submission, SubmissionId,
    SubmittedValues, TenantId, Timestamp, Versioned,
};
use leaderboard_redis::{Connection, RedisStore};
use leaderboard_test_support::native_redis::{NativeRedis, try_connect};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};

/// The tenant of all writes.
const TENANT: &str = "default";
/// The most times that a write is sent. It is sent again if the configuration of the leaderboard has changed.
const MAX_TRIES: u32 = 2;

/// The body of a write: one submission, or a batch.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Body {
    Batch { scores: Vec<Score> },
    One(Score),
}

/// One submission.
#[derive(Debug, Deserialize)]
pub(crate) struct Score {
    player: String,
    score: i64,
    id: Option<String>,
}

/// The channel on which handlers send writes to the thread that makes them. One thread makes all writes,
/// because the futures of a store cannot move to another thread, while those of axum's handlers do. Most of
/// the time of a write passes in Redis.
#[derive(Debug, Clone)]
pub(super) struct Writer(mpsc::UnboundedSender<Job>);

#[derive(Debug)]
struct Job {
    leaderboard: String,
    body: Body,
    reply: oneshot::Sender<Result<Value>>,
}

impl Writer {
    /// Starts the thread.
    pub(super) fn start(redis_url: &str) -> Result<Self> {
        let (jobs, inbox) = mpsc::unbounded_channel();
        let url = redis_url.to_owned();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        std::thread::spawn(move || {
            let work = tokio::task::LocalSet::new();
            work.block_on(&runtime, run_jobs(url, inbox))
        });
        Ok(Self(jobs))
    }

    /// Applies the submissions of a body, and returns their outcomes as JSON. An error is returned as text.
    pub(super) async fn submit(&self, leaderboard: String, body: Body) -> Result<Value, String> {
        let (reply, result) = oneshot::channel();
        let job = Job {
            leaderboard,
            body,
            reply,
        };
        self.0.send(job).map_err(|error| error.to_string())?;
        let result = result.await.map_err(|error| error.to_string())?;
        result.map_err(|error| format!("{error:#}"))
    }
}

async fn run_jobs(url: String, mut inbox: mpsc::UnboundedReceiver<Job>) -> Result<()> {
    let library = Rc::new(Library::new(try_connect(&url).await?)?);
    while let Some(job) = inbox.recv().await {
        let library = Rc::clone(&library);
        tokio::task::spawn_local(async move {
            let result = library.submit(&job.leaderboard, &job.body).await;
            // This fails if the client has gone, which is not an error.
            let _ = job.reply.send(result);
        });
    }
    Ok(())
}

/// The function library of the service, with a cache of the configurations of leaderboards.
pub(crate) struct Library<C> {
    store: RedisStore<C>,
    tenant: TenantId,
    configurations: RefCell<BTreeMap<String, Rc<Versioned<Leaderboard>>>>,
}

impl Library<NativeRedis> {
    async fn submit(&self, leaderboard: &str, body: &Body) -> Result<Value> {
        let scores = match body {
            Body::Batch { scores } => scores.as_slice(),
            Body::One(score) => std::slice::from_ref(score),
        };
        let results = self.apply(leaderboard, scores).await?;
        let results: Vec<Value> = results.iter().map(write_result).collect();
        Ok(json!({"results": results}))
    }
}

impl<C: Connection> Library<C> {
    pub(crate) fn new(connection: C) -> Result<Self> {
        Ok(Self {
            store: RedisStore::new(connection),
            tenant: TenantId::new(TENANT)?,
            configurations: RefCell::default(),
        })
    }

    /// Applies submissions to a leaderboard. If its configuration has changed, reads the configuration and
    /// tries again.
    async fn apply(&self, leaderboard: &str, scores: &[Score]) -> Result<Vec<SubmissionResult>> {
        let mut tries = 0;
        loop {
            tries += 1;
            let configuration = self.configuration(leaderboard).await?;
            let submissions = prepare(&configuration, scores)?;
            let options = SubmitOptions::new(RankDetail::Full);
            let submitted = self
                .store
                .submit_with_options(&self.tenant, &submissions, &options)
                .await?;
            if tries == MAX_TRIES || !submitted.answers.iter().any(is_stale) {
                return Ok(submitted.answers);
            }
            self.configurations.borrow_mut().remove(leaderboard);
        }
    }

    /// Submits a score of 1 for a player, without an id.
    ///
    /// # Errors
    /// The submission fails or is refused.
    pub(crate) async fn submit_one(&self, leaderboard: &str, player: String) -> Result<()> {
        let score = Score {
            player,
            score: 1,
            id: None,
        };
        let results = self.apply(leaderboard, &[score]).await?;
        let refusal = results.into_iter().find_map(Result::err);
        refusal.map_or(Ok(()), |refusal| Err(anyhow::anyhow!("refused: {refusal:?}")))
    }

    /// Returns the configuration of a leaderboard, from the cache if possible.
    async fn configuration(&self, leaderboard: &str) -> Result<Rc<Versioned<Leaderboard>>> {
        let known = self.configurations.borrow().get(leaderboard).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let read = self
            .store
            .get(&self.tenant, &LeaderboardId::new(leaderboard)?)
            .await?;
        let read = Rc::new(read.with_context(|| format!("no leaderboard {leaderboard}"))?);
        self.configurations
            .borrow_mut()
            .insert(leaderboard.to_owned(), Rc::clone(&read));
        Ok(read)
    }
}

fn is_stale(result: &SubmissionResult) -> bool {
    matches!(result, Err(refusal) if refusal.reason == RefusalReason::StaleConfiguration)
}

fn prepare(configuration: &Rc<Versioned<Leaderboard>>, scores: &[Score]) -> Result<Vec<PreparedSubmission>> {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let now = Timestamp::saturating_from_unix_ms(i64::try_from(since_1970.as_millis())?);
    let prepare_one = |score: &Score| {
        let submission = Submission {
            leaderboards: Vec::new(),
            player: PlayerId::new(score.player.as_str())?,
            values: SubmittedValues::Named(vec![("score".into(), score.score)]),
            operator: None,
            metadata: None,
            occurred_at: None,
            id: score.id.as_deref().map(SubmissionId::new).transpose()?,
            request: None,
            received_at: None,
        };
        let prepared = submission.resolve(std::slice::from_ref(configuration), now);
        prepared.map_err(|refusal| anyhow::anyhow!("{refusal:?}"))
    };
    scores.iter().map(prepare_one).collect()
}

fn write_result(result: &SubmissionResult) -> Value {
    match result {
        Ok(outcomes) => {
            let lines = outcomes.iter().map(|outcome| {
                json!({"player": outcome.player.as_str(), "rank": outcome.rank, "values": outcome.values.as_slice(),
                    "version": outcome.version, "replayed": outcome.replayed})
            });
            lines.collect()
        }
        Err(refusal) => json!({"refused": format!("{:?}", refusal.reason)}),
    }
}
