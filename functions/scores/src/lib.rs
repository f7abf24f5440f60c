//! Submits scores, at once or by the queue, removes entries, bans and erases players, and shows, replays and drops dead letters.

mod bans;
mod dead_letters;
mod erasure;
mod queued;
mod scores;

use leaderboard_api::Permission::{Admin, Identified, Operator, ServerWrite, Write};
use leaderboard_api::{BodyKind, FunctionName, Problem, Response};
use leaderboard_core::{LeaderboardId, PlayerId};
use leaderboard_pipeline::{Context, Endpoint, Route, RouteTable, Routes};
use leaderboard_responses::ResponseEnvironment;

/// Adds the schemas of dead letters and of queued submissions.
#[cfg(feature = "schema")]
pub fn add_schemas(all: &mut leaderboard_api::schema::Schemas) {
    dead_letters::add_schemas(all);
    queued::add_schemas(all);
}

/// A route with its parameters parsed.
#[derive(Debug)]
pub enum ScoresRoute {
    /// Submits scores to one leaderboard.
    Submit(LeaderboardId),
    /// Submits scores that each name their leaderboards.
    SubmitMany,
    /// Shows the state of a queued request.
    ReadSubmission(Box<str>),
    /// Lists the player's scores in the queue.
    PendingScores(PlayerId),
    /// Applies what is in the queue.
    Tick,
    /// Removes a player's entry.
    Remove(LeaderboardId, PlayerId),
    /// Bans a player.
    Ban(PlayerId),
    /// Reads a player's ban.
    ReadBan(PlayerId),
    /// Lifts a player's ban.
    LiftBan(PlayerId),
    /// Lists the bans.
    Bans,
    /// Erases a player.
    Erase(PlayerId),
    /// Lists the dead letters.
    DeadLetters,
    /// Applies a dead letter again.
    ReplayDeadLetter(u64),
    /// Deletes a dead letter.
    DropDeadLetter(u64),
}

/// The routes of the function `scores`.
#[derive(Debug)]
pub struct ScoresFunction;

impl Routes for ScoresFunction {
    type Route = ScoresRoute;

    const FUNCTION: FunctionName = FunctionName::Scores;

    fn table() -> RouteTable<ScoresRoute> {
        const {
            &[
                Route::post("/leaderboards/:leaderboard/scores", Write, |params| {
                    Ok(ScoresRoute::Submit(params.leaderboard()?))
                })
                .with_body(BodyKind::Json)
                .with_idempotency_key()
                .charged_in_call(),
                Route::post("/scores", Write, |_| Ok(ScoresRoute::SubmitMany))
                    .with_body(BodyKind::Json)
                    .with_idempotency_key()
                    .charged_in_call(),
                Route::get("/submissions/:submission", Write, |params| {
                    Ok(ScoresRoute::ReadSubmission(params.submission()?))
                }),
                Route::get("/players/:player/pending-scores", Identified, |params| {
                    Ok(ScoresRoute::PendingScores(params.player()?))
                }),
                Route::post("/internal/tick", Operator, |_| Ok(ScoresRoute::Tick))
                    .at_root()
                    .charged_locally()
                    .in_incidents()
                    .as_routine(),
                // Players are refused before the request is recorded, so they cannot fill the audit log.
                Route::delete(
                    "/leaderboards/:leaderboard/scores/:player",
                    ServerWrite,
                    |params| Ok(ScoresRoute::Remove(params.leaderboard()?, params.player()?)),
                ),
                Route::put("/players/:player/ban", Admin, |params| {
                    Ok(ScoresRoute::Ban(params.player()?))
                })
                .with_body(BodyKind::OptionalJson)
                .in_incidents()
                .frees_memory(),
                Route::get("/players/:player/ban", Admin, |params| {
                    Ok(ScoresRoute::ReadBan(params.player()?))
                }),
                Route::delete("/players/:player/ban", Admin, |params| {
                    Ok(ScoresRoute::LiftBan(params.player()?))
                })
                .in_incidents(),
                // An erasure copies logs, so it needs memory.
                Route::delete("/players/:player", Admin, |params| {
                    Ok(ScoresRoute::Erase(params.player()?))
                })
                .needs_memory()
                .in_incidents(),
                Route::get("/bans", Admin, |_| Ok(ScoresRoute::Bans)),
                Route::get("/dead-letters", Admin, |_| Ok(ScoresRoute::DeadLetters)),
                Route::post("/dead-letters/:letter/replay", Admin, |params| {
                    Ok(ScoresRoute::ReplayDeadLetter(params.letter()?))
                }),
                Route::delete("/dead-letters/:letter", Admin, |params| {
                    Ok(ScoresRoute::DropDeadLetter(params.letter()?))
                })
                .in_incidents(),
            ]
        }
    }
}

impl<E: ResponseEnvironment> Endpoint<E> for ScoresFunction {
    async fn handle_route(context: &Context<'_, E>, route: ScoresRoute) -> Result<Response, Problem> {
        match route {
            ScoresRoute::Submit(leaderboard) => scores::submit(context, leaderboard).await,
            ScoresRoute::SubmitMany => scores::submit_many(context).await,
            ScoresRoute::ReadSubmission(id) => queued::read(context, &id).await,
            ScoresRoute::PendingScores(player) => queued::list_pending(context, player).await,
            ScoresRoute::Tick => queued::tick(context).await,
            ScoresRoute::Remove(leaderboard, player) => scores::remove(context, leaderboard, player).await,
            ScoresRoute::Ban(player) => bans::put(context, player).await,
            ScoresRoute::ReadBan(player) => bans::get(context, player).await,
            ScoresRoute::LiftBan(player) => bans::delete(context, player).await,
            ScoresRoute::Erase(player) => erasure::erase(context, player).await,
            ScoresRoute::Bans => bans::list(context).await,
            ScoresRoute::DeadLetters => dead_letters::list(context).await,
            ScoresRoute::ReplayDeadLetter(id) => dead_letters::replay(context, id).await,
            ScoresRoute::DropDeadLetter(id) => dead_letters::delete(context, id).await,
        }
    }
}
