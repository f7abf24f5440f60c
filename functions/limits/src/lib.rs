//! Reads and sets rate limits: a tenant's limits, and the operator's limits for all tenants.

mod limits;

use leaderboard_api::{FunctionName, Problem, Response};
use leaderboard_pipeline::document_routes::{DocumentCall, routes};
use leaderboard_pipeline::{Context, Endpoint, RouteTable, Routes};
use leaderboard_responses::ResponseEnvironment;

/// The routes of the function `limits`.
#[derive(Debug)]
pub struct LimitsFunction;

impl Routes for LimitsFunction {
    type Route = DocumentCall;

    const FUNCTION: FunctionName = FunctionName::Limits;

    fn table() -> RouteTable<DocumentCall> {
        const { &routes("/limits", "/operator/limits") }
    }
}

impl<E: ResponseEnvironment> Endpoint<E> for LimitsFunction {
    async fn call(context: &Context<'_, E>, call: DocumentCall) -> Result<Response, Problem> {
        match call {
            DocumentCall::Read(scope) => limits::read(context, scope).await,
            DocumentCall::Put(scope) => limits::put(context, scope).await,
            DocumentCall::Delete(scope) => limits::delete(context, scope).await,
        }
    }
}
