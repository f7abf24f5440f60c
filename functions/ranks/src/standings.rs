//! Reads final standings, and lists and claims prizes.

use http::StatusCode;
use leaderboard_core::usecase::{ListQuery, QueryError};
use leaderboard_core::{LeaderboardId, PeriodSelector, PlayerId, usecase};

use leaderboard_api::query::Query;
use leaderboard_api::wire::standings as wire;
use leaderboard_api::{FieldError, Problem, ProblemType, Response};
use leaderboard_pipeline::{Context, me};
use leaderboard_responses::ResponseEnvironment;

use crate::ranks::{DEFAULT_LIMIT, MAX_LIMIT, read_cursor};
use crate::uncached::{self, answer, answer_with};

/// `GET /leaderboards/{id}/standings?period=&limit=&cursor=`: returns a page of the standings of a period that has ended. The first
/// request makes them final.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn read<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    leaderboard: LeaderboardId,
) -> Result<Response, Problem> {
    let query = read_list_query(context)?;
    let found = usecase::read_standings(&context.deps(), &context.caller, &leaderboard, &query).await;
    match found {
        Ok(found) => answer(context, &wire::standings(context.version, &found)?),
        Err(error) => Err(uncached::refuse(context, &leaderboard, error).await),
    }
}

/// `GET /leaderboards/{id}/claims?period=&limit=&cursor=`: lists the players who have a prize in a period that has ended.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn list_claims<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    leaderboard: LeaderboardId,
) -> Result<Response, Problem> {
    let query = read_list_query(context)?;
    let found = usecase::list_prizes(&context.deps(), &context.caller, &leaderboard, &query).await;
    let found = found.map_err(|error| refuse_claim(context, error))?;
    answer(context, &wire::claims(context.version, &found))
}

/// `GET /leaderboards/{id}/claims/{player}?period=`: returns the prize of a player.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn read_claim<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    leaderboard: LeaderboardId,
    player: PlayerId,
) -> Result<Response, Problem> {
    let player = context.named(&player)?;
    let selector = read_period(&Query::parse(context.query, &["period"])?)?;
    context.charge_more(leaderboard_responses::units_of_uncached_entries(1));
    let found = usecase::read_prize(&context.deps(), &context.caller, &leaderboard, &player, &selector).await;
    let found = found.map_err(|error| refuse_claim(context, error))?;
    answer(context, &wire::claim(context.version, &leaderboard, &found))
}

/// `POST /leaderboards/{id}/claims`: claims the prize of a player. Returns 201 for a new claim, and 200 with the earlier claim if the
/// player has claimed already.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn claim<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    leaderboard: LeaderboardId,
) -> Result<Response, Problem> {
    Query::parse(context.query, &[])?;
    let request = wire::read(context.body)?;
    let player = me::resolve_me(&context.caller, &request.player).map_err(|detail| {
        Problem::new(ProblemType::Validation).with_error(FieldError::body("#/player", detail))
    })?;
    let selector = &request.period;
    let claimed =
        usecase::claim_prize(&context.deps(), &context.caller, &leaderboard, &player, selector).await;
    let claimed = claimed.map_err(|error| refuse_claim(context, error))?;
    let status = if claimed.created {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    answer_with(
        context,
        status,
        &wire::claim(context.version, &leaderboard, &claimed),
    )
}

/// Reads the query of a list, and charges the read.
fn read_list_query<E: ResponseEnvironment>(context: &Context<'_, E>) -> Result<ListQuery, Problem> {
    let query = Query::parse(context.query, &["limit", "cursor", "period"])?;
    let cursor = read_cursor(&query)?;
    let period = match &cursor {
        // The cursor has its own period. A reset since its first page does not change that.
        Some(_) if query.raw("period").is_none() => PeriodSelector::Current,
        _ => read_period(&query)?,
    };
    let limit = query.integer("limit", 1, MAX_LIMIT)?.unwrap_or(DEFAULT_LIMIT);
    context.charge_more(leaderboard_responses::units_of_uncached_entries(limit));
    Ok(ListQuery {
        period,
        cursor,
        limit,
    })
}

/// Returns the parameter `period`; the previous period when the query does not have it.
fn read_period(query: &Query<'_>) -> Result<PeriodSelector, Problem> {
    match query.raw("period") {
        None => Ok(PeriodSelector::Previous),
        Some(_) => query.period(),
    }
}

/// Returns the problem of a request about prizes.
fn refuse_claim<E>(context: &Context<'_, E>, error: QueryError) -> Problem {
    match error {
        QueryError::Forbidden => Problem::not_allowed(&context.caller).with_detail(
            "This needs the key of a server, or the token of the player for the player's own prize.",
        ),
        error => Problem::of_query(error, &context.caller),
    }
}
