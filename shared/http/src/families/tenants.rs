//! Tenants: what the operator sets for each, what each uses, and the audit log.

use crate::handlers::{audit, tenants};
use leaderboard_api::{BodyKind, FunctionName, PathParams, Problem, Response};
use crate::{Context, Endpoint, Environment, Need, Route, RouteTable, Verb};
use leaderboard_core::TenantId;

/// A call of this family, its parameters parsed.
#[derive(Debug)]
pub enum Call {
    List,
    Read(TenantId),
    Put(TenantId),
    Patch(TenantId),
    Usage(TenantId),
    Own,
    OwnUsage,
    Audit,
    OperatorAudit,
}

const ONE: &str = "/tenants/:tenant";

fn id(params: &PathParams<'_>) -> Result<TenantId, Problem> {
    params.tenant()
}

/// The family.
#[derive(Debug)]
pub struct Tenants;

impl Endpoint for Tenants {
    type Route = Call;

    const FAMILY: FunctionName = FunctionName::Tenants;

    fn table() -> RouteTable<Call> {
        const {
            &[
                Route::new(Verb::Get, "/tenants", Need::Operator, |_| Ok(Call::List)),
                Route::new(Verb::Get, ONE, Need::Operator, |params| {
                    id(params).map(Call::Read)
                }),
                Route::new(Verb::Put, ONE, Need::Operator, |params| id(params).map(Call::Put))
                    .with_body(BodyKind::Json),
                Route::new(Verb::Patch, ONE, Need::Operator, |params| {
                    id(params).map(Call::Patch)
                })
                .with_body(BodyKind::MergePatch),
                Route::new(Verb::Get, "/tenants/:tenant/usage", Need::Operator, |params| {
                    id(params).map(Call::Usage)
                }),
                Route::new(Verb::Get, "/tenant", Need::Admin, |_| Ok(Call::Own)),
                Route::new(Verb::Get, "/tenant/usage", Need::Admin, |_| Ok(Call::OwnUsage)),
                Route::new(Verb::Get, "/audit", Need::Admin, |_| Ok(Call::Audit)),
                Route::new(Verb::Get, "/operator/audit", Need::Operator, |_| {
                    Ok(Call::OperatorAudit)
                }),
            ]
        }
    }

    async fn call<E: Environment>(context: &Context<'_, E>, call: Call) -> Result<Response, Problem> {
        match call {
            Call::List => tenants::list(context).await,
            Call::Read(id) => tenants::read(context, id).await,
            Call::Put(id) => tenants::put(context, id).await,
            Call::Patch(id) => tenants::patch(context, id).await,
            Call::Usage(id) => tenants::usage(context, &id).await,
            Call::Own => tenants::own(context).await,
            Call::OwnUsage => tenants::usage(context, &context.tenant).await,
            Call::Audit => audit::of_tenant(context).await,
            Call::OperatorAudit => audit::of_operator(context).await,
        }
    }
}
