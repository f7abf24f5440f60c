//! Reads ranks: entries, players, neighbours, periods, distributions, event logs, named projections and final standings. Lists and
//! claims prizes.

mod event_projections;
mod events;
mod past;
mod ranks;
mod standings;
mod summary;
mod uncached;

use leaderboard_api::Permission::{Admin, Identified, Read, Write};
use leaderboard_api::{BodyKind, FunctionName, Problem, Response};
use leaderboard_core::{LeaderboardId, PlayerId};
use leaderboard_pipeline::{Context, Endpoint, Route, RouteTable, Routes};
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
    /// Reads the standings of a period that has ended.
    Standings(LeaderboardId),
    /// Lists the players who have a prize.
    Claims(LeaderboardId),
    /// Reads the prize of a player.
    ReadClaim(LeaderboardId, PlayerId),
    /// Claims the prize of a player.
    Claim(LeaderboardId),
    /// Reads the event log.
    Events(LeaderboardId),
    /// Reads the events of a player.
    PlayerEvents(PlayerId),
    /// Reads the daily activity.
    Activity(LeaderboardId),
    /// Builds the daily activity again.
    RebuildActivity(LeaderboardId),
    /// Reads the personal bests of a player.
    PersonalBests(PlayerId),
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
                Route::get("/leaderboards/:leaderboard/entries", Read, |params| {
                    Ok(RanksRoute::Entries(params.leaderboard()?))
                }),
                Route::get("/leaderboards/:leaderboard/entries/:player", Read, |params| {
                    Ok(RanksRoute::Entry(params.leaderboard()?, params.player()?))
                }),
                Route::get(
                    "/leaderboards/:leaderboard/entries/:player/around",
                    Read,
                    |params| Ok(RanksRoute::Around(params.leaderboard()?, params.player()?)),
                ),
                Route::get("/leaderboards/:leaderboard/summary", Read, |params| {
                    Ok(RanksRoute::Summary(params.leaderboard()?))
                }),
                Route::get("/leaderboards/:leaderboard/periods", Read, |params| {
                    Ok(RanksRoute::Periods(params.leaderboard()?))
                }),
                Route::get("/leaderboards/:leaderboard/distribution", Read, |params| {
                    Ok(RanksRoute::Distribution(params.leaderboard()?))
                }),
                Route::get("/leaderboards/:leaderboard/standings", Read, |params| {
                    Ok(RanksRoute::Standings(params.leaderboard()?))
                }),
                Route::get("/leaderboards/:leaderboard/claims", Identified, |params| {
                    Ok(RanksRoute::Claims(params.leaderboard()?))
                }),
                Route::get(
                    "/leaderboards/:leaderboard/claims/:player",
                    Identified,
                    |params| Ok(RanksRoute::ReadClaim(params.leaderboard()?, params.player()?)),
                ),
                Route::post("/leaderboards/:leaderboard/claims", Write, |params| {
                    Ok(RanksRoute::Claim(params.leaderboard()?))
                })
                .with_body(BodyKind::Json),
                // The events show who is banned.
                Route::get("/leaderboards/:leaderboard/events", Admin, |params| {
                    Ok(RanksRoute::Events(params.leaderboard()?))
                }),
                Route::get("/players/:player/events", Identified, |params| {
                    Ok(RanksRoute::PlayerEvents(params.player()?))
                }),
                Route::get("/leaderboards/:leaderboard/activity", Admin, |params| {
                    Ok(RanksRoute::Activity(params.leaderboard()?))
                }),
                Route::post("/leaderboards/:leaderboard/activity/rebuild", Admin, |params| {
                    Ok(RanksRoute::RebuildActivity(params.leaderboard()?))
                }),
                Route::get("/players/:player/personal-bests", Identified, |params| {
                    Ok(RanksRoute::PersonalBests(params.player()?))
                }),
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
            RanksRoute::Standings(leaderboard) => standings::read(context, leaderboard).await,
            RanksRoute::Claims(leaderboard) => standings::list_claims(context, leaderboard).await,
            RanksRoute::ReadClaim(leaderboard, player) => {
                standings::read_claim(context, leaderboard, player).await
            }
            RanksRoute::Claim(leaderboard) => standings::claim(context, leaderboard).await,
            RanksRoute::Events(leaderboard) => events::list_events(context, leaderboard).await,
            RanksRoute::PlayerEvents(player) => events::list_player_events(context, player).await,
            RanksRoute::Activity(leaderboard) => event_projections::read_activity(context, leaderboard).await,
            RanksRoute::RebuildActivity(leaderboard) => {
                event_projections::rebuild_activity(context, leaderboard).await
            }
            RanksRoute::PersonalBests(player) => {
                event_projections::read_personal_bests(context, player).await
            }
        }
    }
}
