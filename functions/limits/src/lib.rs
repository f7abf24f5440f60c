//! Reads and sets rate limits: a tenant's limits, and the operator's limits for all tenants.

mod limits;

use leaderboard_api::{FunctionName, Problem, Response};
use leaderboard_pipeline::document_routes::{DocumentRoute, routes};
use leaderboard_pipeline::{Context, Endpoint, RouteTable, Routes};
use leaderboard_responses::ResponseEnvironment;

/// The routes of the function `limits`.
#[derive(Debug)]
pub struct LimitsFunction;

impl Routes for LimitsFunction {
    type Route = DocumentRoute;

    const FUNCTION: FunctionName = FunctionName::Limits;

    fn table() -> RouteTable<DocumentRoute> {
        const { &routes("/limits", "/operator/limits") }
    }
}

impl<E: ResponseEnvironment> Endpoint<E> for LimitsFunction {
    async fn handle_route(context: &Context<'_, E>, route: DocumentRoute) -> Result<Response, Problem> {
        match route {
            DocumentRoute::Read(scope) => limits::read(context, scope).await,
            DocumentRoute::Put(scope) => limits::put(context, scope).await,
            DocumentRoute::Delete(scope) => limits::document(context, scope).delete().await,
        }
    }
}
