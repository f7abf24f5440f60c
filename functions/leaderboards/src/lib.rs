//! Creates, reads, changes and deletes leaderboards.

mod leaderboards;

use leaderboard_api::{BodyKind, FunctionName, PathParams, Permission, Problem, Response};
use leaderboard_core::LeaderboardId;
use leaderboard_pipeline::{Context, Endpoint, Route, RouteTable, Routes, Verb};
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
    /// Deletes a leaderboard and its data.
    Delete(LeaderboardId),
}

const ALL: &str = "/leaderboards";
const ONE: &str = "/leaderboards/:leaderboard";

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
                Route::new(Verb::Get, ALL, Permission::Read, |_| Ok(LeaderboardsRoute::List)),
                Route::new(Verb::Get, ONE, Permission::Read, |params| {
                    id(params).map(LeaderboardsRoute::Read)
                }),
                Route::new(Verb::Put, ONE, Permission::Admin, |params| {
                    id(params).map(LeaderboardsRoute::Put)
                })
                .with_body(BodyKind::Json),
                Route::new(Verb::Patch, ONE, Permission::Admin, |params| {
                    id(params).map(LeaderboardsRoute::Patch)
                })
                .with_body(BodyKind::MergePatch),
                Route::new(Verb::Delete, ONE, Permission::Admin, |params| {
                    id(params).map(LeaderboardsRoute::Delete)
                })
                .frees_memory(),
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
            LeaderboardsRoute::Delete(id) => leaderboards::delete(context, id).await,
        }
    }
}
