//! The checkpoint of an import: a file with one line for each acknowledged batch, so that an import that was killed can continue.
//!
//! Rows are counted from 0 over the data rows of the file. Each row belongs to a partition (by its player), and a partition's
//! batches are sent one after the other. So "partition 2 is done up to row 1500, except rows 7 and 9" describes the progress of
//! the partition completely. If the process was killed while it wrote the last line, reading ignores that line: its batch is sent
//! again, which is safe because the rows have ids.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::CliError;

/// The version of the file's format.
const FORM: u32 = 1;

/// The import that a checkpoint belongs to; the first line of the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CheckpointHeader {
    /// The version of the file's format.
    #[serde(rename = "edgeboard_checkpoint")]
    form: u32,
    /// The server's address.
    address: String,
    /// The fingerprint of the mapping (`MappingSettings::fingerprint`).
    mapping: String,
    /// The SHA-256 of the file's content.
    content: String,
    /// The number of partitions.
    #[serde(rename = "lanes")]
    pub(crate) partitions: usize,
}

impl CheckpointHeader {
    /// Creates a header of the current format.
    pub(crate) fn new(address: String, mapping: String, content: String, partitions: usize) -> Self {
        Self {
            form: FORM,
            address,
            mapping,
            content,
            partitions,
        }
    }

    fn is_same_import(&self, other: &Self) -> bool {
        Self {
            partitions: other.partitions,
            ..self.clone()
        } == *other
    }
}

/// The line of an acknowledged batch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AcknowledgedBatch {
    /// The index of the partition.
    #[serde(rename = "lane")]
    pub(crate) partition: usize,
    /// The last row of the batch. All earlier rows of the partition were in this batch or an earlier one.
    pub(crate) through: u64,
    /// How many rows the server accepted.
    pub(crate) accepted: u64,
    /// Rows that the server refused or that were not sent; a later run sends them again.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(crate) open: BTreeSet<u64>,
    /// Rows that an earlier run left open and that the server has accepted now.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(crate) closed: BTreeSet<u64>,
}

/// The rows that have been imported so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ImportedRows {
    through: Vec<Option<u64>>,
    open: BTreeSet<u64>,
    accepted: u64,
}

impl ImportedRows {
    fn new(partitions: usize) -> Self {
        Self {
            through: vec![None; partitions],
            ..Self::default()
        }
    }

    /// Returns whether the server accepted this row.
    pub(crate) fn contains(&self, partition: usize, row: u64) -> bool {
        self.is_through(partition, row) && !self.open.contains(&row)
    }

    /// Returns whether the row was in a batch that the server acknowledged, even if it refused the row.
    pub(crate) fn is_through(&self, partition: usize, row: u64) -> bool {
        self.through
            .get(partition)
            .copied()
            .flatten()
            .is_some_and(|through| row <= through)
    }

    /// Returns how many rows the server accepted.
    pub(crate) fn accepted(&self) -> u64 {
        self.accepted
    }

    fn add(&mut self, acknowledged: &AcknowledgedBatch) {
        if let Some(through) = self.through.get_mut(acknowledged.partition) {
            *through = Some(through.map_or(acknowledged.through, |before| before.max(acknowledged.through)));
        }
        self.open.retain(|row| !acknowledged.closed.contains(row));
        self.open.extend(&acknowledged.open);
        self.accepted += acknowledged.accepted;
    }
}

/// An open checkpoint file, locked against a second import.
#[derive(Debug)]
pub(crate) struct Checkpoint {
    path: PathBuf,
    file: File,
    header: CheckpointHeader,
    done: ImportedRows,
}

