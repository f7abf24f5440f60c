//! Arguments of `submit`.

use clap::Args;

use crate::number::Integer;

const EXAMPLES: &str = "\
Examples:
  edgeboard submit goals --player 'Ada (England)' --score 1
  edgeboard submit goals goals-by-year --player 'Ada (England)' --score 1 --occurred-at 1916-07-02
  edgeboard submit race --player ada --value points=10 --value time_ms=5321 --metadata '{\"car\":\"red\"}'";

/// Submit one score to one or several leaderboards.
///
/// With several leaderboards, all are changed or none. The submission carries an id (a random one unless
/// `--id` is given), so a retry after a lost answer does not count twice; the server remembers ids for
/// 24 hours.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct SubmitArgs {
    /// The leaderboards.
    #[arg(required = true, value_name = "LEADERBOARD")]
    pub(crate) leaderboards: Vec<String>,
    /// The player.
    #[arg(long, short)]
    pub(crate) player: String,
    /// The score: a whole number of 64 bits.
    #[arg(
        long,
        short,
        value_name = "N",
        allow_negative_numbers = true,
        required_unless_present = "values",
        conflicts_with = "values"
    )]
    pub(crate) score: Option<Integer>,
    /// A column's value, for leaderboards of several columns. Repeatable.
    #[arg(long = "value", value_name = "COLUMN=N", value_parser = named_value)]
    pub(crate) values: Vec<(String, Integer)>,
    /// JSON that goes along with the score (at most 1 KiB).
    #[arg(long, value_name = "JSON")]
    pub(crate) metadata: Option<String>,
    /// When it happened: RFC 3339, or a date (midnight UTC). Now, if absent.
    #[arg(long, value_name = "TIME")]
    pub(crate) occurred_at: Option<String>,
    /// The submission's own id: the same id again changes nothing for 24 hours.
    #[arg(long)]
    pub(crate) id: Option<String>,
}

fn named_value(text: &str) -> Result<(String, Integer), String> {
    let (name, value) = text.split_once('=').ok_or("write it like score=10")?;
    Ok((name.to_owned(), value.parse()?))
}
