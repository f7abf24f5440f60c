//! `edgeboard leaderboards export` and `import`: a leaderboard with its history as JSON lines.

use std::io::{BufRead, Read as _};
use std::time::{Duration, Instant};

use indicatif::HumanCount;
use reqwest::Method;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::client::{ApiClient, ApiRequest};
use crate::commands::export::ExportFile;
use crate::error::CliError;
use crate::problem::ApiProblem;
use crate::wire::parse_body;

/// How often an export begins again because the leaderboard changed.
const MAX_RESTARTS: u32 = 5;
/// The status when the leaderboard changed during the export.
const GONE: u16 = 410;
/// The most lines of one request: the maximum of the API.
const MAX_LINES: usize = 500;
/// A request with this many bytes takes no further line. The API takes bodies of up to 1 MiB.
const FULL_REQUEST_BYTES: usize = 256 * 1024;
/// The longest line. The API writes none that is longer.
const MAX_LINE_BYTES: usize = 1000 * 1024;
/// The interval between two lines about the progress.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(5);
/// The problem type when no import is under way.
const NOT_FOUND: &str = "/problems/import-not-found";
/// What an import reads.
const INPUT: &str = "standard input";

/// A page of an export.
#[derive(Deserialize)]
struct ExportPage {
    lines: Vec<Box<RawValue>>,
    #[serde(default)]
    next: Option<String>,
}

/// How far an import is.
#[derive(Deserialize)]
struct ImportProgress {
    lines: u64,
    finished: bool,
}

/// Writes a leaderboard with its history to standard output.
///
/// # Errors
/// A request fails, or the leaderboard changed during every attempt; nothing is written then.
pub(super) async fn export(client: &ApiClient, leaderboard: &str) -> Result<(), CliError> {
    for _ in 0..=MAX_RESTARTS {
        // Pages go to a temporary file first, because a restart cannot take back what is already printed.
        let mut file = ExportFile::new(None)?;
        if let Some(lines) = write_pages(client, leaderboard, &mut file).await? {
            file.finish()?;
            eprintln!("edgeboard: {leaderboard}: {} lines exported", HumanCount(lines));
            return Ok(());
        }
        eprintln!("edgeboard: {leaderboard} changed during the export; starting again");
    }
    Err(CliError::Incomplete(format!(
        "{leaderboard} changed during each of {} attempts; nothing was written. Export it while nothing is written to it",
        MAX_RESTARTS + 1
    )))
}

/// Writes all pages. Returns how many lines there are; `None` if the leaderboard changed.
async fn write_pages(
    client: &ApiClient,
    leaderboard: &str,
    file: &mut ExportFile<'_>,
) -> Result<Option<u64>, CliError> {
    let path = ["leaderboards", leaderboard, "export"];
    let (mut cursor, mut lines) = (None, 0);
    let mut progress = Progress::new("exported");
    loop {
        let query: Vec<_> = cursor
            .iter()
            .map(|next: &String| ("cursor", next.clone()))
            .collect();
        let body = match client.get(&path, &query).await {
            Err(CliError::Refused(problem)) if problem.status == GONE => return Ok(None),
            body => body?,
        };
        let page: ExportPage = parse_body(&body)?;
        for line in &page.lines {
            // A line break between JSON tokens has no meaning, and JSON Lines has one value in a line.
            let text = line.get().replace(['\n', '\r'], " ");
            file.write(|out| writeln!(out, "{text}"))?;
        }
        lines += page.lines.len() as u64;
        progress.show(lines);
        cursor = page.next;
        if cursor.is_none() {
            return Ok(Some(lines));
        }
    }
}

/// Imports a leaderboard with its history from standard input. Continues an import of the same file that was stopped.
///
/// # Errors
/// A line cannot be read, a request fails, or the server refuses a line.
pub(super) async fn import(client: &ApiClient, leaderboard: &str) -> Result<(), CliError> {
    let mut input = Lines::new(std::io::stdin().lock());
    let Some(header) = input.next()? else {
        return Err(input.fail("has no lines"));
    };
    // The header alone says which lines have been imported before.
    let mut done = send(client, leaderboard, 1, &[header]).await?;
    while input.number < done.lines {
        if input.next()?.is_none() {
            return Err(input.fail("has fewer lines than have been imported"));
        }
    }
    let mut progress = Progress::new("imported");
    while !done.finished {
        let first = input.number + 1;
        let batch = input.next_batch()?;
        if batch.is_empty() {
            return Err(CliError::Incomplete(format!(
                "{leaderboard}: {INPUT} ends before the last line of an export. The import stays at line {}: import the \
                 whole file to continue, or delete the import (`edgeboard leaderboards delete-import`)",
                input.number
            )));
        }
        done = match send(client, leaderboard, first, &batch).await {
            Err(CliError::Refused(problem)) if problem.kind == NOT_FOUND => {
                // The import was there before. If the leaderboard exists, an earlier attempt finished it.
                client.get(&["leaderboards", leaderboard], &[]).await?;
                break;
            }
            done => done?,
        };
        progress.show(done.lines);
    }
    eprintln!(
        "edgeboard: {leaderboard}: {} lines imported",
        HumanCount(input.number)
    );
    Ok(())
}

