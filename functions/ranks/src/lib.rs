//! Reads ranks: entries, players, neighbours, periods and distributions.

mod ranks;
mod summary;

use leaderboard_api::{FunctionName, Permission, Problem, Response};
use leaderboard_core::{LeaderboardId, PlayerId};
use leaderboard_pipeline::{Context, Endpoint, Route, RouteTable, Routes, Verb};
use leaderboard_responses::ResponseEnvironment;

#[cfg(feature = "schema")]
pub use summary::add_schemas;

/// A route with its parameters parsed.
#[derive(Debug)]
pub enum RanksRoute {
    /// Lists entries.
    Entries(LeaderboardId),
    /// Reads a player's entry.
    Entry(LeaderboardId, PlayerId),
    /// Reads the entries around a player.
    Around(LeaderboardId, PlayerId),
    /// Reads the top, a player and the neighbours.
    Summary(LeaderboardId),
    /// Lists the periods.
    Periods(LeaderboardId),
    /// Reads the distribution of scores.
    Distribution(LeaderboardId),
}

/// The routes of the function `ranks`.
#[derive(Debug)]
pub struct RanksFunction;

impl Routes for RanksFunction {
    type Route = RanksRoute;

    const FUNCTION: FunctionName = FunctionName::Ranks;

    fn table() -> RouteTable<RanksRoute> {
        const {
            &[
                Route::new(
                    Verb::Get,
                    "/leaderboards/:leaderboard/entries",
                    Permission::Read,
                    |params| Ok(RanksRoute::Entries(params.leaderboard()?)),
                ),
                Route::new(
                    Verb::Get,
                    "/leaderboards/:leaderboard/entries/:player",
                    Permission::Read,
                    |params| Ok(RanksRoute::Entry(params.leaderboard()?, params.player()?)),
                ),
                Route::new(
                    Verb::Get,
                    "/leaderboards/:leaderboard/entries/:player/around",
                    Permission::Read,
                    |params| Ok(RanksRoute::Around(params.leaderboard()?, params.player()?)),
                ),
                Route::new(
                    Verb::Get,
                    "/leaderboards/:leaderboard/summary",
                    Permission::Read,
                    |params| Ok(RanksRoute::Summary(params.leaderboard()?)),
                ),
                Route::new(
                    Verb::Get,
                    "/leaderboards/:leaderboard/periods",
                    Permission::Read,
                    |params| Ok(RanksRoute::Periods(params.leaderboard()?)),
                ),
                Route::new(
                    Verb::Get,
                    "/leaderboards/:leaderboard/distribution",
                    Permission::Read,
                    |params| Ok(RanksRoute::Distribution(params.leaderboard()?)),
                ),
            ]
        }
    }
}

impl<E: ResponseEnvironment> Endpoint<E> for RanksFunction {
    async fn handle_route(context: &Context<'_, E>, route: RanksRoute) -> Result<Response, Problem> {
        match route {
            RanksRoute::Entries(leaderboard) => ranks::list_entries(context, leaderboard).await,
            RanksRoute::Entry(leaderboard, player) => ranks::read_entry(context, leaderboard, player).await,
            RanksRoute::Around(leaderboard, player) => ranks::list_around(context, leaderboard, player).await,
            RanksRoute::Summary(leaderboard) => summary::read_summary(context, leaderboard).await,
            RanksRoute::Periods(leaderboard) => ranks::list_periods(context, leaderboard).await,
            RanksRoute::Distribution(leaderboard) => ranks::read_distribution(context, leaderboard).await,
        }
    }
}
