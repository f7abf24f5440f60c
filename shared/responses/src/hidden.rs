//! Private leaderboards, for those without a credential: as if there were none. Whatever they ask costs what it costs of a leaderboard
//! that does not exist, and cannot be answered without the store either, because nobody knows without it what does not exist.

use leaderboard_core::access::Caller;
use leaderboard_core::{LeaderboardId, usecase};

use super::cache_key::CacheKey;
use super::cost::NAME_UNITS;
use super::serve;
use crate::CachedRead;
use crate::ResponseEnvironment;
use leaderboard_api::Response;
use leaderboard_api::{Problem, ProblemType};
use leaderboard_cache::circuit_breaker;
use leaderboard_pipeline::Context;

/// Answers a read of a leaderboard from the cache, or from the store.
///
/// # Errors
/// The problem to answer with.
pub async fn respond<E: ResponseEnvironment>(
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
    answer(context, key).await
}

/// Answers a key.
///
/// # Errors
/// The problem to answer with.
pub async fn answer<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    key: CacheKey,
) -> Result<Response, Problem> {
    if context.caller != Caller::Anonymous {
        return serve::answer(context, key).await;
    }
    let of_its_name = if key.names_a_period() { NAME_UNITS } else { 0 };
    let units = key
        .units_of_a_miss(false)
        .saturating_add(key.units_of_size())
        .saturating_add(of_its_name);
    let before = context.rate_limiter.units();
    let answer = serve::answer(context, key).await;
    if let Err(problem) = &answer
        && matches!(
            problem.kind,
            ProblemType::LeaderboardNotFound | ProblemType::Unavailable
        )
    {
        // What it costs beyond the one unit, whichever way it went.
        let charged = context.rate_limiter.units().saturating_sub(before);
        context.charge_more(units.saturating_sub(charged));
    }
    answer
}

/// MissReason a caller is not given an answer that there is about a private leaderboard: one without a credential is told what the store's
/// answer to a key about none would be.
pub async fn refusal<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    leaderboard: &LeaderboardId,
) -> Problem {
    if context.caller == Caller::Anonymous
        && let Err(error) =
            usecase::load_current_leaderboard(&context.deps(), &context.tenant, leaderboard).await
    {
        let problem = Problem::from(error);
        if problem.kind == ProblemType::Unavailable {
            circuit_breaker::open(context.env, problem.cause.as_deref().unwrap_or_default());
        }
        return problem;
    }
    Problem::unreadable(&context.caller)
}
