//! The sending: a reader, lanes that deliver side by side, and one place that notes what they report.

use std::pin::pin;
use std::sync::Arc;

use tokio::sync::{Semaphore, mpsc};
use tokio::task::{JoinError, JoinSet};

use crate::client::Client;
use crate::failure::Failure;
use crate::import::batch::Batch;
use crate::import::checkpoint::Checkpoint;
use crate::import::deliver::{Delivery, Refusal, deliver};
use crate::import::progress::Progress;
use crate::import::source::{MAX_KEPT, Source};
use crate::stop::Stop;

/// Batches that wait in front of each lane.
const WAITING_BATCHES: usize = 2;
/// Reports that wait to be noted.
const WAITING_REPORTS: usize = 64;

/// How to send.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    /// Rows in a request.
    pub(crate) batch_rows: usize,
    /// Requests under way at the same time.
    pub(crate) concurrency: usize,
    /// Whether the first refused row ends the import.
    pub(crate) stop_on_error: bool,
}

/// What this run sent.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    /// Rows that the server took.
    pub(crate) accepted: u64,
    /// Of these, rows that it had taken before.
    pub(crate) replayed: u64,
    /// Rows that it refused.
    pub(crate) refused: u64,
    /// The first of them.
    pub(crate) kept: Vec<Refusal>,
    /// Why it ended early.
    pub(crate) failure: Option<Failure>,
}

/// Everything that the sending needs.
pub(crate) struct Sending<'a> {
    /// The server.
    pub(crate) client: Client,
    /// Where the acknowledged batches are noted.
    pub(crate) checkpoint: &'a mut Checkpoint,
    /// Where people see how far it is.
    pub(crate) progress: &'a Progress,
    /// Shared with the client.
    pub(crate) stop: Stop,
    /// How to send.
    pub(crate) options: Options,
}

impl Sending<'_> {
    /// Sends everything that is not done yet.
    pub(crate) async fn run(mut self, source: Source) -> Sent {
        let lanes = self.checkpoint.header().lanes.max(1);
        let (reports, reported) = mpsc::channel(WAITING_REPORTS);
        let permits = Arc::new(Semaphore::new(self.options.concurrency));
        let mut tasks = JoinSet::new();
        let mut inputs = Vec::with_capacity(lanes);
        for _lane in 0..lanes {
            let (input, batches) = mpsc::channel(WAITING_BATCHES);
            inputs.push(input);
            let lane = Lane {
                client: self.client.clone(),
                permits: Arc::clone(&permits),
                stop: self.stop.clone(),
                stop_on_error: self.options.stop_on_error,
            };
            tasks.spawn(lane.run(batches, reports.clone()));
        }
        drop(reports);
        let done = self.checkpoint.done().clone();
        let batch_rows = self.options.batch_rows;
        let reading = tokio::task::spawn_blocking(move || {
            // A lane that has ended takes no more; then there is no use in reading on.
            let to_lane = |batch: Batch| {
                inputs
                    .get(batch.lane)
                    .is_some_and(|input| input.blocking_send(batch).is_ok())
            };
            source.batches(&done, lanes, batch_rows, to_lane)
        });
        let mut sent = self.note_all(reported).await;
        let read = reading.await.map_err(broken).and_then(|read| read);
        sent.failure = sent.failure.or(read.err());
        while let Some(ended) = tasks.join_next().await {
            sent.failure = sent.failure.or(ended.map_err(broken).err());
        }
        sent
    }

    /// Notes every report until all lanes have ended. Ctrl-C lets what is under way finish.
    async fn note_all(&mut self, mut reported: mpsc::Receiver<Delivery>) -> Sent {
        let mut sent = Sent::default();
        let mut interrupt = pin!(tokio::signal::ctrl_c());
        loop {
            let delivery = tokio::select! {
                delivery = reported.recv() => delivery,
                _heard = &mut interrupt => {
                    interrupt.set(tokio::signal::ctrl_c());
                    self.interrupt(&mut sent);
                    continue;
                }
            };
            let Some(delivery) = delivery else { return sent };
            if let Err(failure) = self.note(delivery, &mut sent) {
                self.stop.request();
                sent.failure = sent.failure.or(Some(failure));
            }
        }
    }

    fn note(&mut self, delivery: Delivery, sent: &mut Sent) -> Result<(), Failure> {
        self.checkpoint.record(&delivery.acknowledged)?;
        sent.accepted += delivery.acknowledged.accepted;
        sent.replayed += delivery.replayed;
        sent.refused += delivery.refused.len() as u64;
        self.progress
            .advance(delivery.acknowledged.accepted + delivery.refused.len() as u64);
        let refused_any = !delivery.refused.is_empty();
        for refusal in delivery.refused {
            self.progress.say(&format!(
                "line {}: refused: {}",
                refusal.line,
                refusal.problem.one_line()
            ));
            if sent.kept.len() < MAX_KEPT {
                sent.kept.push(refusal);
            }
        }
        match delivery.failure {
            Some(failure) => Err(failure),
            None if refused_any && self.options.stop_on_error => {
                Err(Failure::Incomplete("stopped at the first refused row".into()))
            }
            None => Ok(()),
        }
    }

    fn interrupt(&self, sent: &mut Sent) {
        if self.stop.is_requested() {
            // A second Ctrl-C does not wait. What was acknowledged is on disk.
            std::process::exit(i32::from(Failure::Interrupted.exit_code()));
        }
        self.stop.request();
        sent.failure.get_or_insert(Failure::Interrupted);
        self.progress
            .say("finishing the requests under way; Ctrl-C again stops at once");
    }
}

/// Sends the batches of some players, one after the other.
struct Lane {
    client: Client,
    permits: Arc<Semaphore>,
    stop: Stop,
    stop_on_error: bool,
}

impl Lane {
    async fn run(self, mut batches: mpsc::Receiver<Batch>, reports: mpsc::Sender<Delivery>) {
        while let Some(batch) = self.next(&mut batches).await {
            let Ok(_permit) = self.permits.acquire().await else {
                return;
            };
            if self.stop.is_requested() {
                return;
            }
            let delivery = deliver(&self.client, batch).await;
            let last = delivery.failure.is_some() || (self.stop_on_error && !delivery.refused.is_empty());
            if last {
                // Before another lane gets the permit.
                self.stop.request();
            }
            if reports.send(delivery).await.is_err() || last {
                return;
            }
        }
    }

    async fn next(&self, batches: &mut mpsc::Receiver<Batch>) -> Option<Batch> {
        tokio::select! {
            biased;
            () = self.stop.requested() => None,
            batch = batches.recv() => batch,
        }
    }
}

/// A task that did not end by itself.
fn broken(error: JoinError) -> Failure {
    Failure::Output(std::io::Error::other(error))
}
