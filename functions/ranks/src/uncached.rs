//! Responses that no cache stores, and the problems of such reads.

use http::StatusCode;
use http::header::CACHE_CONTROL;
use leaderboard_api::{Problem, Response};
use leaderboard_core::LeaderboardId;
use leaderboard_core::access::Caller;
use leaderboard_core::usecase::QueryError;
use leaderboard_pipeline::Context;
use leaderboard_responses::ResponseEnvironment;
use serde::Serialize;

/// Returns a response that must not be sent to other callers, because a caller with a credential may see more than others.
pub(crate) fn answer<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    body: &impl Serialize,
) -> Result<Response, Problem> {
    answer_with(context, StatusCode::OK, body)
}

/// Does the same as [`answer`], with a status.
pub(crate) fn answer_with<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    status: StatusCode,
    body: &impl Serialize,
) -> Result<Response, Problem> {
    let response = Response::json(status, context.accepted, body)?;
    Ok(if context.caller == Caller::Anonymous {
        response.revalidated()
    } else {
        response.with(CACHE_CONTROL, "private, no-store")
    })
}

/// Returns the problem of a read. If the caller may not read the leaderboard, it is the one of any read of this caller.
pub(crate) async fn refuse<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    leaderboard: &LeaderboardId,
    error: QueryError,
) -> Problem {
    match error {
        QueryError::Forbidden => leaderboard_responses::refuse_read(context, leaderboard).await,
        error => Problem::of_query(error, &context.caller),
    }
}
