//! Makes a private leaderboard look like one that does not exist to a caller without a credential. A read of it fails with 503 while
//! the store is out of reach, too: without the store, no instance knows what does not exist. It also costs the same units
//! ([`crate::answer_read`]).

use leaderboard_core::access::Caller;
use leaderboard_core::{LeaderboardId, usecase};

use crate::ResponseEnvironment;
use leaderboard_api::{Problem, ProblemType};
use leaderboard_cache::circuit_breaker;
use leaderboard_pipeline::Context;

/// Returns the problem for a caller who may not read a leaderboard whose response is in the cache. A caller without a credential
/// gets what a leaderboard that does not exist gives: the store is asked, so the response takes as long, and fails in an outage.
pub async fn refuse_read<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    leaderboard: &LeaderboardId,
) -> Problem {
    if context.caller == Caller::Anonymous
        && let Err(error) =
            usecase::load_current_leaderboard(&context.deps(), context.tenant, leaderboard).await
    {
        let problem = Problem::from(error);
        if problem.kind == ProblemType::Unavailable {
            circuit_breaker::open(context.env, problem.cause.as_deref().unwrap_or_default());
        }
        return problem;
    }
    Problem::unreadable(&context.caller)
}
