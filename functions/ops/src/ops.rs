//! Health checks: whether the service runs (live), and whether it can reach its store (ready).

use http::StatusCode;
use http::header::RETRY_AFTER;
use serde::Serialize;

use leaderboard_api::Problem;
use leaderboard_api::Query;
use leaderboard_api::Response;
use leaderboard_pipeline::Context;
use leaderboard_pipeline::readiness::{Probed, probe};
use leaderboard_responses::ResponseEnvironment;

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

/// Where `GET /` leads.
const DOCS: &str = "/docs";

/// `GET /`: leads to the description of the API.
///
/// # Errors
/// A problem with the query.
pub(crate) fn start<E: ResponseEnvironment>(context: &Context<'_, E>) -> Result<Response, Problem> {
    Query::parse(context.query, &[])?;
    Ok(Response::empty(StatusCode::TEMPORARY_REDIRECT).with_location(DOCS))
}

/// `GET /health/live`: 200 as long as requests are answered. Touches nothing.
///
/// # Errors
/// A problem with the query.
pub(crate) async fn live<E: ResponseEnvironment>(context: &Context<'_, E>) -> Result<Response, Problem> {
    Query::parse(context.query, &[])?;
    let health = Health {
        status: "pass",
        components: None,
    };
    Response::json(StatusCode::OK, context.accepted, &health)
}

/// `GET /health/ready`: 200 when the store answers, with a warning when its server has a setting that endangers it, and 503
/// otherwise. The instances of a region together ask the store about once per second, and for its
/// settings once per minute.
///
/// # Errors
/// A problem with the query.
pub(crate) async fn ready<E: ResponseEnvironment>(context: &Context<'_, E>) -> Result<Response, Problem> {
    Query::parse(context.query, &[])?;
    let probed = probe(context.env).await;
    let has_wrong_settings = probed.has_wrong_settings();
    let Probed { at, answer, .. } = probed;
    let (status, message, code) = match &answer {
        Ok(()) if has_wrong_settings => (
            "warn",
            "answers; a setting of its server is to be changed, which /health/detailed names",
            StatusCode::OK,
        ),
        Ok(()) => ("pass", "answers", StatusCode::OK),
        Err(_) => ("fail", "does not answer", StatusCode::SERVICE_UNAVAILABLE),
    };
    let store = Component {
        status,
        message,
        last_checked: at.to_string(),
        metadata: Metadata {},
    };
    let health = Health {
        status,
        components: Some(Components { store }),
    };
    let response = Response::json(code, context.accepted, &health)?;
    Ok(match answer {
        Ok(()) => response,
        Err(error) => response.with(RETRY_AFTER, "1").with_cause(error.to_string()),
    })
}
