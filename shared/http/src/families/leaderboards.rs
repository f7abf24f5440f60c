//! Creates, reads, changes and deletes leaderboards.

use crate::handlers::leaderboards;
use leaderboard_api::{BodyKind, FunctionName, PathParams, Problem, Response};
use crate::{Context, Endpoint, Environment, Need, Route, RouteTable, Verb};
use leaderboard_core::LeaderboardId;

/// A call of this family, its parameters parsed.
#[derive(Debug)]
pub enum Call {
    List,
    Read(LeaderboardId),
    Put(LeaderboardId),
    Patch(LeaderboardId),
    Delete(LeaderboardId),
}

const ALL: &str = "/leaderboards";
const ONE: &str = "/leaderboards/:leaderboard";

fn id(params: &PathParams<'_>) -> Result<LeaderboardId, Problem> {
    params.leaderboard()
}

/// The family.
#[derive(Debug)]
pub struct Leaderboards;

impl Endpoint for Leaderboards {
    type Route = Call;

    const FAMILY: FunctionName = FunctionName::Leaderboards;

    fn table() -> RouteTable<Call> {
        const {
            &[
                Route::new(Verb::Get, ALL, Need::Read, |_| Ok(Call::List)),
                Route::new(Verb::Get, ONE, Need::Read, |params| id(params).map(Call::Read)),
                Route::new(Verb::Put, ONE, Need::Admin, |params| id(params).map(Call::Put))
                    .with_body(BodyKind::Json),
                Route::new(Verb::Patch, ONE, Need::Admin, |params| {
                    id(params).map(Call::Patch)
                })
                .with_body(BodyKind::MergePatch),
                Route::new(Verb::Delete, ONE, Need::Admin, |params| {
                    id(params).map(Call::Delete)
                })
                .frees_memory(),
            ]
        }
    }

    async fn call<E: Environment>(context: &Context<'_, E>, call: Call) -> Result<Response, Problem> {
        match call {
            Call::List => leaderboards::list(context).await,
            Call::Read(id) => leaderboards::read(context, id).await,
            Call::Put(id) => leaderboards::put(context, id).await,
            Call::Patch(id) => leaderboards::patch(context, id).await,
            Call::Delete(id) => leaderboards::delete(context, id).await,
        }
    }
}
