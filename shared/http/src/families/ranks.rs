//! Answers who stands where.

use crate::handlers::{ranks, summary};
use crate::{Context, Endpoint, Environment, Need, Route, RouteTable, Verb};
use leaderboard_api::{FunctionName, Problem, Response};
use leaderboard_core::{LeaderboardId, PlayerId};

/// A call of this family, its parameters parsed.
#[derive(Debug)]
pub enum Call {
    Entries(LeaderboardId),
    Entry(LeaderboardId, PlayerId),
    Around(LeaderboardId, PlayerId),
    Summary(LeaderboardId),
    Periods(LeaderboardId),
    Distribution(LeaderboardId),
}

/// The family.
#[derive(Debug)]
pub struct Ranks;

impl Endpoint for Ranks {
    type Route = Call;

    const FAMILY: FunctionName = FunctionName::Ranks;

    fn table() -> RouteTable<Call> {
        const {
            &[
                Route::new(
                    Verb::Get,
                    "/leaderboards/:leaderboard/entries",
                    Need::Read,
                    |params| Ok(Call::Entries(params.leaderboard()?)),
                ),
                Route::new(
                    Verb::Get,
                    "/leaderboards/:leaderboard/entries/:player",
                    Need::Read,
                    |params| Ok(Call::Entry(params.leaderboard()?, params.player()?)),
                ),
                Route::new(
                    Verb::Get,
                    "/leaderboards/:leaderboard/entries/:player/around",
                    Need::Read,
                    |params| Ok(Call::Around(params.leaderboard()?, params.player()?)),
                ),
                Route::new(
                    Verb::Get,
                    "/leaderboards/:leaderboard/summary",
                    Need::Read,
                    |params| Ok(Call::Summary(params.leaderboard()?)),
                ),
                Route::new(
                    Verb::Get,
                    "/leaderboards/:leaderboard/periods",
                    Need::Read,
                    |params| Ok(Call::Periods(params.leaderboard()?)),
                ),
                Route::new(
                    Verb::Get,
                    "/leaderboards/:leaderboard/distribution",
                    Need::Read,
                    |params| Ok(Call::Distribution(params.leaderboard()?)),
                ),
            ]
        }
    }

    async fn call<E: Environment>(context: &Context<'_, E>, call: Call) -> Result<Response, Problem> {
        match call {
            Call::Entries(leaderboard) => ranks::entries(context, leaderboard).await,
            Call::Entry(leaderboard, player) => ranks::entry(context, leaderboard, player).await,
            Call::Around(leaderboard, player) => ranks::around(context, leaderboard, player).await,
            Call::Summary(leaderboard) => summary::summary(context, leaderboard).await,
            Call::Periods(leaderboard) => ranks::periods(context, leaderboard).await,
            Call::Distribution(leaderboard) => ranks::distribution(context, leaderboard).await,
        }
    }
}
