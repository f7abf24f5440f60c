//! Reads the CSV file twice: first to check and count all rows, then to build batches.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::document::STANDARD_INPUT;
use crate::error::CliError;
use crate::import::batch::{BatchRow, Batcher, ImportBatch};
use crate::import::checkpoint::ImportedRows;
use crate::import::identity::RowIds;
use crate::import::mapping::{MappedRow, Mapping, RowMapper, RowMapping};
use crate::import::rows::CsvRows;
use crate::import::template::HeaderColumns;

/// How many refused or unmappable rows a report lists; all are counted.
pub(crate) const MAX_KEPT: usize = 1000;

/// A CSV file and its mapping.
#[derive(Clone, Debug)]
pub(crate) struct CsvSource {
    /// The name of the file in messages.
    name: PathBuf,
    file: Arc<InputFile>,
    mapping: Mapping,
}

/// The file to read. Standard input is copied to a temporary file, because the file is read twice.
#[derive(Debug)]
enum InputFile {
    Path(PathBuf),
    Temporary(tempfile::NamedTempFile),
}

impl InputFile {
    fn path(&self) -> &Path {
        match self {
            Self::Path(path) => path,
            Self::Temporary(file) => file.path(),
        }
    }
}

/// The result of reading the file the first time.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    /// The SHA-256 of the file.
    pub(crate) content: String,
    /// The number of data rows.
    pub(crate) rows: u64,
    /// The number of rows that can be sent.
    pub(crate) sendable: u64,
    /// For each rule, the number of rows that it leaves out.
    pub(crate) skipped: Vec<u64>,
    /// How many rows cannot be mapped.
    pub(crate) unmappable: u64,
    /// The first unmappable rows.
    pub(crate) first_unmappable: Vec<UnmappableRow>,
    /// The first submission, as an example.
    pub(crate) example: Option<String>,
}

/// A row that cannot be mapped.
#[derive(Debug, serde::Serialize)]
pub(crate) struct UnmappableRow {
    /// The line of the row in the file, from 1.
    pub(crate) line: u64,
    /// Why the row cannot be mapped.
    pub(crate) reason: String,
}

/// The number and the line of a row.
struct RowPosition {
    row: u64,
    line: u64,
}

impl CsvSource {
    /// Creates a source from a file, or from standard input for `-`.
    pub(crate) fn new(path: &Path, mapping: Mapping) -> Result<Self, CliError> {
        let is_input = path == Path::new(STANDARD_INPUT);
        let name = if is_input {
            PathBuf::from("standard input")
        } else {
            path.to_owned()
        };
        let file = if is_input {
            InputFile::Temporary(
                copy_to_file(io::stdin().lock()).map_err(|error| CliError::file(&name, error))?,
            )
        } else {
            InputFile::Path(path.to_owned())
        };
        Ok(Self {
            name,
            file: Arc::new(file),
            mapping,
        })
    }

    /// Reads and maps the whole file, and counts its rows.
    pub(crate) fn survey(&self) -> Result<Survey, CliError> {
        let mut hashing = HashingReader {
            file: self.open()?,
            hasher: Sha256::new(),
        };
        let mut survey = Survey {
            skipped: vec![0; self.mapping.skip.len()],
            ..Survey::default()
        };
        self.map_rows(&mut hashing, |position, mapper, mapped| {
            survey.rows += 1;
            match mapped {
                Ok(RowMapping::Skipped(rule)) => {
                    if let Some(count) = survey.skipped.get_mut(rule) {
                        *count += 1;
                    }
                }
                Ok(RowMapping::Row(row)) => {
                    survey.sendable += 1;
                    if survey.example.is_none() {
                        survey.example = mapper.submission(&row, &mut RowIds::default()).ok();
                    }
                }
                Err(reason) => {
                    survey.unmappable += 1;
                    if survey.first_unmappable.len() < MAX_KEPT {
                        survey.first_unmappable.push(UnmappableRow {
                            line: position.line,
                            reason,
                        });
                    }
                }
            }
            true
        })?;
        survey.content = format!("{:x}", hashing.hasher.finalize());
        Ok(survey)
    }

    /// Reads the file again. Passes batches of the rows that have not been imported to `deliver`, until `deliver` returns
    /// `false`.
    pub(crate) fn read_batches(
        &self,
        done: &ImportedRows,
        partitions: usize,
        batch_rows: usize,
        mut deliver: impl FnMut(ImportBatch) -> bool,
    ) -> Result<(), CliError> {
        let mut ids = RowIds::default();
        let mut batcher = Batcher::new(partitions, batch_rows);
        let mut is_accepted = true;
        self.map_rows(self.open()?, |position, mapper, mapped| {
            let Ok(RowMapping::Row(mapped)) = mapped else {
                return true;
            };
            // Imported rows get their id as well, because later rows may have the same content.
            let Some(json) = submission(mapper, &mapped, &mut ids) else {
                return true;
            };
            let partition = batcher.partition(&mapped.player);
            if !done.contains(partition, position.row) {
                let is_resent = done.is_through(partition, position.row);
                let row = BatchRow {
                    row: position.row,
                    line: position.line,
                    is_resent,
                    json,
                };
                is_accepted = batcher.push(partition, row).is_none_or(&mut deliver);
            }
            is_accepted
        })?;
        if is_accepted {
            let _all_taken = batcher.finish().all(deliver);
        }
        Ok(())
    }

