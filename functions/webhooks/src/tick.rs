//! Delivers the messages that are due.

use http::StatusCode;
use leaderboard_api::{Problem, Query, Response};
use leaderboard_pipeline::Context;
use leaderboard_responses::ResponseEnvironment;
use leaderboard_webhooks::{DeliveryReport, deliver_due};
use serde::Serialize;

/// What a delivery run did.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = DeliveryRun))]
struct DeliveryRunBody {
    /// The webhooks that had something to send.
    webhooks: usize,
    /// The messages that were delivered.
    delivered: usize,
    /// The attempts that failed.
    failed: usize,
}

/// Adds the schema of a delivery run.
#[cfg(feature = "schema")]
pub(crate) fn add_schemas(all: &mut leaderboard_api::schema::Schemas) {
    all.add::<DeliveryRunBody>();
}

/// `POST /internal/webhooks/tick`: delivers what is due to the webhooks of all tenants. A scheduler calls it.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn deliver<E: ResponseEnvironment>(context: &Context<'_, E>) -> Result<Response, Problem> {
    Query::parse(context.query, &[])?;
    let DeliveryReport {
        webhooks,
        delivered,
        failed,
    } = deliver_due(context.env).await?;
    let body = DeliveryRunBody {
        webhooks,
        delivered,
        failed,
    };
    Response::json(StatusCode::OK, context.accepted, &body)
}
