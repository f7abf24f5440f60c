//! The command `export`: writes a whole leaderboard, page by page, as one consistent snapshot.

use std::fs::{File, Permissions};
use std::io::{self, BufWriter, Seek, Write};
use std::path::Path;

use crate::args::Global;
use crate::args::read::{ExportArgs, Format};
use crate::client::ApiClient;
use crate::error::CliError;
use crate::wire::{EntryPage, PageEntry, parse_body};
use crate::{formula, output, table};
use indicatif::HumanCount;

/// The number of entries in one page: the maximum of the API.
const PAGE_LIMIT: usize = 1000;

/// The status when the order of the leaderboard changed, so that its old cursors are invalid.
const GONE: u16 = 410;

/// Runs the command `export`.
pub(crate) async fn run(global: &Global, args: &ExportArgs) -> Result<(), CliError> {
    let client = global.create_client()?;
    let format = if global.json { Format::Jsonl } else { args.format };
    let mut restarts = 0;
    loop {
        // Pages go to a temporary file first, because a restart cannot take back what is already printed.
        let mut file = ExportFile::new(args.output.as_deref())?;
        let pages = write_pages(&client, args, format, &mut file).await?;
        if pages.cut_off {
            if restarts == args.restarts {
                return Err(CliError::Incomplete(format!(
                    "{} changed during each of {} attempts; nothing was written (--restarts N tries longer, \
                     --allow-drift accepts it)",
                    args.leaderboard,
                    restarts + 1
                )));
            }
            restarts += 1;
            eprintln!(
                "edgeboard: {} changed during the export; starting again ({restarts} of {})",
                args.leaderboard, args.restarts
            );
            continue;
        }
        if pages.drifted {
            eprintln!(
                "edgeboard: warning: {} changed during the export; it is no exact snapshot",
                args.leaderboard
            );
        }
        file.finish()?;
        if let Some(path) = &args.output {
            eprintln!(
                "edgeboard: {} entries written to {}",
                HumanCount(pages.entries),
                path.display()
            );
        }
        return Ok(());
    }
}

struct ReadPages {
    entries: u64,
    /// Whether a page has another version than the first page.
    drifted: bool,
    /// Whether reading stopped before the last page.
    cut_off: bool,
}

/// Reads page after page and writes each to the file. Stops early if the leaderboard's version changes between two pages and
/// `--allow-drift` is not set, or if the leaderboard's order changes.
async fn write_pages(
    client: &ApiClient,
    args: &ExportArgs,
    format: Format,
    file: &mut ExportFile<'_>,
) -> Result<ReadPages, CliError> {
    let path = ["leaderboards", args.leaderboard.as_str(), "entries"];
    let mut query = args.period.query();
    query.push(("limit", PAGE_LIMIT.to_string()));
    let mut body = client.get(&path, &query).await?;
    let mut writer = EntryWriter::new(format);
    let mut pages = ReadPages {
        entries: 0,
        drifted: false,
        cut_off: false,
    };
    loop {
        let page: EntryPage = parse_body(&body)?;
        pages.drifted |= page.drifted;
        if pages.drifted && !args.allow_drift {
            return Ok(ReadPages {
                cut_off: true,
                ..pages
            });
        }
        writer.write_page(&page, file)?;
        pages.entries += page.entries.len() as u64;
        let Some(cursor) = page.next else {
            return Ok(pages);
        };
        // The first page names the period behind `current`; the next pages stay in that period.
        let query = [
            ("period", page.period.id().to_owned()),
            ("limit", PAGE_LIMIT.to_string()),
            ("cursor", cursor),
        ];
        body = match client.get(&path, &query).await {
            Err(CliError::Refused(problem)) if problem.status == GONE => {
                return Ok(ReadPages {
                    cut_off: true,
                    ..pages
                });
            }
            body => body?,
        };
    }
}

/// Writes entries in the chosen format.
struct EntryWriter {
    format: Format,
    columns: Option<Vec<String>>,
}

impl EntryWriter {
    fn new(format: Format) -> Self {
        Self {
            format,
            columns: None,
        }
    }

    fn write_page(&mut self, page: &EntryPage, file: &mut ExportFile<'_>) -> Result<(), CliError> {
        match self.format {
            Format::Jsonl => page.entries.iter().try_for_each(|entry| {
                // A line break between JSON tokens has no meaning, and JSON Lines has one entry per line.
                let line = entry.get().replace(['\n', '\r'], " ");
                file.write(|out| writeln!(out, "{line}"))
            }),
            Format::Csv => {
                let entries = table::read_entries(page)?;
                let lines = self.format_csv(&entries)?;
                file.write(|out| out.write_all(&lines))
            }
        }
    }

