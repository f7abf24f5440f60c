//! `import`: sends a CSV file to leaderboards in batches. It is resumable, and sends each row once.

mod batch;
mod checkpoint;
mod checkpoint_path;
pub(crate) mod create;
mod deliver;
mod identity;
mod mapping;
mod progress;
mod report;
mod rows;
mod send;
mod settings;
mod skip;
mod source;
mod template;

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

use crate::args::Global;
use crate::args::import::ImportArgs;
use crate::client::{ApiClient, Notify};
use crate::error::CliError;
use crate::output;

use checkpoint::{Checkpoint, CheckpointHeader};
use mapping::Mapping;
use progress::ImportProgress;
use report::{ImportReport, SkippedRows, format_rows};
use send::{ImportSender, SendOptions, SendSummary};
use settings::MappingSettings;
use source::{CsvSource, Survey};

/// The default number of retries: about a minute, so that a restart of the server does not end an import.
const RETRIES: u32 = 8;

/// An import whose mapping and file are checked.
struct Import<'a> {
    global: &'a Global,
    args: &'a ImportArgs,
    settings: MappingSettings,
    mapping: Mapping,
    source: CsvSource,
    survey: Survey,
}

/// Runs the command `import`.
pub(crate) async fn run(global: &Global, args: &ImportArgs) -> Result<(), CliError> {
    let settings = MappingSettings::load(&args.mapping)?;
    let mapping = Mapping::new(&settings)?;
    let source = CsvSource::new(&args.file, mapping.clone())?;
    let survey = source.survey()?;
    let mut import = Import {
        global,
        args,
        settings,
        mapping,
        source,
        survey,
    };
    let progress = Arc::new(ImportProgress::default());
    import.print_unmappable(&progress);
    if import.survey.rows == 0 {
        progress.say("the file has a header and no rows");
    }
    if args.sending.dry_run {
        return import.print_dry_run();
    }
    if args.sending.stop_on_error && import.survey.unmappable > 0 {
        return Err(CliError::Incomplete(format!(
            "{} cannot be mapped; nothing was sent",
            format_rows(import.survey.unmappable)
        )));
    }
    let stop = CancellationToken::new();
    let notify: Notify = {
        let progress = Arc::clone(&progress);
        Arc::new(move |line: &str| progress.say(line))
    };
    let client = ApiClient::new(global.client_options(Some(RETRIES)), notify, stop.clone())?;
    let mut checkpoint = import.open_checkpoint()?;
    import
        .prepare_leaderboards(&client, &mut checkpoint, &progress)
        .await?;
    let before = checkpoint.done().accepted();
    let begin = Instant::now();
    let mut sent = SendSummary::default();
    if import.survey.sendable > before {
        progress.say(&import.describe_plan(before));
        progress.start(import.survey.sendable - before);
        let sending = ImportSender {
            client,
            checkpoint: &mut checkpoint,
            progress: &progress,
            stop,
            options: import.send_options(),
        };
        sent = sending.run(import.source.clone()).await;
        progress.finish();
    }
    let failure = sent.failure.take();
    let report = import.build_report(before, sent, begin.elapsed());
    finish_with_report(global, &report, failure)
}

/// Prints the report, and returns an error if the import is incomplete.
fn finish_with_report(
    global: &Global,
    report: &ImportReport,
    failure: Option<CliError>,
) -> Result<(), CliError> {
    if global.json {
        let json =
            serde_json::to_string(report).map_err(|error| CliError::Output(std::io::Error::other(error)))?;
        output::print_line(json.as_bytes())?;
    } else {
        output::print_line(report.render().as_bytes())?;
    }
    if let Some(failure) = failure {
        eprintln!("edgeboard: the same command continues where this one stopped");
        return Err(failure);
    }
    report
        .incomplete_reason()
        .map_or(Ok(()), |reason| Err(CliError::Incomplete(reason)))
}