    fn open(&self) -> Result<File, CliError> {
        File::open(self.file.path()).map_err(|error| self.failure(error))
    }

    fn failure(&self, cause: impl std::fmt::Display) -> CliError {
        CliError::file(&self.name, cause)
    }

    /// Maps row after row until `visit` returns `false`.
    fn map_rows(
        &self,
        input: impl Read,
        mut visit: impl FnMut(&RowPosition, &RowMapper<'_>, Result<RowMapping, String>) -> bool,
    ) -> Result<(), CliError> {
        let opened = CsvRows::new(input, self.mapping.form).map_err(|error| self.failure(error))?;
        let Some((mut rows, header)) = opened else {
            return Err(self.failure("is empty; the first line must name the columns"));
        };
        let mapper = self.mapping.bind(&HeaderColumns::new(header))?;
        let mut row = 0;
        while let Some((line, cells)) = rows.next().map_err(|error| self.failure(error))? {
            let mapped = cells.and_then(|cells| mapper.map(&cells));
            if !visit(&RowPosition { row, line }, &mapper, mapped) {
                break;
            }
            row += 1;
        }
        Ok(())
    }
}

/// Copies the input to a temporary file.
fn copy_to_file(mut input: impl Read) -> io::Result<tempfile::NamedTempFile> {
    let mut file = tempfile::NamedTempFile::new()?;
    io::copy(&mut input, &mut file)?;
    Ok(file)
}

fn submission(mapper: &RowMapper<'_>, row: &MappedRow, ids: &mut RowIds) -> Option<String> {
    // Writing JSON to memory cannot fail, and the first reading would have reported an error.
    mapper.submission(row, ids).ok()
}

/// A reader that hashes all bytes that are read through it.
struct HashingReader {
    file: File,
    hasher: Sha256,
}

impl Read for HashingReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.file.read(buffer)?;
        self.hasher.update(buffer.get(..length).unwrap_or_default());
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::settings::{MappingSettings, ValueSetting};

    fn create_source(content: &[u8]) -> (tempfile::TempDir, CsvSource) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("rows.csv");
        std::fs::write(&path, content).unwrap();
        let settings = MappingSettings {
            leaderboards: vec!["l".into()],
            player: Some("{name}".into()),
            values: [("score".to_owned(), ValueSetting::Template("{n}".into()))].into(),
            skip: vec!["n=NA".into()],
            ..MappingSettings::default()
        };
        let mapping = Mapping::new(&settings).unwrap();
        (directory, CsvSource::new(&path, mapping).unwrap())
    }

    #[test]
    fn the_survey_counts_all_rows_and_lists_the_unmappable_lines() {
        let content = b"\xef\xbb\xbfname,n\r\na,1\r\n\"b\nb\",NA\nc,x\nd\n\xff,2\ne,5\n";
        let (_directory, source) = create_source(content);
        let survey = source.survey().unwrap();
        assert_eq!((survey.rows, survey.sendable, survey.unmappable), (6, 2, 3));
        assert_eq!(survey.skipped, [1]);
        let lines: Vec<(u64, &str)> = survey
            .first_unmappable
            .iter()
            .map(|kept| (kept.line, kept.reason.as_str()))
            .collect();
        assert_eq!(
            lines,
            [
                (5, "score: `x` is not a whole number of 64 bits"),
                (6, "1 of 2 fields"),
                (7, "not UTF-8")
            ]
        );
        assert_eq!(survey.content, format!("{:x}", Sha256::digest(content)));
    }

    #[test]
    fn the_batches_have_every_row_once_in_order_with_its_line() {
        let (_directory, source) = create_source(b"name,n\na,1\nb,NA\na,2\nc,3\na,1\n");
        let mut rows = Vec::new();
        let done = ImportedRows::default();
        source
            .read_batches(&done, 1, 2, |batch| {
                rows.extend(batch.rows.into_iter().map(|row| (row.row, row.line)));
                true
            })
            .unwrap();
        assert_eq!(rows, [(0, 2), (2, 4), (3, 5), (4, 6)]);
    }

    #[test]
    fn an_unknown_column_and_a_missing_file_have_different_exit_codes() {
        let (_directory, unknown) = create_source(b"player,n\n");
        assert_eq!(unknown.survey().unwrap_err().exit_code(), 2);
        let (directory, missing) = create_source(b"name,n\n");
        drop(directory);
        assert_eq!(missing.survey().unwrap_err().exit_code(), 5);
    }
}