    fn format_csv(&mut self, entries: &[PageEntry]) -> Result<Vec<u8>, CliError> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let failed = |error: csv::Error| CliError::Output(io::Error::other(error));
        let columns = match &mut self.columns {
            Some(columns) => columns,
            first => {
                let columns = table::list_columns(entries);
                let header = ["rank", "player"]
                    .into_iter()
                    .chain(columns.iter().map(String::as_str));
                writer
                    .write_record(header.chain(["metadata", "reached_at"]))
                    .map_err(failed)?;
                first.insert(columns)
            }
        };
        for entry in entries {
            let mut record = vec![
                entry.rank.to_string(),
                formula::escape(&entry.player).into_owned(),
            ];
            record.extend(columns.iter().map(|name| {
                entry
                    .values
                    .get(name)
                    .map(|value| value.to_string())
                    .unwrap_or_default()
            }));
            record.push(
                entry
                    .metadata
                    .as_ref()
                    .map(|json| formula::escape(json.get()).into_owned())
                    .unwrap_or_default(),
            );
            record.push(entry.reached_at.clone().unwrap_or_default());
            writer.write_record(&record).map_err(failed)?;
        }
        writer
            .into_inner()
            .map_err(|error| CliError::Output(io::Error::other(error.to_string())))
    }
}

/// The file that the export is written to until it is complete: a temporary file beside the output, or in the system's temporary
/// directory.
pub(crate) enum ExportFile<'a> {
    File {
        path: &'a Path,
        file: BufWriter<tempfile::NamedTempFile>,
    },
    Stdout(BufWriter<File>),
}

impl<'a> ExportFile<'a> {
    /// Creates the file for an output; `None` is standard output.
    pub(crate) fn new(output: Option<&'a Path>) -> Result<Self, CliError> {
        let Some(path) = output else {
            return tempfile::tempfile()
                .map(|file| Self::Stdout(BufWriter::new(file)))
                .map_err(CliError::Output);
        };
        let directory = path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        let file = temporary_file_builder()
            .tempfile_in(directory)
            .map_err(|error| CliError::file(path, error))?;
        Ok(Self::File {
            path,
            file: BufWriter::new(file),
        })
    }

    /// Writes to the file.
    pub(crate) fn write(
        &mut self,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), CliError> {
        match self {
            Self::File { path, file } => write(file).map_err(|error| CliError::file(path, error)),
            Self::Stdout(file) => write(file).map_err(CliError::Output),
        }
    }

    /// Moves the complete file to the output.
    pub(crate) fn finish(self) -> Result<(), CliError> {
        match self {
            Self::File { path, file } => {
                let file = file.into_inner().map_err(|error| CliError::file(path, error))?;
                file.persist(path)
                    .map(drop)
                    .map_err(|error| CliError::file(path, error))
            }
            Self::Stdout(file) => {
                let mut file = file
                    .into_inner()
                    .map_err(|error| CliError::Output(error.into_error()))?;
                file.rewind().map_err(CliError::Output)?;
                output::accept_closed_pipe(io::copy(&mut file, &mut io::stdout().lock()).map(drop))
            }
        }
    }
}

/// Returns a builder of temporary files with the permissions of an ordinary file, because the temporary file becomes the output.
fn temporary_file_builder() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".edgeboard-export-");
    #[cfg(unix)]
    builder.permissions(<Permissions as std::os::unix::fs::PermissionsExt>::from_mode(
        0o666,
    ));
    builder
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_page() -> EntryPage {
        serde_json::from_str(
            r#"{"leaderboard":"l","period":"all","entries":[
            {"rank":1,"player":"a, \"b\"","values":{"score":"9007199254740993","ms":-1},"metadata":{"x":1.10},"reached_at":"2020-01-01T00:00:00Z"},
            {"rank":2,"player":"三","values":{"score":5,"ms":2}}]}"#,
        )
        .unwrap()
    }

    #[test]
    fn csv_has_one_field_per_column_and_exact_numbers() {
        let entries = table::read_entries(&parse_page()).unwrap();
        let mut writer = EntryWriter::new(Format::Csv);
        let first = String::from_utf8(writer.format_csv(&entries).unwrap()).unwrap();
        let expected = "rank,player,score,ms,metadata,reached_at
1,\"a, \"\"b\"\"\",9007199254740993,-1,\"{\"\"x\"\":1.10}\",2020-01-01T00:00:00Z
2,三,5,2,,
";
        assert_eq!(first, expected);
        let second = String::from_utf8(writer.format_csv(&entries).unwrap()).unwrap();
        assert!(!second.contains("player"), "only the first page has a header");
    }

    #[test]
    fn json_lines_contain_the_entries_as_the_server_wrote_them() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("out.jsonl");
        let mut file = ExportFile::new(Some(&path)).unwrap();
        EntryWriter::new(Format::Jsonl)
            .write_page(&parse_page(), &mut file)
            .unwrap();
        assert!(
            !path.exists(),
            "the output file does not exist before the export is complete"
        );
        file.finish().unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(
            text.lines().nth(1),
            Some(r#"{"rank":2,"player":"三","values":{"score":5,"ms":2}}"#)
        );
    }
}
