//! The sending: a reader, partitions that deliver side by side, and one place that notes what they report.

use std::pin::pin;
use std::sync::Arc;

use tokio::sync::{Semaphore, mpsc};
use tokio::task::{JoinError, JoinSet};

use crate::client::ApiClient;
use crate::error::CliError;
use crate::import::batch::ImportBatch;
use crate::import::checkpoint::Checkpoint;
use crate::import::deliver::{BatchDelivery, RefusedRow, send_batch};
use crate::import::progress::ImportProgress;
use crate::import::source::{CsvSource, MAX_KEPT};
use crate::stop::StopSignal;

/// Batches that wait in front of each partition.
const WAITING_BATCHES: usize = 2;
/// Reports that wait to be noted.
const WAITING_REPORTS: usize = 64;

/// How to send.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SendOptions {
    /// Rows in a request.
    pub(crate) batch_rows: usize,
    /// Requests under way at the same time.
    pub(crate) concurrency: usize,
    /// Whether the first refused row ends the import.
    pub(crate) stop_on_error: bool,
}

/// What this run sent.
#[derive(Debug, Default)]
pub(crate) struct SendSummary {
    /// Rows that the server took.
    pub(crate) accepted: u64,
    /// Of these, rows that it had taken before.
    pub(crate) replayed: u64,
    /// Rows that it refused.
    pub(crate) refused: u64,
    /// The first of them.
    pub(crate) kept: Vec<RefusedRow>,
    /// Why it ended early.
    pub(crate) failure: Option<CliError>,
}

/// Everything that the sending needs.
pub(crate) struct ImportSender<'a> {
    /// The server.
    pub(crate) client: ApiClient,
    /// Where the acknowledged batches are noted.
    pub(crate) checkpoint: &'a mut Checkpoint,
    /// Where people see how far it is.
    pub(crate) progress: &'a ImportProgress,
    /// Shared with the client.
    pub(crate) stop: StopSignal,
    /// How to send.
    pub(crate) options: SendOptions,
}

impl ImportSender<'_> {
    /// Sends everything that is not done yet.
    pub(crate) async fn run(mut self, source: CsvSource) -> SendSummary {
        let partitions = self.checkpoint.header().partitions.max(1);
        let (reports, reported) = mpsc::channel(WAITING_REPORTS);
        let permits = Arc::new(Semaphore::new(self.options.concurrency));
        let mut tasks = JoinSet::new();
        let mut inputs = Vec::with_capacity(partitions);
        for _partition in 0..partitions {
            let (input, batches) = mpsc::channel(WAITING_BATCHES);
            inputs.push(input);
            let partition = PartitionSender {
                client: self.client.clone(),
                permits: Arc::clone(&permits),
                stop: self.stop.clone(),
                stop_on_error: self.options.stop_on_error,
            };
            tasks.spawn(partition.run(batches, reports.clone()));
        }
        drop(reports);
        let done = self.checkpoint.done().clone();
        let batch_rows = self.options.batch_rows;
        let reading = tokio::task::spawn_blocking(move || {
            // A partition that has ended takes no more; then there is no use in reading on.
            let to_partition = |batch: ImportBatch| {
                inputs
                    .get(batch.partition)
                    .is_some_and(|input| input.blocking_send(batch).is_ok())
            };
            source.read_batches(&done, partitions, batch_rows, to_partition)
        });
        let mut sent = self.record_deliveries(reported).await;
        let read = reading.await.map_err(task_error).and_then(|read| read);
        sent.failure = sent.failure.or(read.err());
        while let Some(ended) = tasks.join_next().await {
            sent.failure = sent.failure.or(ended.map_err(task_error).err());
        }
        sent
    }

    /// Notes every report until all partitions have ended. Ctrl-C lets what is under way finish.
    async fn record_deliveries(&mut self, mut reported: mpsc::Receiver<BatchDelivery>) -> SendSummary {
        let mut sent = SendSummary::default();
        let mut interrupt = pin!(tokio::signal::ctrl_c());
        loop {
            let delivery = tokio::select! {
                delivery = reported.recv() => delivery,
                _heard = &mut interrupt => {
                    interrupt.set(tokio::signal::ctrl_c());
                    self.handle_interrupt(&mut sent);
                    continue;
                }
            };
            let Some(delivery) = delivery else { return sent };
            if let Err(failure) = self.record_delivery(delivery, &mut sent) {
                self.stop.request();
                sent.failure = sent.failure.or(Some(failure));
            }
        }
    }

    fn record_delivery(&mut self, delivery: BatchDelivery, sent: &mut SendSummary) -> Result<(), CliError> {
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
                refusal.problem.to_line()
            ));
            if sent.kept.len() < MAX_KEPT {
                sent.kept.push(refusal);
            }
        }
        match delivery.failure {
            Some(failure) => Err(failure),
            None if refused_any && self.options.stop_on_error => {
                Err(CliError::Incomplete("stopped at the first refused row".into()))
            }
            None => Ok(()),
        }
    }

    fn handle_interrupt(&self, sent: &mut SendSummary) {
        if self.stop.is_requested() {
            // A second Ctrl-C does not wait. What was acknowledged is on disk.
            std::process::exit(i32::from(CliError::Interrupted.exit_code()));
        }
        self.stop.request();
        sent.failure.get_or_insert(CliError::Interrupted);
        self.progress
            .say("finishing the requests under way; Ctrl-C again stops at once");
    }
}

/// Sends the batches of some players, one after the other.
struct PartitionSender {
    client: ApiClient,
    permits: Arc<Semaphore>,
    stop: StopSignal,
    stop_on_error: bool,
}

impl PartitionSender {
    async fn run(self, mut batches: mpsc::Receiver<ImportBatch>, reports: mpsc::Sender<BatchDelivery>) {
        while let Some(batch) = self.next_batch(&mut batches).await {
            let Ok(_permit) = self.permits.acquire().await else {
                return;
            };
            if self.stop.is_requested() {
                return;
            }
            let delivery = send_batch(&self.client, batch).await;
            let last = delivery.failure.is_some() || (self.stop_on_error && !delivery.refused.is_empty());
            if last {
                // Before another partition gets the permit.
                self.stop.request();
            }
            if reports.send(delivery).await.is_err() || last {
                return;
            }
        }
    }

    async fn next_batch(&self, batches: &mut mpsc::Receiver<ImportBatch>) -> Option<ImportBatch> {
        tokio::select! {
            biased;
            () = self.stop.requested() => None,
            batch = batches.recv() => batch,
        }
    }
}

/// A task that did not end by itself.
fn task_error(error: JoinError) -> CliError {
    CliError::Output(std::io::Error::other(error))
}
