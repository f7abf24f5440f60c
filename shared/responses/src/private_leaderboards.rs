//! Makes a private leaderboard look like one that does not exist to a caller without a credential. A read of it costs the same
//! units, and also fails with 503 while the store is out of reach: without the store, no instance knows what does not exist.

use leaderboard_core::access::Caller;
use leaderboard_core::{LeaderboardId, usecase};

use super::cache_key::CacheKey;
use super::cost::PERIOD_NAME_UNITS;
use super::serve;
use crate::CachedRead;
use crate::ResponseEnvironment;
use leaderboard_api::Response;
use leaderboard_api::{Problem, ProblemType};
use leaderboard_cache::circuit_breaker;
use leaderboard_pipeline::Context;

/// Answers a read of a leaderboard from the cache or the store. If it fails, a caller without a credential pays as much as for a
/// leaderboard that does not exist.
///
/// # Errors
/// The problem to answer with.
pub async fn answer_read<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    leaderboard: LeaderboardId,
    read: CachedRead,
) -> Result<Response, Problem> {
    let key = CacheKey {
        tenant: context.tenant.clone(),
        leaderboard,
        read,
        version: context.version,
        integers: context.accepted.integers,
    };
    if context.caller != Caller::Anonymous {
        return serve::answer_from_cache(context, key).await;
    }
    let units_of_name = if key.names_a_period() {
        PERIOD_NAME_UNITS
    } else {
        0
    };
    let units = key
        .units_of_miss(false)
        .saturating_add(key.units_of_size())
        .saturating_add(units_of_name);
    let before = context.rate_limiter.units();
    let answer = serve::answer_from_cache(context, key).await;
    if let Err(problem) = &answer
        && matches!(
            problem.kind,
            ProblemType::LeaderboardNotFound | ProblemType::Unavailable
        )
    {
        // Each way to fail charges something else; charge the rest, so that the total is always the same.
        let charged = context.rate_limiter.units().saturating_sub(before);
        context.charge_more(units.saturating_sub(charged));
    }
    answer
}

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
