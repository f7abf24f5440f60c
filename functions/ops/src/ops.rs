//! Health checks: whether the service runs (live), and whether it can reach its store (ready).

use std::collections::BTreeMap;

use http::StatusCode;
use http::header::RETRY_AFTER;
use leaderboard_api::{Problem, Query, Response};
use leaderboard_pipeline::Context;
use leaderboard_pipeline::readiness::{Probed, probe};
use leaderboard_responses::ResponseEnvironment;
use serde_json::json;

use crate::health_body::{Health, HealthComponent, HealthStatus};

/// The destination of the redirect of `GET /`.
const DOCS: &str = "/docs";

/// `GET /`: redirects to the description of the API.
///
/// # Errors
/// A problem with the query.
pub(crate) fn redirect_to_docs<E: ResponseEnvironment>(
    context: &Context<'_, E>,
) -> Result<Response, Problem> {
    Query::parse(context.query, &[])?;
    Ok(Response::empty(StatusCode::TEMPORARY_REDIRECT).with_location(DOCS))
}

/// `GET /health/live`: returns 200 as long as the service answers requests. Does not use the store.
///
/// # Errors
/// A problem with the query.
pub(crate) async fn report_liveness<E: ResponseEnvironment>(
    context: &Context<'_, E>,
) -> Result<Response, Problem> {
    Query::parse(context.query, &[])?;
    let health = Health {
        status: HealthStatus::Pass,
        components: None,
    };
    Response::json(StatusCode::OK, context.accepted, &health)
}

/// `GET /health/ready`: returns 200 if the store answers, and 503 otherwise. The response has a warning if a setting of the
/// store's server endangers the store. All instances of a region together probe the store about once per second, and check its
/// settings once per minute.
///
/// # Errors
/// A problem with the query.
pub(crate) async fn report_readiness<E: ResponseEnvironment>(
    context: &Context<'_, E>,
) -> Result<Response, Problem> {
    Query::parse(context.query, &[])?;
    let probed = probe(context.env).await;
    let has_wrong_settings = probed.has_wrong_settings();
    let Probed { at, answer, .. } = probed;
    let (status, message, code) = match &answer {
        Ok(()) if has_wrong_settings => (
            HealthStatus::Warn,
            "answers; a setting of its server is to be changed, which /health/detailed names",
            StatusCode::OK,
        ),
        Ok(()) => (HealthStatus::Pass, "answers", StatusCode::OK),
        Err(_) => (
            HealthStatus::Fail,
            "does not answer",
            StatusCode::SERVICE_UNAVAILABLE,
        ),
    };
    let last_checked = at.to_string();
    let store = HealthComponent {
        status,
        message,
        last_checked: &last_checked,
        // Callers without a credential learn no more about the store.
        metadata: &json!({}),
    };
    let health = Health {
        status,
        components: Some(BTreeMap::from([("store", store)])),
    };
    let response = Response::json(code, context.accepted, &health)?;
    Ok(match answer {
        Ok(()) => response,
        Err(error) => response.with(RETRY_AFTER, "1").with_cause(error.to_string()),
    })
}
