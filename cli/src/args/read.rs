//! Arguments of `top`, `rank`, `around` and `export`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// How often `export` starts again if the leaderboard changes during the export.
const DEFAULT_RESTARTS: u32 = 5;

/// Which period to read.
#[derive(Debug, Args)]
pub(crate) struct PeriodArg {
    /// The period: `current`, `previous`, the id of a period, or a date or an instant (RFC 3339) in a
    /// period. [default: current]
    #[arg(long, value_name = "PERIOD")]
    pub(crate) period: Option<String>,
}

impl PeriodArg {
    /// Returns the period as a query parameter, if one is given.
    pub(crate) fn query(&self) -> Vec<(&'static str, String)> {
        self.period
            .iter()
            .map(|period| ("period", period.clone()))
            .collect()
    }
}

/// Show the top of a leaderboard.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  edgeboard top goals --limit 20\n  edgeboard top goals-by-year --period 2014-07-01T00:00:00Z"
)]
pub(crate) struct TopArgs {
    /// The id of the leaderboard.
    pub(crate) leaderboard: String,
    /// How many entries are shown.
    #[arg(long, short, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) limit: u32,
    #[command(flatten)]
    pub(crate) period: PeriodArg,
}

/// Show one player's rank.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  edgeboard rank goals 'Cristiano Ronaldo (Portugal)'")]
pub(crate) struct RankArgs {
    /// The id of the leaderboard.
    pub(crate) leaderboard: String,
    /// The player.
    pub(crate) player: String,
    #[command(flatten)]
    pub(crate) period: PeriodArg,
}

/// Show the entries around a player.
///
/// Near the top or the end of the leaderboard, there are more entries on the other side of the player,
/// so that the number of entries stays the same.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  edgeboard around goals 'Robin van Persie (Netherlands)' --limit 5")]
pub(crate) struct AroundArgs {
    /// The id of the leaderboard.
    pub(crate) leaderboard: String,
    /// The player.
    pub(crate) player: String,
    /// How many entries are shown, including the entry of the player.
    #[arg(long, short, value_name = "N", default_value_t = 11, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) limit: u32,
    #[command(flatten)]
    pub(crate) period: PeriodArg,
}

/// The form of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A header and one line for each entry: rank, player, one field per column, metadata (JSON), reached_at. Text that a
    /// spreadsheet would read as a formula begins with an added apostrophe, which `import` removes.
    Csv,
    /// One entry on each line, exactly as the server sent it.
    Jsonl,
}

/// Write a whole leaderboard as CSV or JSON Lines.
///
/// The export is one consistent snapshot: if the leaderboard changes while its pages are read, the
/// export starts again. Nothing is written before the last page has arrived, and a file is replaced as a
/// whole. 64-bit integers stay exact.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  edgeboard export goals --format csv --output goals.csv\n  edgeboard export goals --format jsonl | head"
)]
pub(crate) struct ExportArgs {
    /// The id of the leaderboard.
    pub(crate) leaderboard: String,
    #[command(flatten)]
    pub(crate) period: PeriodArg,
    /// The format of the export.
    #[arg(long, short, value_enum, default_value_t = Format::Csv)]
    pub(crate) format: Format,
    /// The file to write. Default: standard output.
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// How often the export starts again if the leaderboard changes during the export.
    #[arg(long, value_name = "N", default_value_t = DEFAULT_RESTARTS)]
    pub(crate) restarts: u32,
    /// Accept changes during the export: a player whose entry changes may be missing or appear twice.
    #[arg(long, conflicts_with = "restarts")]
    pub(crate) allow_drift: bool,
}
