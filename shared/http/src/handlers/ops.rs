//! Whether the service lives, and whether it can work.

use http::StatusCode;
use http::header::RETRY_AFTER;
use leaderboard_core::ports::Readiness;
use serde::Serialize;

use crate::endpoint::Context;
use crate::environment::Environment;
use crate::problem::Problem;
use crate::query::Query;
use crate::response::Response;

#[derive(Serialize)]
struct Health {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    components: Option<Components>,
}

#[derive(Serialize)]
struct Components {
    store: Component,
}

#[derive(Serialize)]
struct Component {
    status: &'static str,
    message: &'static str,
    last_checked: String,
    metadata: Metadata,
}

/// Nothing is told about the store to callers without a credential.
#[derive(Serialize)]
struct Metadata {}

/// `GET /health/live`: 200 as long as requests are answered. Touches nothing.
///
/// # Errors
/// A problem with the query.
pub async fn live<E: Environment>(context: &Context<'_, E>) -> Result<Response, Problem> {
    Query::parse(context.query, &[])?;
    let health = Health {
        status: "pass",
        components: None,
    };
    Response::json(StatusCode::OK, context.accepted, &health)
}

/// `GET /health/ready`: 200 when the store answers, 503 otherwise.
///
/// # Errors
/// A problem with the query.
pub async fn ready<E: Environment>(context: &Context<'_, E>) -> Result<Response, Problem> {
    Query::parse(context.query, &[])?;
    let answered = context.env.store().ready().await;
    let (status, message, code) = match &answered {
        Ok(()) => ("pass", "answers", StatusCode::OK),
        Err(_) => ("fail", "does not answer", StatusCode::SERVICE_UNAVAILABLE),
    };
    let store = Component {
        status,
        message,
        last_checked: context.now.to_string(),
        metadata: Metadata {},
    };
    let health = Health {
        status,
        components: Some(Components { store }),
    };
    let response = Response::json(code, context.accepted, &health)?;
    Ok(match answered {
        Ok(()) => response,
        Err(error) => response.with(RETRY_AFTER, "1").with_cause(error.to_string()),
    })
}
