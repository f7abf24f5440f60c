//! Reads and sets how often who may call: for a tenant, and for all of them.

use super::documents::{DocumentCall, routes};
use crate::handlers::limits;
use crate::{Context, Endpoint, Environment, RouteTable};
use leaderboard_api::{FunctionName, Problem, Response};

/// The family.
#[derive(Debug)]
pub struct Limits;

impl Endpoint for Limits {
    type Route = DocumentCall;

    const FAMILY: FunctionName = FunctionName::Limits;

    fn table() -> RouteTable<DocumentCall> {
        const { &routes("/limits", "/operator/limits") }
    }

    async fn call<E: Environment>(context: &Context<'_, E>, call: DocumentCall) -> Result<Response, Problem> {
        match call {
            DocumentCall::Read(scope) => limits::read(context, scope).await,
            DocumentCall::Put(scope) => limits::put(context, scope).await,
            DocumentCall::Delete(scope) => limits::delete(context, scope).await,
        }
    }
}
