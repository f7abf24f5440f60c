//! Health, metrics and regions, and a 404 for every path that no other function has.

mod health;
mod health_body;
mod metrics;
mod ops;
mod regions;

use leaderboard_api::Permission::{MetricsKey, Open, Operator};
use leaderboard_api::{FunctionName, Problem, Response};
use leaderboard_pipeline::{Context, Endpoint, Route, RouteTable, Routes};
use leaderboard_responses::ResponseEnvironment;

/// Adds the schemas of health and of regions.
#[cfg(feature = "schema")]
pub fn add_schemas(all: &mut leaderboard_api::schema::Schemas) {
    health_body::add_schemas(all);
    regions::add_schemas(all);
}

/// A route with its parameters parsed.
#[derive(Debug)]
pub enum OpsRoute {
    /// Redirects to the description of the API.
    Start,
    /// Reports that the service runs.
    Live,
    /// Reports whether the store is ready.
    Ready,
    /// Reports the status of each part.
    Detailed,
    /// Returns the metrics.
    Metrics,
    /// Lists the regions.
    Regions,
}

/// The routes of the function `ops`.
#[derive(Debug)]
pub struct OpsFunction;

impl Routes for OpsFunction {
    type Route = OpsRoute;

    const FUNCTION: FunctionName = FunctionName::Ops;

    fn table() -> RouteTable<OpsRoute> {
        const {
            &[
                Route::get("/", Open, |_| Ok(OpsRoute::Start)).at_root(),
                Route::get("/health/live", Open, |_| Ok(OpsRoute::Live))
                    .also_at_root()
                    .from_anywhere(),
                Route::get("/health/ready", Open, |_| Ok(OpsRoute::Ready))
                    .also_at_root()
                    .from_anywhere(),
                Route::get("/health/detailed", Operator, |_| Ok(OpsRoute::Detailed))
                    .also_at_root()
                    .offering(health::HEALTH_JSON),
                Route::get("/metrics", MetricsKey, |_| Ok(OpsRoute::Metrics))
                    .also_at_root()
                    .offering("text/plain"),
                Route::get("/regions", Operator, |_| Ok(OpsRoute::Regions)),
            ]
        }
    }
}

impl<E: ResponseEnvironment> Endpoint<E> for OpsFunction {
    async fn handle_route(context: &Context<'_, E>, route: OpsRoute) -> Result<Response, Problem> {
        match route {
            OpsRoute::Start => ops::redirect_to_docs(context),
            OpsRoute::Live => ops::report_liveness(context).await,
            OpsRoute::Ready => ops::report_readiness(context).await,
            OpsRoute::Detailed => health::detailed(context).await,
            OpsRoute::Metrics => metrics::show(context).await,
            OpsRoute::Regions => regions::list(context).await,
        }
    }
}
