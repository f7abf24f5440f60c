//! Arguments of `import`.

use std::path::PathBuf;

use clap::Args;

/// Submissions in one request; the API takes up to 1,000.
const DEFAULT_BATCH: u32 = 500;
/// Requests under way at the same time.
const DEFAULT_CONCURRENCY: u32 = 4;

const ABOUT: &str = "\
Import scores from a CSV file; an interrupted import can be resumed, and a second run changes nothing.

Every row of the file becomes one submission to all the leaderboards of the command. The file is UTF-8 with a \
header line. A TEMPLATE is a text with column names in braces, such as '{scorer} ({team})'; '{{' and '}}' stand for \
the braces themselves; a column's name without braces is an error. A cell in which `export` escaped a spreadsheet \
formula gets its original text back. The mapping comes from options, from a TOML file (--config), or from both: an \
option replaces the same setting of the file.

A second run of the same import changes nothing:
  - The import records every batch that the server has applied in a checkpoint file. An interrupted import continues \
where it stopped; a finished import says so and sends nothing. By default, the checkpoint depends on the address, \
the mapping and the content of the file, and is in the state directory ($XDG_STATE_HOME or \
~/.local/state, in edgeboard/imports). Use --checkpoint for another place, for example if the same \
file goes to two tenants of one address. If none of the leaderboards exists on the server any more, the \
import ignores the checkpoint and sends everything.
  - Every submission has an id, so a batch whose response was lost can be sent again. The server \
keeps ids for 24 hours. So resume an interrupted import within 24 hours: the last batches \
may have been applied without being recorded. For the same reason, --again changes nothing within 24 \
hours; LATER, --again COUNTS EVERY ROW A SECOND TIME on leaderboards with the operator increment or decrement.

Rows that the server refuses, and rows that cannot be mapped, are reported with their line. The import continues with \
the other rows, and the exit code is 1. The same command sends the refused rows again, and only those.

The submissions of one player are always sent in the order of the file. With \
--concurrency 1, the whole file is sent in order. This only matters without --time, because then the time of \
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
  [create.goals]                          # created if missing; fields as in PUT /leaderboards/{id}
  operator = \"increment\"
  [create.goals-by-year]
  operator = \"increment\"
  reset = { cron = \"0 0 1 1 *\", time_zone = \"UTC\" }";

/// Import scores from a CSV file; an interrupted import can be resumed, and a second run changes nothing
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
    /// A TOML file with the mapping, and optionally with the leaderboards to create if they do not
    /// exist.
    #[arg(long, short, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// A leaderboard that gets every row. Repeatable: one submission goes to all leaderboards.
    #[arg(long = "leaderboard", short, value_name = "ID")]
    pub(crate) leaderboards: Vec<String>,
    /// The player of a row.
    #[arg(long, short, value_name = "TEMPLATE")]
    pub(crate) player: Option<String>,
    /// The value of a column of the leaderboard: a whole number, or a template that results in one.
    /// Repeatable.
    #[arg(long = "value", value_name = "COLUMN=TEMPLATE")]
    pub(crate) values: Vec<String>,
    /// When the score happened: RFC 3339, or a date (midnight UTC). Default: the time when the server
    /// receives the score.
    #[arg(long, value_name = "TEMPLATE")]
    pub(crate) time: Option<String>,
    /// The id of a row's submission, which makes it idempotent. Default: the SHA-256 of the mapped row,
    /// with a counter for rows that are mapped to the same submission.
    #[arg(long, value_name = "TEMPLATE")]
    pub(crate) id: Option<String>,
    /// A text field of the metadata. Repeatable.
    #[arg(long = "metadata", value_name = "NAME=TEMPLATE")]
    pub(crate) metadata: Vec<String>,
    /// Leave out the rows that have exactly this value in this column; `column=` means an empty cell.
    /// Repeatable. The report counts the rows that each rule left out.
    #[arg(long = "skip", value_name = "COLUMN=VALUE")]
    pub(crate) skip: Vec<String>,
    /// The character between the cells of a row: one ASCII character, or `tab`. [default: ,]
    #[arg(long, value_name = "CHARACTER")]
    pub(crate) delimiter: Option<String>,
    /// Remove white space around every cell and every column's name.
    #[arg(long)]
    pub(crate) trim: bool,
    /// The thousands separator of numbers, such as `,`, `.` or `space`. Default: numbers have no
    /// separator.
    #[arg(long, value_name = "CHARACTER")]
    pub(crate) thousands_separator: Option<String>,
}

/// How the submissions are sent.
#[derive(Debug, Args)]
#[command(next_help_heading = "Sending")]
pub(crate) struct SendingArgs {
    /// How many submissions one request has.
    #[arg(long, value_name = "N", default_value_t = DEFAULT_BATCH, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) batch: u32,
    /// How many requests are sent at the same time. A resumed import keeps the number of its first run.
    #[arg(long, value_name = "N", default_value_t = DEFAULT_CONCURRENCY, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub(crate) concurrency: u32,
    /// The file that records which rows the server has applied.
    #[arg(long, value_name = "FILE")]
    pub(crate) checkpoint: Option<PathBuf>,
    /// Ignore the checkpoint and start from the first row. After 24 hours, this counts rows a second
    /// time.
    #[arg(long)]
    pub(crate) again: bool,
    /// Stop at the first row that the server refuses or that cannot be mapped.
    #[arg(long)]
    pub(crate) stop_on_error: bool,
    /// Read and map the whole file and report what would be sent, but send nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
}