impl Import<'_> {
    fn send_options(&self) -> SendOptions {
        let sending = &self.args.sending;
        SendOptions {
            batch_rows: usize::try_from(sending.batch).unwrap_or(1),
            concurrency: usize::try_from(sending.concurrency).unwrap_or(1),
            stop_on_error: sending.stop_on_error,
        }
    }

    fn print_unmappable(&self, progress: &ImportProgress) {
        for unmappable in &self.survey.first_unmappable {
            progress.say(&format!("line {}: {}", unmappable.line, unmappable.reason));
        }
        let unlisted = self
            .survey
            .unmappable
            .saturating_sub(self.survey.first_unmappable.len() as u64);
        if unlisted > 0 {
            progress.say(&format!(
                "… and {} more that cannot be mapped",
                format_rows(unlisted)
            ));
        }
    }

    fn open_checkpoint(&self) -> Result<Checkpoint, CliError> {
        let address = self.global.checkpoint_scope();
        let mapping = self.settings.fingerprint()?;
        let content = self.survey.content.clone();
        let path = match &self.args.sending.checkpoint {
            Some(path) => path.clone(),
            None => checkpoint_path::default_checkpoint(&address, &mapping, &content)?,
        };
        let header = CheckpointHeader::new(address, mapping, content, self.send_options().concurrency);
        Checkpoint::open(&path, header, self.args.sending.again)
    }

    /// Creates missing leaderboards. Before that, restarts the checkpoint if all its leaderboards are gone, because
    /// an emptied server needs every row again.
    async fn prepare_leaderboards(
        &self,
        client: &ApiClient,
        checkpoint: &mut Checkpoint,
        progress: &ImportProgress,
    ) -> Result<(), CliError> {
        if checkpoint.done().accepted() > 0 {
            let missing = create::find_missing(client, &self.mapping.leaderboards).await?;
            if missing.len() == self.mapping.leaderboards.len() {
                progress.say("the leaderboards of an earlier import are gone; starting from the first row");
                checkpoint.restart()?;
            } else if !missing.is_empty() {
                let missing = missing.join(", ");
                return Err(CliError::Usage(format!(
                    "{missing} is missing, but an earlier run imported {} and the other leaderboards are still \
                     there; delete those, or import into {missing} alone (--leaderboard)",
                    format_rows(checkpoint.done().accepted())
                )));
            }
        }
        for id in create::create_missing(client, &self.settings.create).await? {
            progress.say(&format!("leaderboard {id} created"));
        }
        Ok(())
    }

    fn describe_plan(&self, before: u64) -> String {
        let mut line = format!(
            "{} of {} to send",
            format_rows(self.survey.sendable - before),
            format_rows(self.survey.rows)
        );
        if before > 0 {
            // Writing to a string cannot fail.
            let _written = write!(line, "; an earlier run sent {}", format_rows(before));
        }
        line
    }

    /// Prints the result of `--dry-run`.
    fn print_dry_run(mut self) -> Result<(), CliError> {
        let example = self.survey.example.clone().unwrap_or_default();
        let sendable = self.survey.sendable;
        let report = self.build_report(0, SendSummary::default(), Duration::ZERO);
        let report = ImportReport {
            not_sent: sendable,
            ..report
        };
        if !self.global.json {
            output::print_line(format!("the first submission: {example}").as_bytes())?;
        }
        finish_with_report(self.global, &report, None)
    }

    fn build_report(&mut self, imported_before: u64, sent: SendSummary, duration: Duration) -> ImportReport {
        let survey = std::mem::take(&mut self.survey);
        let skipped = self.mapping.skip.iter().zip(survey.skipped);
        let processed = imported_before + sent.accepted + sent.refused;
        ImportReport {
            leaderboards: self.mapping.leaderboards.clone(),
            rows: survey.rows,
            imported: sent.accepted,
            replayed: sent.replayed,
            imported_before,
            skipped: skipped
                .map(|(rule, rows)| SkippedRows {
                    rule: rule.to_string(),
                    rows,
                })
                .collect(),
            refused: sent.refused,
            unmappable: survey.unmappable,
            not_sent: survey.sendable.saturating_sub(processed),
            refusals: sent.first_refused,
            unmappable_rows: survey.first_unmappable,
            duration,
        }
    }
}
