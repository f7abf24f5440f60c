//! Responses that no cache stores.

use http::StatusCode;
use http::header::CACHE_CONTROL;
use leaderboard_api::{Problem, Response};
use leaderboard_core::access::Caller;
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
