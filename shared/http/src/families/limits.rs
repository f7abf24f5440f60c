//! Reads and sets how often who may call: for a tenant, and for all of them.

use crate::handlers::limits;
use crate::limits::Scope;
use crate::{
    BodyKind, Context, Endpoint, Environment, Family, Need, Problem, Response, Route, RouteTable, Verb,
};

/// A call of this family.
#[derive(Debug)]
pub enum Call {
    Read(Scope),
    Put(Scope),
    Delete(Scope),
}

const TENANT: &str = "/limits";
const OPERATOR: &str = "/operator/limits";

/// The family.
#[derive(Debug)]
pub struct Limits;

impl Endpoint for Limits {
    type Route = Call;

    const FAMILY: Family = Family::Limits;

    fn table() -> RouteTable<Call> {
        const {
            &[
                Route::new(Verb::Get, TENANT, Need::Admin, |_| Ok(Call::Read(Scope::Tenant))),
                Route::new(Verb::Put, TENANT, Need::Admin, |_| Ok(Call::Put(Scope::Tenant)))
                    .with_body(BodyKind::Json),
                Route::new(Verb::Delete, TENANT, Need::Admin, |_| {
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
            ]
        }
    }

    async fn call<E: Environment>(context: &Context<'_, E>, call: Call) -> Result<Response, Problem> {
        match call {
            Call::Read(scope) => limits::read(context, scope).await,
            Call::Put(scope) => limits::put(context, scope).await,
            Call::Delete(scope) => limits::delete(context, scope).await,
        }
    }
}
