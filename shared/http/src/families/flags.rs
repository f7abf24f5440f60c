//! Feature flags: their definitions, and their evaluation by OFREP.

use crate::handlers::{flags, ofrep};
use crate::limits::Scope;
use crate::{
    BodyKind, Context, Endpoint, Environment, Family, Need, Problem, Response, Route, RouteTable, Verb,
};

/// A call of this family, its parameters parsed.
#[derive(Debug)]
pub enum Call {
    Read(Scope),
    Put(Scope),
    Delete(Scope),
    Evaluate(Box<str>),
    EvaluateAll,
}

const OWN: &str = "/flags";
const OPERATOR: &str = "/operator/flags";
const EVALUATE: &str = "/ofrep/v1/evaluate/flags";
const EVALUATE_ONE: &str = "/ofrep/v1/evaluate/flags/:flag";

/// The family.
#[derive(Debug)]
pub struct Flags;

impl Endpoint for Flags {
    type Route = Call;

    const FAMILY: Family = Family::Flags;

    fn table() -> RouteTable<Call> {
        const {
            &[
                Route::new(Verb::Get, OWN, Need::Admin, |_| Ok(Call::Read(Scope::Tenant))),
                Route::new(Verb::Put, OWN, Need::Admin, |_| Ok(Call::Put(Scope::Tenant)))
                    .with_body(BodyKind::Json),
                Route::new(Verb::Delete, OWN, Need::Admin, |_| {
                    Ok(Call::Delete(Scope::Tenant))
                }),
                Route::new(Verb::Get, OPERATOR, Need::Operator, |_| {
                    Ok(Call::Read(Scope::Operator))
                }),
                Route::new(Verb::Put, OPERATOR, Need::Operator, |_| {
                    Ok(Call::Put(Scope::Operator))
                })
                .with_body(BodyKind::Json),
                Route::new(Verb::Delete, OPERATOR, Need::Operator, |_| {
                    Ok(Call::Delete(Scope::Operator))
                }),
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
            Call::Read(scope) => flags::read(context, scope).await,
            Call::Put(scope) => flags::put(context, scope).await,
            Call::Delete(scope) => flags::delete(context, scope).await,
            Call::Evaluate(key) => ofrep::evaluate(context, &key).await,
            Call::EvaluateAll => ofrep::evaluate_all(context).await,
        }
    }
}