impl Checkpoint {
    /// Opens or creates the file; `again` discards its content. An import that continues keeps its number of partitions, so use
    /// the header that [`Checkpoint::header`] returns.
    pub(crate) fn open(path: &Path, header: CheckpointHeader, again: bool) -> Result<Self, CliError> {
        let failed = |error: std::io::Error| CliError::file(path, error);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(failed)?;
        }
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(CliError::file(path, "another import is using this checkpoint"));
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        let mut checkpoint = Self {
            path: path.to_owned(),
            file,
            done: ImportedRows::new(header.partitions),
            header,
        };
        if again || !checkpoint.load()? {
            checkpoint.restart()?;
        }
        Ok(checkpoint)
    }

    /// Returns the header, which says what import this checkpoint belongs to.
    pub(crate) fn header(&self) -> &CheckpointHeader {
        &self.header
    }

    /// Returns the rows that have been imported so far.
    pub(crate) fn done(&self) -> &ImportedRows {
        &self.done
    }

    /// Discards all recorded batches.
    pub(crate) fn restart(&mut self) -> Result<(), CliError> {
        self.done = ImportedRows::new(self.header.partitions);
        self.file
            .set_len(0)
            .and_then(|()| self.file.rewind())
            .map_err(|error| CliError::file(&self.path, error))?;
        let header = self.header.clone();
        self.append(&header)
    }

    /// Records a batch. After this call, the record remains if the process is killed. If the whole machine fails, the record may
    /// be lost; the batch is then sent again.
    pub(crate) fn record(&mut self, acknowledged: &AcknowledgedBatch) -> Result<(), CliError> {
        self.append(acknowledged)?;
        self.done.add(acknowledged);
        Ok(())
    }

    fn append(&mut self, line: &impl Serialize) -> Result<(), CliError> {
        let failed = |error| CliError::file(&self.path, error);
        let mut bytes = serde_json::to_vec(line).map_err(|error| CliError::file(&self.path, error))?;
        bytes.push(b'\n');
        self.file.write_all(&bytes).map_err(failed)
    }

    /// Reads the file up to the last complete line, and truncates the rest. Returns `false` if the file is empty.
    fn load(&mut self) -> Result<bool, CliError> {
        let failed = |error: std::io::Error| CliError::file(&self.path, error);
        let mut reader = BufReader::new(&self.file);
        let mut line = Vec::new();
        let mut whole = 0;
        let mut found = None;
        while let Some(length) = read_line(&mut reader, &mut line).map_err(failed)? {
            match &mut found {
                None => found = Some(self.check_header(&line)?),
                Some((_header, done)) => match serde_json::from_slice::<AcknowledgedBatch>(&line) {
                    Ok(acknowledged) => done.add(&acknowledged),
                    Err(error) => return Err(CliError::file(&self.path, format!("damaged: {error}"))),
                },
            }
            whole += length;
        }
        self.file
            .set_len(whole)
            .and_then(|()| self.file.seek(SeekFrom::End(0)))
            .map_err(failed)?;
        let Some((header, done)) = found else {
            return Ok(false);
        };
        (self.header, self.done) = (header, done);
        Ok(true)
    }

    fn check_header(&self, line: &[u8]) -> Result<(CheckpointHeader, ImportedRows), CliError> {
        let header: CheckpointHeader = serde_json::from_slice(line)
            .map_err(|_error| CliError::file(&self.path, "this is no checkpoint of an import"))?;
        if !header.is_same_import(&self.header) {
            let reason = "this checkpoint belongs to another address, mapping or file content; give another \
                          --checkpoint, or --again to start over";
            return Err(CliError::file(&self.path, reason));
        }
        let done = ImportedRows::new(header.partitions);
        Ok((header, done))
    }
}

