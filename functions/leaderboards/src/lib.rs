//! Creates, reads, changes, deletes, exports and imports leaderboards.

mod comparison;
mod leaderboards;
mod transfers;

use leaderboard_api::Permission::{Admin, Read};
use leaderboard_api::{BodyKind, FunctionName, PathParams, Problem, Response};
use leaderboard_core::LeaderboardId;
use leaderboard_pipeline::{Context, Endpoint, Route, RouteTable, Routes};
use leaderboard_responses::ResponseEnvironment;

/// A route with its parameters parsed.
#[derive(Debug)]
pub enum LeaderboardsRoute {
    /// Lists the leaderboards.
    List,
    /// Reads a configuration.
    Read(LeaderboardId),
    /// Creates or replaces a leaderboard.
    Put(LeaderboardId),
    /// Changes a part of a configuration.
    Patch(LeaderboardId),
    /// Compares entries with the event log.
    Rebuild(LeaderboardId),
    /// Exports a leaderboard with its history.
    Export(LeaderboardId),
    /// Imports lines of an export.
    Import(LeaderboardId),
    /// Says how far an import is.
    ReadImport(LeaderboardId),
    /// Deletes an import that is under way.
    DiscardImport(LeaderboardId),
    /// Deletes a leaderboard and its data.
    Delete(LeaderboardId),
}

const ALL: &str = "/leaderboards";
const ONE: &str = "/leaderboards/:leaderboard";
const EXPORT: &str = "/leaderboards/:leaderboard/export";
const IMPORT: &str = "/leaderboards/:leaderboard/import";

fn id(params: &PathParams<'_>) -> Result<LeaderboardId, Problem> {
    params.leaderboard()
}

/// The routes of the function `leaderboards`.
#[derive(Debug)]
pub struct LeaderboardsFunction;

impl Routes for LeaderboardsFunction {
    type Route = LeaderboardsRoute;

    const FUNCTION: FunctionName = FunctionName::Leaderboards;

    fn table() -> RouteTable<LeaderboardsRoute> {
        const {
            &[
                Route::get(ALL, Read, |_| Ok(LeaderboardsRoute::List)),
                Route::get(ONE, Read, |params| id(params).map(LeaderboardsRoute::Read)),
                Route::put(ONE, Admin, |params| id(params).map(LeaderboardsRoute::Put)),
                Route::patch(ONE, Admin, |params| id(params).map(LeaderboardsRoute::Patch)),
                Route::post("/leaderboards/:leaderboard/rebuild", Admin, |params| {
                    id(params).map(LeaderboardsRoute::Rebuild)
                }),
                Route::get(EXPORT, Admin, |params| id(params).map(LeaderboardsRoute::Export)),
                Route::post(IMPORT, Admin, |params| id(params).map(LeaderboardsRoute::Import))
                    .with_body(BodyKind::Json),
                Route::get(IMPORT, Admin, |params| {
                    id(params).map(LeaderboardsRoute::ReadImport)
                }),
                Route::delete(IMPORT, Admin, |params| {
                    id(params).map(LeaderboardsRoute::DiscardImport)
                }),
                Route::delete(ONE, Admin, |params| id(params).map(LeaderboardsRoute::Delete)),
            ]
        }
    }
}

impl<E: ResponseEnvironment> Endpoint<E> for LeaderboardsFunction {
    async fn handle_route(context: &Context<'_, E>, route: LeaderboardsRoute) -> Result<Response, Problem> {
        match route {
            LeaderboardsRoute::List => leaderboards::list(context).await,
            LeaderboardsRoute::Read(id) => leaderboards::read(context, id).await,
            LeaderboardsRoute::Put(id) => leaderboards::put(context, id).await,
            LeaderboardsRoute::Patch(id) => leaderboards::patch(context, id).await,
            LeaderboardsRoute::Rebuild(id) => comparison::rebuild(context, id).await,
            LeaderboardsRoute::Export(id) => transfers::export(context, id).await,
            LeaderboardsRoute::Import(id) => transfers::import(context, id).await,
            LeaderboardsRoute::ReadImport(id) => transfers::read_import(context, id).await,
            LeaderboardsRoute::DiscardImport(id) => transfers::discard_import(context, id).await,
            LeaderboardsRoute::Delete(id) => leaderboards::delete(context, id).await,
        }
    }
}
