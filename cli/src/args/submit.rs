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
/// The submission is applied to all the leaderboards or to none of them. The submission has an id (a
/// random one unless `--id` is given), so a retry after a lost response does not count twice. The server
/// keeps ids for 24 hours.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct SubmitArgs {
    /// The ids of the leaderboards.
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
    /// The value of a column, for leaderboards with several columns. Repeatable.
    #[arg(long = "value", value_name = "COLUMN=N", value_parser = named_value)]
    pub(crate) values: Vec<(String, Integer)>,
    /// The metadata of the score: a JSON object of at most 1 KiB.
    #[arg(long, value_name = "JSON")]
    pub(crate) metadata: Option<String>,
    /// When the score happened: RFC 3339, or a date (midnight UTC). Default: now.
    #[arg(long, value_name = "TIME")]
    pub(crate) occurred_at: Option<String>,
    /// The id of the submission. A second submission with the same id within 24 hours changes nothing.
    #[arg(long)]
    pub(crate) id: Option<String>,
}

fn named_value(text: &str) -> Result<(String, Integer), String> {
    let (name, value) = text.split_once('=').ok_or("write it like score=10")?;
    Ok((name.to_owned(), value.parse()?))
}
