//! Collects rows into batches. Each player belongs to one partition, whose batches are sent one after the other.

use sha2::{Digest, Sha256};

/// The size limit of the rows in a request, in bytes; the API accepts bodies up to 1 MiB.
const MAX_BATCH_BYTES: usize = 1024 * 1024 - 1024;

/// A row to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BatchRow {
    /// The number of the row among the data rows, from 0.
    pub(crate) row: u64,
    /// The line of the row in the file, from 1.
    pub(crate) line: u64,
    /// Whether an earlier run sent the row and the server did not accept it.
    pub(crate) is_resent: bool,
    /// The submission as JSON.
    pub(crate) json: String,
}

/// The rows of one request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ImportBatch {
    /// The index of the partition.
    pub(crate) partition: usize,
    /// The rows, in the order of the file.
    pub(crate) rows: Vec<BatchRow>,
}

impl ImportBatch {
    /// Builds the request body for some of the rows.
    pub(crate) fn body<'a>(rows: impl Iterator<Item = &'a BatchRow>) -> String {
        let mut body = String::from("{\"scores\":[");
        for (position, row) in rows.enumerate() {
            if position > 0 {
                body.push(',');
            }
            body.push_str(&row.json);
        }
        body.push_str("]}");
        body
    }
}

/// Collects rows until a batch is full.
#[derive(Debug)]
pub(crate) struct Batcher {
    partitions: Vec<OpenBatch>,
    batch_rows: usize,
}

#[derive(Debug, Default)]
struct OpenBatch {
    rows: Vec<BatchRow>,
    bytes: usize,
}

impl Batcher {
    /// Creates a batcher of `partitions` partitions, with at most `batch_rows` rows in a batch.
    pub(crate) fn new(partitions: usize, batch_rows: usize) -> Self {
        let partitions = std::iter::repeat_with(OpenBatch::default)
            .take(partitions.max(1))
            .collect();
        Self {
            partitions,
            batch_rows,
        }
    }

    /// Returns the partition of a player, which is always the same for the same number of partitions.
    pub(crate) fn partition(&self, player: &str) -> usize {
        let mut bytes = [0; 4];
        for (byte, hashed) in bytes.iter_mut().zip(Sha256::digest(player)) {
            *byte = hashed;
        }
        usize::try_from(u32::from_be_bytes(bytes)).unwrap_or_default() % self.partitions.len().max(1)
    }

    /// Adds a row to its partition. If the row does not fit into the batch, returns the full batch and begins a new one.
    pub(crate) fn push(&mut self, partition: usize, row: BatchRow) -> Option<ImportBatch> {
        let filling = self.partitions.get_mut(partition)?;
        let bytes = row.json.len() + 1;
        let is_full = filling.rows.len() >= self.batch_rows || filling.bytes + bytes > MAX_BATCH_BYTES;
        let full = (is_full && !filling.rows.is_empty()).then(|| {
            filling.bytes = 0;
            ImportBatch {
                partition,
                rows: std::mem::take(&mut filling.rows),
            }
        });
        filling.bytes += bytes;
        filling.rows.push(row);
        full
    }

    /// Returns the remaining batches.
    pub(crate) fn finish(self) -> impl Iterator<Item = ImportBatch> {
        self.partitions
            .into_iter()
            .enumerate()
            .filter(|(_partition, filling)| !filling.rows.is_empty())
            .map(|(partition, filling)| ImportBatch {
                partition,
                rows: filling.rows,
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn create_row(number: u64, bytes: usize) -> BatchRow {
        BatchRow {
            row: number,
            line: number + 2,
            is_resent: false,
            json: "x".repeat(bytes),
        }
    }

    #[test]
    fn a_batch_is_limited_by_rows_and_by_bytes_and_no_row_is_lost() {
        let mut batcher = Batcher::new(1, 3);
        let mut batches: Vec<ImportBatch> = (0..7)
            .filter_map(|number| batcher.push(0, create_row(number, 10)))
            .collect();
        batches.extend(batcher.finish());
        let sizes: Vec<usize> = batches.iter().map(|batch| batch.rows.len()).collect();
        assert_eq!(sizes, [3, 3, 1]);

        let mut batcher = Batcher::new(1, 1000);
        let mut batches: Vec<ImportBatch> = (0..5)
            .filter_map(|number| batcher.push(0, create_row(number, 400_000)))
            .collect();
        batches.extend(batcher.finish());
        let sizes: Vec<usize> = batches.iter().map(|batch| batch.rows.len()).collect();
        assert_eq!(sizes, [2, 2, 1]);
        assert!(
            batches
                .iter()
                .all(|batch| ImportBatch::body(batch.rows.iter()).len() <= 1024 * 1024)
        );
    }

    #[test]
    fn a_player_has_one_partition_and_all_partitions_are_used() {
        let batcher = Batcher::new(4, 10);
        let partitions: Vec<usize> = (0..200)
            .map(|number| batcher.partition(&format!("player {number}")))
            .collect();
        let again: Vec<usize> = (0..200)
            .map(|number| batcher.partition(&format!("player {number}")))
            .collect();
        assert_eq!(partitions, again);
        assert!((0..4).all(|partition| partitions.contains(&partition)));
        assert!(partitions.iter().all(|partition| *partition < 4));
    }
}
