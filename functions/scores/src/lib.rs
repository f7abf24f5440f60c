//! Takes scores in, removes entries, hides players, and shows the dead letters.

use leaderboard_core::{LeaderboardId, PlayerId};
use leaderboard_http::handlers::scores;
use leaderboard_http::{
    BodyKind, Context, Endpoint, Environment, Need, Problem, Response, Route, RouteTable, Verb,
};
use spin_sdk::http::{IntoResponse, Request};

enum Call {
    Submit(LeaderboardId),
    SubmitMany,
    Remove(LeaderboardId, PlayerId),
    Ban(PlayerId),
    LiftBan(PlayerId),
    DeadLetters,
}

struct Scores;

impl Endpoint for Scores {
    type Route = Call;

    fn table() -> RouteTable<Call> {
        const {
            &[
                Route::new(
                    Verb::Post,
                    "/leaderboards/:leaderboard/scores",
                    Need::Write,
                    |params| Ok(Call::Submit(params.leaderboard()?)),
                )
                .with_body(BodyKind::Json),
                Route::new(Verb::Post, "/scores", Need::Write, |_| Ok(Call::SubmitMany))
                    .with_body(BodyKind::Json),
                Route::new(
                    Verb::Delete,
                    "/leaderboards/:leaderboard/scores/:player",
                    Need::Write,
                    |params| Ok(Call::Remove(params.leaderboard()?, params.player()?)),
                ),
                Route::new(Verb::Put, "/players/:player/ban", Need::Admin, |params| {
                    Ok(Call::Ban(params.player()?))
                }),
                Route::new(Verb::Delete, "/players/:player/ban", Need::Admin, |params| {
                    Ok(Call::LiftBan(params.player()?))
                }),
                Route::new(Verb::Get, "/dead-letters", Need::Admin, |_| Ok(Call::DeadLetters)),
            ]
        }
    }

    async fn call<E: Environment>(context: &Context<'_, E>, call: Call) -> Result<Response, Problem> {
        match call {
            Call::Submit(leaderboard) => scores::submit(context, leaderboard).await,
            Call::SubmitMany => scores::submit_many(context).await,
            Call::Remove(leaderboard, player) => scores::remove(context, leaderboard, player).await,
            Call::Ban(player) => scores::ban(context, player).await,
            Call::LiftBan(player) => scores::unban(context, player).await,
            Call::DeadLetters => scores::dead_letters(context).await,
        }
    }
}

#[spin_sdk::http_service]
async fn handle(request: Request) -> impl IntoResponse {
    leaderboard_spin::serve::<Scores>(request).await
}
