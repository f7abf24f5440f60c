//! Makes a private leaderboard look like one that does not exist to a caller without a credential. A read of a private
//! leaderboard costs the same units ([`crate::answer_read`]). It also fails with 503 while the store is out of reach, because
//! only the store knows which leaderboards do not exist.

use leaderboard_core::LeaderboardId;
use leaderboard_core::access::Caller;
use leaderboard_core::ports::Shards;

use crate::ResponseEnvironment;
use leaderboard_api::Problem;
use leaderboard_cache::circuit_breaker;
use leaderboard_pipeline::Context;

/// Returns the problem for a caller who may not read a leaderboard although its response is cached. For a caller without a
/// credential, the store is asked, as for a leaderboard that does not exist. So the response takes as long, and fails while the
/// store is out of reach.
pub async fn refuse_read<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    leaderboard: &LeaderboardId,
) -> Problem {
    if context.caller == Caller::Anonymous
        && let Err(error) = context.deps().load_current_leaderboard(leaderboard).await
    {
        let problem = Problem::from(error);
        if problem.is_outage {
            let shard = context.env.store().guess_shard(Some(context.tenant));
            circuit_breaker::open(context.env, shard, problem.cause.as_deref().unwrap_or_default());
        }
        return problem;
    }
    Problem::unreadable(&context.caller)
}
