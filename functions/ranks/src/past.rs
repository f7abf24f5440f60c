//! Reads of a leaderboard as it was at an instant (`?at=`). They are not cached: each instant is another response.

use leaderboard_core::access::Caller;
use leaderboard_core::usecase::{DistributionQuery, ListQuery, PastLeaderboard, QueryError};
use leaderboard_core::{LeaderboardId, PeriodSelector, PlayerId, Timestamp, usecase};

use leaderboard_api::wire::entries::DistributionBody;
use leaderboard_api::wire::ranks as wire;
use leaderboard_api::{Problem, ProblemType, Response};
use leaderboard_pipeline::Context;
use leaderboard_responses::{
    ResponseEnvironment, save_snapshot_later, units_of_replay, units_of_uncached_entries,
};

use crate::uncached::{answer, refuse};

/// Charges the replay, and replays the log up to `at`.
///
/// # Errors
/// The problem to answer with.
async fn replay<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    leaderboard: &LeaderboardId,
    at: Timestamp,
    entries: u32,
) -> Result<PastLeaderboard, Problem> {
    context.charge_more(units_of_uncached_entries(entries));
    let plan = match usecase::plan_replay(&context.deps(), &context.caller, leaderboard, at).await {
        Ok(plan) => plan,
        Err(error) => return Err(refuse(context, leaderboard, error).await),
    };
    // A replay costs as much as hundreds of other reads, so the service has to know who asks for it.
    if context.caller == Caller::Anonymous {
        let detail = "A read with the parameter `at` needs a credential.";
        return Err(Problem::new(ProblemType::Unauthenticated).with_detail(detail));
    }
    context.charge_more(units_of_replay(plan.most_events()));
    let max_log_bytes = context.tenant_config.tenant.quotas.max_log_bytes();
    let replayed = usecase::replay(&context.deps(), plan, Some(max_log_bytes)).await;
    let past = replayed.map_err(|error| problem(context, error))?;
    if let Some(unsaved) = past.unsaved_snapshot() {
        save_snapshot_later(context.env, context.tenant, unsaved.clone(), max_log_bytes);
    }
    Ok(past)
}

/// Returns a page of the list.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn list_entries<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    leaderboard: &LeaderboardId,
    at: Timestamp,
    list: &ListQuery,
) -> Result<Response, Problem> {
    let past = replay(context, leaderboard, at, list.limit).await?;
    let found = past
        .read_page(&context.caller, list)
        .map_err(|error| problem(context, error))?;
    answer(
        context,
        &wire::page(context.version, &found, Some(usecase::Drift::default()))?,
    )
}

/// Returns a player's entry.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn read_entry<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    leaderboard: &LeaderboardId,
    at: Timestamp,
    (player, period): (&PlayerId, &PeriodSelector),
) -> Result<Response, Problem> {
    let past = replay(context, leaderboard, at, 1).await?;
    let found = past.read_entry(&context.caller, player, period);
    let found = found.map_err(|error| problem(context, error))?;
    answer(
        context,
        &wire::player_entry(context.version, leaderboard, &found)?,
    )
}

/// Returns the window around a player.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn list_around<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    leaderboard: &LeaderboardId,
    at: Timestamp,
    (player, period, limit): (&PlayerId, &PeriodSelector, u32),
) -> Result<Response, Problem> {
    let past = replay(context, leaderboard, at, limit).await?;
    let found = past.read_around(&context.caller, player, period, limit);
    let found = found.map_err(|error| problem(context, error))?;
    answer(context, &wire::window(context.version, &found)?)
}

/// Returns the distribution.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn read_distribution<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    leaderboard: &LeaderboardId,
    at: Timestamp,
    query: &DistributionQuery,
) -> Result<Response, Problem> {
    let past = replay(context, leaderboard, at, query.buckets).await?;
    let found = past
        .read_distribution(query)
        .map_err(|error| problem(context, error))?;
    answer(context, &DistributionBody::new(leaderboard.as_str(), &found))
}

fn problem<E>(context: &Context<'_, E>, error: QueryError) -> Problem {
    Problem::of_query(error, &context.caller)
}
