//! Takes scores in, removes entries, hides players, and shows the dead letters.

use crate::handlers::scores;
use crate::{
    BodyKind, Context, Endpoint, Environment, Family, Need, Problem, Response, Route, RouteTable, Verb,
};
use leaderboard_core::{LeaderboardId, PlayerId};

/// A call of this family, its parameters parsed.
#[derive(Debug)]
pub enum Call {
    Submit(LeaderboardId),
    SubmitMany,
    Remove(LeaderboardId, PlayerId),
    Ban(PlayerId),
    LiftBan(PlayerId),
    DeadLetters,
}

/// The family.
#[derive(Debug)]
pub struct Scores;

impl Endpoint for Scores {
    type Route = Call;

    const FAMILY: Family = Family::Scores;

    fn table() -> RouteTable<Call> {
        const {
            &[
                Route::new(
                    Verb::Post,
                    "/leaderboards/:leaderboard/scores",
                    Need::Write,
                    |params| Ok(Call::Submit(params.leaderboard()?)),
                )
                .with_body(BodyKind::Json)
                .charged_in_call(),
                Route::new(Verb::Post, "/scores", Need::Write, |_| Ok(Call::SubmitMany))
                    .with_body(BodyKind::Json)
                    .charged_in_call(),
                Route::new(
                    Verb::Delete,
                    "/leaderboards/:leaderboard/scores/:player",
                    Need::Write,
                    |params| Ok(Call::Remove(params.leaderboard()?, params.player()?)),
                ),
                Route::new(Verb::Put, "/players/:player/ban", Need::Admin, |params| {
                    Ok(Call::Ban(params.player()?))
                })
                .in_incidents(),
                Route::new(Verb::Delete, "/players/:player/ban", Need::Admin, |params| {
                    Ok(Call::LiftBan(params.player()?))
                })
                .in_incidents(),
                // Letters are of all tenants, also of messages that name none.
                Route::new(Verb::Get, "/dead-letters", Need::Operator, |_| {
                    Ok(Call::DeadLetters)
                }),
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