/// Sends lines, of which the first one has the number `first`.
async fn send(
    client: &ApiClient,
    leaderboard: &str,
    first: u64,
    lines: &[String],
) -> Result<ImportProgress, CliError> {
    let url = client.build_url(&["leaderboards", leaderboard, "import"], &[])?;
    let request = ApiRequest {
        body: Some(format!(
            "{{\"first_line\":{first},\"lines\":[{}]}}",
            lines.join(",")
        )),
        ..ApiRequest::new(Method::POST, url)
    };
    let body = client.send(&request).await?.into_success_body();
    let body = body.map_err(|failure| match failure {
        CliError::Refused(problem) => CliError::Refused(Box::new(name_lines(*problem, first))),
        failure => failure,
    })?;
    parse_body(&body)
}

/// Replaces the places in the body by the numbers of lines.
fn name_lines(mut problem: ApiProblem, first: u64) -> ApiProblem {
    for error in &mut problem.errors {
        let Some(rest) = error.pointer.strip_prefix("#/lines/") else {
            continue;
        };
        let (index, field) = rest.split_once('/').unwrap_or((rest, ""));
        if let Ok(index) = index.parse::<u64>() {
            error.pointer = format!("line {} {field}", first + index).trim_end().to_owned();
        }
    }
    problem
}

/// The lines of a file.
struct Lines<R> {
    input: R,
    /// The number of the last line that was read.
    number: u64,
    /// A line that the next batch begins with.
    kept: Option<String>,
}

impl<R: BufRead> Lines<R> {
    fn new(input: R) -> Self {
        Self {
            input,
            number: 0,
            kept: None,
        }
    }

    fn fail(&self, cause: &str) -> CliError {
        CliError::file(INPUT.as_ref(), cause)
    }

    /// Returns the next line; `None` after the last one.
    fn next(&mut self) -> Result<Option<String>, CliError> {
        let line = match self.kept.take() {
            Some(line) => Some(line),
            None => self.read()?,
        };
        self.number += u64::from(line.is_some());
        Ok(line)
    }

    fn read(&mut self) -> Result<Option<String>, CliError> {
        let number = self.number + 1;
        let mut bytes = Vec::new();
        let most = MAX_LINE_BYTES as u64 + 1;
        let read = self.input.by_ref().take(most).read_until(b'\n', &mut bytes);
        read.map_err(|error| CliError::file(INPUT.as_ref(), error))?;
        if bytes.is_empty() {
            return Ok(None);
        }
        if bytes.len() > MAX_LINE_BYTES {
            return Err(self.fail(&format!("line {number} is longer than {MAX_LINE_BYTES} bytes")));
        }
        let text =
            String::from_utf8(bytes).map_err(|_error| self.fail(&format!("line {number} is not UTF-8")))?;
        let line = text.trim_end_matches(['\n', '\r']);
        if let Err(error) = serde_json::from_str::<&RawValue>(line) {
            return Err(self.fail(&format!("line {number} is not JSON: {error}")));
        }
        Ok(Some(line.to_owned()))
    }

    /// Returns the lines of the next request; none after the last line.
    fn next_batch(&mut self) -> Result<Vec<String>, CliError> {
        let (mut batch, mut bytes) = (Vec::new(), 0);
        while batch.len() < MAX_LINES && bytes < FULL_REQUEST_BYTES {
            let Some(line) = self.next()? else {
                break;
            };
            if !batch.is_empty() && bytes + line.len() > FULL_REQUEST_BYTES {
                self.kept = Some(line);
                self.number -= 1;
                break;
            }
            bytes += line.len() + 1;
            batch.push(line);
        }
        Ok(batch)
    }
}

/// Says on standard error how far the work is.
struct Progress {
    done: &'static str,
    last: Instant,
}

impl Progress {
    fn new(done: &'static str) -> Self {
        Self {
            done,
            last: Instant::now(),
        }
    }

    fn show(&mut self, lines: u64) {
        if self.last.elapsed() >= PROGRESS_INTERVAL {
            self.last = Instant::now();
            eprintln!("edgeboard: {} lines {}", HumanCount(lines), self.done);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::InvalidField;

    #[test]
    fn a_batch_ends_before_the_line_that_would_make_it_too_large() {
        let large = format!("\"{}\"", "x".repeat(FULL_REQUEST_BYTES - 100));
        let text = format!("1\n{large}\n2\n\"{}\"\n3\n", "y".repeat(200));
        let mut lines = Lines::new(text.as_bytes());
        assert_eq!(lines.next_batch().unwrap(), ["1", &large, "2"]);
        assert_eq!(lines.number, 3);
        assert_eq!(lines.next_batch().unwrap().len(), 2);
        assert_eq!((lines.number, lines.next_batch().unwrap().len()), (5, 0));
    }

    #[test]
    fn a_line_that_is_no_json_or_too_long_is_named() {
        let mut lines = Lines::new(&b"{}\nnonsense\n"[..]);
        lines.next().unwrap();
        let error = lines.next().unwrap_err().to_string();
        assert!(error.starts_with("standard input: line 2 is not JSON"), "{error}");
        let long = "1".repeat(MAX_LINE_BYTES + 1);
        let error = Lines::new(long.as_bytes()).next().unwrap_err().to_string();
        assert!(error.contains("line 1 is longer than"), "{error}");
    }

    #[test]
    fn an_error_names_the_line_and_the_field() {
        let problem = ApiProblem {
            errors: vec![InvalidField {
                pointer: "#/lines/3/event".into(),
                ..InvalidField::default()
            }],
            ..ApiProblem::default()
        };
        assert_eq!(name_lines(problem, 17).errors[0].pointer, "line 20 event");
    }
}
