//! Creates, reads, changes and deletes leaderboards.

use leaderboard_core::LeaderboardId;
use leaderboard_http::handlers::leaderboards;
use leaderboard_http::{
    BodyKind, Context, Endpoint, Environment, Need, Params, Problem, Response, Route, RouteTable, Verb,
};
use spin_sdk::http::{IntoResponse, Request};

enum Call {
    List,
    Read(LeaderboardId),
    Put(LeaderboardId),
    Patch(LeaderboardId),
    Delete(LeaderboardId),
}

const ALL: &str = "/leaderboards";
const ONE: &str = "/leaderboards/:leaderboard";

fn id(params: &Params<'_>) -> Result<LeaderboardId, Problem> {
    params.leaderboard()
}

struct Leaderboards;

impl Endpoint for Leaderboards {
    type Route = Call;

    fn table() -> RouteTable<Call> {
        const {
            &[
                Route::new(Verb::Get, ALL, Need::Admin, |_| Ok(Call::List)),
                Route::new(Verb::Get, ONE, Need::Admin, |params| id(params).map(Call::Read)),
                Route::new(Verb::Put, ONE, Need::Admin, |params| id(params).map(Call::Put))
                    .with_body(BodyKind::Json),
                Route::new(Verb::Patch, ONE, Need::Admin, |params| {
                    id(params).map(Call::Patch)
                })
                .with_body(BodyKind::MergePatch),
                Route::new(Verb::Delete, ONE, Need::Admin, |params| {
                    id(params).map(Call::Delete)
                }),
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

#[spin_sdk::http_service]
async fn handle(request: Request) -> impl IntoResponse {
    leaderboard_spin::serve::<Leaderboards>(request).await
}
