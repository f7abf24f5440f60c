//! Takes scores in, removes entries, hides players, and shows, replays and drops the dead letters.

use crate::handlers::{bans, dead_letters, scores};
use leaderboard_api::{BodyKind, FunctionName, Problem, Response};
use crate::{Context, Endpoint, Environment, Need, Route, RouteTable, Verb};
use leaderboard_core::{LeaderboardId, PlayerId};

/// A call of this family, its parameters parsed.
#[derive(Debug)]
pub enum Call {
    Submit(LeaderboardId),
    SubmitMany,
    Remove(LeaderboardId, PlayerId),
    Ban(PlayerId),
    ReadBan(PlayerId),
    LiftBan(PlayerId),
    Bans,
    DeadLetters,
    ReplayDeadLetter(u64),
    DropDeadLetter(u64),
}

/// The family.
#[derive(Debug)]
pub struct Scores;

impl Endpoint for Scores {
    type Route = Call;

    const FAMILY: FunctionName = FunctionName::Scores;

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
                .with_idempotency_key()
                .charged_in_call(),
                Route::new(Verb::Post, "/scores", Need::Write, |_| Ok(Call::SubmitMany))
                    .with_body(BodyKind::Json)
                    .with_idempotency_key()
                    .charged_in_call(),
                // Refused to players before it is recorded: nobody fills the audit log with what they may not do.
                Route::new(
                    Verb::Delete,
                    "/leaderboards/:leaderboard/scores/:player",
                    Need::ServerWrite,
                    |params| Ok(Call::Remove(params.leaderboard()?, params.player()?)),
                )
                .frees_memory(),
                Route::new(Verb::Put, "/players/:player/ban", Need::Admin, |params| {
                    Ok(Call::Ban(params.player()?))
                })
                .with_body(BodyKind::OptionalJson)
                .in_incidents()
                .frees_memory(),
                Route::new(Verb::Get, "/players/:player/ban", Need::Admin, |params| {
                    Ok(Call::ReadBan(params.player()?))
                }),
                Route::new(Verb::Delete, "/players/:player/ban", Need::Admin, |params| {
                    Ok(Call::LiftBan(params.player()?))
                })
                .in_incidents()
                .frees_memory(),
                Route::new(Verb::Get, "/bans", Need::Admin, |_| Ok(Call::Bans)),
                Route::new(Verb::Get, "/dead-letters", Need::Admin, |_| Ok(Call::DeadLetters)),
                Route::new(
                    Verb::Post,
                    "/dead-letters/:letter/replay",
                    Need::Admin,
                    |params| Ok(Call::ReplayDeadLetter(params.letter()?)),
                ),
                Route::new(Verb::Delete, "/dead-letters/:letter", Need::Admin, |params| {
                    Ok(Call::DropDeadLetter(params.letter()?))
                })
                .in_incidents()
                .frees_memory(),
            ]
        }
    }

    async fn call<E: Environment>(context: &Context<'_, E>, call: Call) -> Result<Response, Problem> {
        match call {
            Call::Submit(leaderboard) => scores::submit(context, leaderboard).await,
            Call::SubmitMany => scores::submit_many(context).await,
            Call::Remove(leaderboard, player) => scores::remove(context, leaderboard, player).await,
            Call::Ban(player) => bans::put(context, player).await,
            Call::ReadBan(player) => bans::get(context, player).await,
            Call::LiftBan(player) => bans::delete(context, player).await,
            Call::Bans => bans::list(context).await,
            Call::DeadLetters => dead_letters::list(context).await,
            Call::ReplayDeadLetter(id) => dead_letters::replay(context, id).await,
            Call::DropDeadLetter(id) => dead_letters::delete(context, id).await,
        }
    }
}
