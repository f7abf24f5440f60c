//! The commands `top`, `rank` and `around`.

use crate::args::Global;
use crate::args::read::{AroundArgs, RankArgs, TopArgs};
use crate::error::CliError;
use crate::wire::{EntryPage, parse_body};
use crate::{output, table};

/// Runs the command `top`.
pub(crate) async fn top(global: &Global, args: &TopArgs) -> Result<(), CliError> {
    let mut query = args.period.query();
    query.push(("limit", args.limit.to_string()));
    let body = global
        .create_client()?
        .get(&["leaderboards", &args.leaderboard, "entries"], &query)
        .await?;
    print_page(global, &body, None)
}

/// Runs the command `rank`.
pub(crate) async fn rank(global: &Global, args: &RankArgs) -> Result<(), CliError> {
    let path = ["leaderboards", &args.leaderboard, "entries", &args.player];
    let body = global.create_client()?.get(&path, &args.period.query()).await?;
    print_page(global, &body, None)
}

/// Runs the command `around`.
pub(crate) async fn around(global: &Global, args: &AroundArgs) -> Result<(), CliError> {
    let mut query = args.period.query();
    query.push(("limit", args.limit.to_string()));
    let path = [
        "leaderboards",
        &args.leaderboard,
        "entries",
        &args.player,
        "around",
    ];
    let body = global.create_client()?.get(&path, &query).await?;
    print_page(global, &body, Some(&args.player))
}

fn print_page(global: &Global, body: &[u8], marked: Option<&str>) -> Result<(), CliError> {
    if global.json {
        return output::print_line(body);
    }
    let page: EntryPage = parse_body(body)?;
    let entries = table::read_entries(&page)?;
    output::print_line(table::render_entries(&page, &entries, marked).as_bytes())
}
