//! Arguments of `import`.

use std::path::PathBuf;

use clap::Args;

/// Submissions in one request; the API takes up to 1,000.
const DEFAULT_BATCH: u32 = 500;
/// Requests under way at the same time.
const DEFAULT_CONCURRENCY: u32 = 4;

const ABOUT: &str = "\
Import scores from a CSV file; resumable, and safe to run twice.

Every row of the file becomes one submission to all the leaderboards named. The file is UTF-8 with a \
header line. TEMPLATES are text with columns in braces, such as '{scorer} ({team})'; '{{' and '}}' are \
braces themselves; a column's name without braces is an error. A cell that `export` escaped because a spreadsheet would \
take it for a formula is read as it was. The mapping comes from the flags, from a TOML file (--config), or from both: a flag \
replaces the same setting of the file.

Run twice, nothing changes:
  - Every acknowledged batch is noted in a checkpoint file. An import that was cut off goes on where it \
was; one that is finished says so and sends nothing. By default the checkpoint belongs to the address, \
the mapping and the content of the file, and lies in the state directory ($XDG_STATE_HOME or \
~/.local/state, in edgeboard/imports). Give --checkpoint for another place, for instance when the same \
file goes to two tenants of one address. When all the leaderboards are gone from the server, the \
checkpoint is forgotten and everything is sent.
  - Every submission carries an id, so a batch whose answer was lost can be sent again. The server \
remembers ids for 24 hours. So go on with an import that was cut off within 24 hours: the few batches \
that were under way may have been applied without being noted. And --again changes nothing within 24 \
hours; LATER IT COUNTS EVERYTHING A SECOND TIME on leaderboards that add up.

Rows that the server refuses, and rows that cannot be mapped, are reported with their line; the others go \
on, and the exit code is 1. Refused rows stay open: running the same command again sends only them.

Submissions of one player are sent in the order of the file, whatever the concurrency. With \
--concurrency 1 the whole file is sent in order, which matters only without --time, when the moment of \
arrival breaks ties.";

const EXAMPLES: &str = "\
Examples:
  edgeboard import goalscorers.csv --config goalscorers.toml
  edgeboard import results.csv --leaderboard race --player '{driver}' \\
      --value points={points} --value time_ms={ms} --time '{finished_at}' --id '{race}/{driver}'

A mapping file, here with every setting:
  leaderboards = [\"goals\", \"goals-by-year\"]
  player = \"{scorer} ({team})\"
  time = \"{date}\"
  id = \"{date}/{scorer}/{minute}\"         # optional
  skip = [\"own_goal=TRUE\", \"scorer=NA\"]
  delimiter = \",\"
  trim = true                             # optional
  thousands_separator = \".\"             # optional
  [values]
  score = 1                               # or a template, \"{points}\"
  [metadata]
  opponent = \"{away_team}\"
  [create.goals]                          # made when missing; fields as in PUT /leaderboards/{id}
  operator = \"increment\"
  [create.goals-by-year]
  operator = \"increment\"
  reset = { cron = \"0 0 1 1 *\", time_zone = \"UTC\" }";

/// Import scores from a CSV file; resumable, and safe to run twice
#[derive(Debug, Args)]
#[command(long_about = ABOUT, after_long_help = EXAMPLES)]
pub(crate) struct ImportArgs {
    /// The CSV file; `-` is standard input.
    #[arg(value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) mapping: MappingArgs,
    #[command(flatten)]
    pub(crate) sending: SendingArgs,
}

/// From a row to a submission.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Mapping")]
pub(crate) struct MappingArgs {
    /// A TOML file with the whole mapping, and optionally the leaderboards to create when missing.
    #[arg(long, short, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// A leaderboard that receives every row. Repeatable: all leaderboards get it in one call.
    #[arg(long = "leaderboard", short, value_name = "ID")]
    pub(crate) leaderboards: Vec<String>,
    /// The player.
    #[arg(long, short, value_name = "TEMPLATE")]
    pub(crate) player: Option<String>,
    /// A column's value: a whole number or a template that gives one. Repeatable.
    #[arg(long = "value", value_name = "COLUMN=TEMPLATE")]
    pub(crate) values: Vec<String>,
    /// When it happened: RFC 3339, or a date (midnight UTC). Without it, the moment of arrival.
    #[arg(long, value_name = "TEMPLATE")]
    pub(crate) time: Option<String>,
    /// What makes a row's submission idempotent. By default the SHA-256 of what the row is mapped to,
    /// and a counter for rows that are mapped to the same.
    #[arg(long, value_name = "TEMPLATE")]
    pub(crate) id: Option<String>,
    /// A field of the metadata object, as text. Repeatable.
    #[arg(long = "metadata", value_name = "NAME=TEMPLATE")]
    pub(crate) metadata: Vec<String>,
    /// Leave out rows with this value in this column (exactly; `column=` means empty). Repeatable; each
    /// rule's rows are counted and said.
    #[arg(long = "skip", value_name = "COLUMN=VALUE")]
    pub(crate) skip: Vec<String>,
    /// What separates the fields: one ASCII character, or `tab`. [default: ,]
    #[arg(long, value_name = "CHARACTER")]
    pub(crate) delimiter: Option<String>,
    /// Leave out white space around every cell and every column's name.
    #[arg(long)]
    pub(crate) trim: bool,
    /// What stands between the thousands of numbers, such as `,` or `.` or `space`. Without it, numbers are digits alone.
    #[arg(long, value_name = "CHARACTER")]
    pub(crate) thousands_separator: Option<String>,
}

/// How the submissions are sent.
#[derive(Debug, Args)]
#[command(next_help_heading = "Sending")]
pub(crate) struct SendingArgs {
    /// Submissions in one request.
    #[arg(long, value_name = "N", default_value_t = DEFAULT_BATCH, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) batch: u32,
    /// Requests under way at the same time. An import that goes on keeps the number it began with.
    #[arg(long, value_name = "N", default_value_t = DEFAULT_CONCURRENCY, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub(crate) concurrency: u32,
    /// The file that notes what was acknowledged.
    #[arg(long, value_name = "FILE")]
    pub(crate) checkpoint: Option<PathBuf>,
    /// Start from the first row, whatever the checkpoint says. See above about the 24 hours.
    #[arg(long)]
    pub(crate) again: bool,
    /// Stop at the first row that is refused or cannot be mapped.
    #[arg(long)]
    pub(crate) stop_on_error: bool,
    /// Read and map the whole file, say what would be sent, and send nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
}
