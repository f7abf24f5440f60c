//! Sends an import: one task reads the file, one per partition sends its batches, and one records the results.

use std::pin::pin;
use std::sync::Arc;

use tokio::sync::{Semaphore, mpsc};
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::client::ApiClient;
use crate::error::CliError;
use crate::import::batch::ImportBatch;
use crate::import::checkpoint::Checkpoint;
use crate::import::deliver::{BatchDelivery, RefusedRow, send_batch};
use crate::import::progress::ImportProgress;
use crate::import::source::{CsvSource, MAX_KEPT};

/// The most batches that wait for the sender of a partition.
const WAITING_BATCHES: usize = 2;
/// The most results that wait to be recorded.
const WAITING_REPORTS: usize = 64;

/// The options for sending an import.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SendOptions {
    /// The most rows in a request.
    pub(crate) batch_rows: usize,
    /// How many requests run at the same time.
    pub(crate) concurrency: usize,
    /// Whether the first refused row ends the import.
    pub(crate) stop_on_error: bool,
}

/// The result of sending the rows of this run.
#[derive(Debug, Default)]
pub(crate) struct SendSummary {
    /// The number of rows that the server accepted.
    pub(crate) accepted: u64,
    /// How many of the accepted rows the server had accepted before.
    pub(crate) replayed: u64,
    /// The number of rows that the server refused.
    pub(crate) refused: u64,
    /// The first refused rows.
    pub(crate) first_refused: Vec<RefusedRow>,
    /// Why the import ended early; `None` if it did not.
    pub(crate) failure: Option<CliError>,
}

/// The parts that sending an import needs.
pub(crate) struct ImportSender<'a> {
    /// The server.
    pub(crate) client: ApiClient,
    /// Records the acknowledged batches.
    pub(crate) checkpoint: &'a mut Checkpoint,
    /// Shows the progress.
    pub(crate) progress: &'a ImportProgress,
    /// The stop signal that the client shares.
    pub(crate) stop: CancellationToken,
    /// The options for sending.
    pub(crate) options: SendOptions,
}

impl ImportSender<'_> {
    /// Sends every row that the checkpoint does not contain.
    pub(crate) async fn run(mut self, source: CsvSource) -> SendSummary {
        let partitions = self.checkpoint.header().partitions.max(1);
        let (reports, reported) = mpsc::channel(WAITING_REPORTS);
        let permits = Arc::new(Semaphore::new(self.options.concurrency));
        let mut tasks = JoinSet::new();
        let mut senders = Vec::with_capacity(partitions);
        for _partition in 0..partitions {
            let (sender, batches) = mpsc::channel(WAITING_BATCHES);
            senders.push(sender);
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
            // A sender that has ended accepts no batch. Then the file is not read further.
            let to_partition = |batch: ImportBatch| {
                senders
                    .get(batch.partition)
                    .is_some_and(|sender| sender.blocking_send(batch).is_ok())
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

    /// Records every result until all senders have ended. After Ctrl-C, requests in progress still finish.
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
                self.stop.cancel();
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
            if sent.first_refused.len() < MAX_KEPT {
                sent.first_refused.push(refusal);
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
        if self.stop.is_cancelled() {
            // A second Ctrl-C ends the process at once. Acknowledged batches are on disk.
            std::process::exit(i32::from(CliError::Interrupted.exit_code()));
        }
        self.stop.cancel();
        sent.failure.get_or_insert(CliError::Interrupted);
        self.progress
            .say("finishing the requests under way; Ctrl-C again stops at once");
    }
}

/// Sends the batches of one partition, one after the other.
struct PartitionSender {
    client: ApiClient,
    permits: Arc<Semaphore>,
    stop: CancellationToken,
    stop_on_error: bool,
}

impl PartitionSender {
    async fn run(self, mut batches: mpsc::Receiver<ImportBatch>, reports: mpsc::Sender<BatchDelivery>) {
        while let Some(batch) = self.next_batch(&mut batches).await {
            let Ok(_permit) = self.permits.acquire().await else {
                return;
            };
            if self.stop.is_cancelled() {
                return;
            }
            let delivery = send_batch(&self.client, batch).await;
            let last = delivery.failure.is_some() || (self.stop_on_error && !delivery.refused.is_empty());
            if last {
                // The stop signal must come before another sender gets the permit.
                self.stop.cancel();
            }
            if reports.send(delivery).await.is_err() || last {
                return;
            }
        }
    }

    async fn next_batch(&self, batches: &mut mpsc::Receiver<ImportBatch>) -> Option<ImportBatch> {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => None,
            batch = batches.recv() => batch,
        }
    }
}

/// Returns the error for a task that panicked or was cancelled.
fn task_error(error: JoinError) -> CliError {
    CliError::Output(std::io::Error::other(error))
}
