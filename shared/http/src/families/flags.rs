//! Feature flags: their definitions, and their evaluation by OFREP.

use super::documents::{DocumentCall, routes};
use crate::handlers::{flags, ofrep};
use leaderboard_api::{BodyKind, FunctionName, Problem, Response};
use crate::{Context, Endpoint, Environment, Need, Route, RouteTable, Verb};

/// A call of this family, its parameters parsed.
#[derive(Debug)]
pub enum Call {
    Document(DocumentCall),
    Evaluate(Box<str>),
    EvaluateAll,
}

impl From<DocumentCall> for Call {
    fn from(call: DocumentCall) -> Self {
        Self::Document(call)
    }
}

const EVALUATE: &str = "/ofrep/v1/evaluate/flags";
const EVALUATE_ONE: &str = "/ofrep/v1/evaluate/flags/:flag";

/// The family.
#[derive(Debug)]
pub struct Flags;

impl Endpoint for Flags {
    type Route = Call;

    const FAMILY: FunctionName = FunctionName::Flags;

    fn table() -> RouteTable<Call> {
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
                Route::new(Verb::Post, EVALUATE, Need::Identified, |_| Ok(Call::EvaluateAll))
                    .with_body(BodyKind::Json)
                    .at_root(),
                Route::new(Verb::Post, EVALUATE_ONE, Need::Identified, |params| {
                    Ok(Call::Evaluate(params.flag()))
                })
                .with_body(BodyKind::Json)
                .at_root(),
            ]
        }
    }

    async fn call<E: Environment>(context: &Context<'_, E>, call: Call) -> Result<Response, Problem> {
        match call {
            Call::Document(DocumentCall::Read(scope)) => flags::read(context, scope).await,
            Call::Document(DocumentCall::Put(scope)) => flags::put(context, scope).await,
            Call::Document(DocumentCall::Delete(scope)) => flags::delete(context, scope).await,
            Call::Evaluate(key) => ofrep::evaluate(context, &key).await,
            Call::EvaluateAll => ofrep::evaluate_all(context).await,
        }
    }
}
