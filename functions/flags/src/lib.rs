//! Feature flags: their definitions, and their evaluation by OFREP.

mod flags;
mod ofrep;

use leaderboard_api::Permission::Identified;
use leaderboard_api::{BodyKind, FunctionName, Problem, Response};
use leaderboard_pipeline::document_routes::{DocumentRoute, routes};
use leaderboard_pipeline::{Context, Endpoint, Route, RouteTable, Routes};
use leaderboard_responses::ResponseEnvironment;

#[cfg(feature = "schema")]
pub use ofrep::add_schemas;

/// A route with its parameters parsed.
#[derive(Debug)]
pub enum FlagsRoute {
    /// Reads, puts or deletes a set of flags.
    RequestedDocument(DocumentRoute),
    /// Evaluates one flag (OFREP).
    Evaluate(Box<str>),
    /// Evaluates all flags (OFREP).
    EvaluateAll,
}

impl From<DocumentRoute> for FlagsRoute {
    fn from(route: DocumentRoute) -> Self {
        Self::RequestedDocument(route)
    }
}

const EVALUATE: &str = "/ofrep/v1/evaluate/flags";
const EVALUATE_ONE: &str = "/ofrep/v1/evaluate/flags/:flag";

/// The routes of the function `flags`.
#[derive(Debug)]
pub struct FlagsFunction;

impl Routes for FlagsFunction {
    type Route = FlagsRoute;

    const FUNCTION: FunctionName = FunctionName::Flags;

    fn table() -> RouteTable<FlagsRoute> {
        const {
            let [read, put, delete, read_operators, put_operators, delete_operators] =
                routes("/flags", "/operator/flags");
            &[
                read,
                put,
                delete,
                read_operators,
                put_operators,
                delete_operators,
                Route::post(EVALUATE, Identified, |_| Ok(FlagsRoute::EvaluateAll))
                    .with_body(BodyKind::Json)
                    .at_root(),
                Route::post(EVALUATE_ONE, Identified, |params| {
                    Ok(FlagsRoute::Evaluate(params.flag()))
                })
                .with_body(BodyKind::Json)
                .at_root(),
            ]
        }
    }
}

impl<E: ResponseEnvironment> Endpoint<E> for FlagsFunction {
    async fn handle_route(context: &Context<'_, E>, route: FlagsRoute) -> Result<Response, Problem> {
        match route {
            FlagsRoute::RequestedDocument(DocumentRoute::Read(scope)) => flags::read(context, scope).await,
            FlagsRoute::RequestedDocument(DocumentRoute::Put(scope)) => flags::put(context, scope).await,
            FlagsRoute::RequestedDocument(DocumentRoute::Delete(scope)) => {
                flags::document(context, scope).delete().await
            }
            FlagsRoute::Evaluate(key) => ofrep::evaluate(context, &key).await,
            FlagsRoute::EvaluateAll => ofrep::evaluate_all(context).await,
        }
    }
}
