//! The regions that share the store.

use http::StatusCode;
use leaderboard_api::{Problem, Query, Response};
use leaderboard_pipeline::regions::list_regions;
use leaderboard_pipeline::{Context, regions::RegionReport};
use leaderboard_responses::ResponseEnvironment;
use serde::Serialize;

/// The regions that have reported recently.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
struct Regions {
    /// The regions, in byte order of their names.
    regions: Vec<RegionBody>,
}

/// A region, as it last reported itself.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
struct RegionBody {
    /// The name of the region.
    name: String,
    /// The version of the program.
    version: String,
    /// Since when the region has run this version without a pause.
    #[cfg_attr(feature = "schema", schema(format = "date-time"))]
    started_at: String,
    /// When the region last reported itself, by its clock.
    #[cfg_attr(feature = "schema", schema(format = "date-time"))]
    reported_at: String,
    /// How long an announcement of a change takes to arrive in the region, in milliseconds; `null` if none arrived recently, also
    /// if the region receives no announcements.
    invalidation_lag_ms: Option<u64>,
    /// The number of items in the durable queue, which all regions share; `null` if the region could not read it.
    queue_items: Option<u64>,
    /// How long the oldest item of the queue has waited, in milliseconds; `null` if the queue is empty.
    queue_lag_ms: Option<u64>,
}

/// `GET /regions`: lists the regions that have reported recently.
///
/// # Errors
/// A problem with the query, or the store fails.
pub(crate) async fn list<E: ResponseEnvironment>(context: &Context<'_, E>) -> Result<Response, Problem> {
    Query::parse(context.query, &[])?;
    let regions = list_regions(context.env).await?;
    let body = |(name, report): (leaderboard_core::RegionName, RegionReport)| RegionBody {
        name: name.to_string(),
        started_at: report.started_at().to_string(),
        reported_at: report.reported_at().to_string(),
        version: report.version,
        invalidation_lag_ms: report.invalidation_lag_ms,
        queue_items: report.queue.map(|queue| queue.items),
        queue_lag_ms: report.queue.and_then(|queue| queue.lag_ms),
    };
    let regions = regions.into_iter().map(body).collect();
    Response::json(StatusCode::OK, context.accepted, &Regions { regions })
}

/// Adds the schemas of regions.
#[cfg(feature = "schema")]
pub(crate) fn add_schemas(all: &mut leaderboard_api::schema::Schemas) {
    all.add::<Regions>();
}