/// Reads the next complete line into `line`, without its end. Returns the length of the line including its end, or `None` if
/// there is no complete line.
fn read_line(reader: &mut impl BufRead, line: &mut Vec<u8>) -> std::io::Result<Option<u64>> {
    line.clear();
    let length = reader.read_until(b'\n', line)?;
    Ok((line.pop() == Some(b'\n')).then_some(length as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn create_header(partitions: usize) -> CheckpointHeader {
        CheckpointHeader::new("http://127.0.0.1:3000".into(), "m".into(), "c".into(), partitions)
    }

    fn create_batch(
        partition: usize,
        through: u64,
        accepted: u64,
        open: &[u64],
        closed: &[u64],
    ) -> AcknowledgedBatch {
        AcknowledgedBatch {
            partition,
            through,
            accepted,
            open: open.iter().copied().collect(),
            closed: closed.iter().copied().collect(),
        }
    }

    fn open_checkpoint(path: &Path, partitions: usize) -> Checkpoint {
        Checkpoint::open(path, create_header(partitions), false).unwrap()
    }

    #[test]
    fn a_reopened_checkpoint_knows_its_recorded_and_open_rows() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("deep/er/checkpoint");
        let mut checkpoint = open_checkpoint(&path, 2);
        checkpoint.record(&create_batch(0, 10, 4, &[3], &[])).unwrap();
        checkpoint.record(&create_batch(1, 5, 3, &[], &[])).unwrap();
        drop(checkpoint);
        let mut checkpoint = open_checkpoint(&path, 2);
        let read_row_state = |done: &ImportedRows, partition, row| {
            (done.contains(partition, row), done.is_through(partition, row))
        };
        assert_eq!(read_row_state(checkpoint.done(), 0, 10), (true, true));
        assert_eq!(read_row_state(checkpoint.done(), 0, 11), (false, false));
        assert_eq!(read_row_state(checkpoint.done(), 0, 3), (false, true));
        assert_eq!(read_row_state(checkpoint.done(), 1, 6), (false, false));
        assert_eq!(checkpoint.done().accepted(), 7);
        checkpoint.record(&create_batch(0, 3, 1, &[], &[3])).unwrap();
        drop(checkpoint);
        let checkpoint = open_checkpoint(&path, 2);
        assert!(checkpoint.done().contains(0, 3) && checkpoint.done().contains(0, 10));
        assert_eq!(checkpoint.done().accepted(), 8);
    }

    #[test]
    fn an_incomplete_last_line_is_removed_and_recording_continues() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("checkpoint");
        let mut checkpoint = open_checkpoint(&path, 1);
        checkpoint.record(&create_batch(0, 10, 11, &[], &[])).unwrap();
        drop(checkpoint);
        let mut torn = std::fs::read(&path).unwrap();
        torn.extend_from_slice(br#"{"lane":0,"through":2"#);
        std::fs::write(&path, &torn).unwrap();
        let mut checkpoint = open_checkpoint(&path, 1);
        assert!(checkpoint.done().contains(0, 10) && !checkpoint.done().is_through(0, 11));
        checkpoint.record(&create_batch(0, 20, 10, &[], &[])).unwrap();
        drop(checkpoint);
        assert_eq!(open_checkpoint(&path, 1).done().accepted(), 21);
    }

    #[test]
    fn a_continued_import_keeps_its_number_of_partitions() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("checkpoint");
        drop(open_checkpoint(&path, 4));
        assert_eq!(open_checkpoint(&path, 1).header().partitions, 4);
        assert_eq!(
            Checkpoint::open(&path, create_header(1), true)
                .unwrap()
                .header()
                .partitions,
            1
        );
    }

    #[test]
    fn a_checkpoint_of_another_import_is_refused_without_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("checkpoint");
        drop(open_checkpoint(&path, 1));
        let other = CheckpointHeader::new("http://127.0.0.1:3000".into(), "m".into(), "changed".into(), 1);
        let error = Checkpoint::open(&path, other.clone(), false).unwrap_err();
        assert!(error.to_string().contains("--again"), "{error}");
        assert!(Checkpoint::open(&path, other, true).is_ok());
        std::fs::write(&path, "date,scorer\n").unwrap();
        let error = Checkpoint::open(&path, create_header(1), false).unwrap_err();
        assert!(error.to_string().contains("no checkpoint"), "{error}");
    }

    #[test]
    fn two_imports_cannot_share_a_checkpoint() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("checkpoint");
        let _first = open_checkpoint(&path, 1);
        let error = Checkpoint::open(&path, create_header(1), false).unwrap_err();
        assert!(error.to_string().contains("another import"), "{error}");
    }
}
