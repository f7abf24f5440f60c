//! Tenants: their records, which the operator sets, their usage, and the audit log.

mod audit;
mod tenants;

use leaderboard_api::{BodyKind, FunctionName, PathParams, Permission, Problem, Response};
use leaderboard_core::TenantId;
use leaderboard_pipeline::{Context, Endpoint, Route, RouteTable, Routes, Verb};
use leaderboard_responses::ResponseEnvironment;

#[cfg(feature = "schema")]
pub use audit::add_schemas;

/// A route with its parameters parsed.
#[derive(Debug)]
pub enum TenantsRoute {
    /// Lists the tenants.
    List,
    /// Reads a tenant's record.
    Read(TenantId),
    /// Creates or replaces a record.
    Put(TenantId),
    /// Changes a part of a record.
    Patch(TenantId),
    /// Reads a tenant's usage.
    Usage(TenantId),
    /// Reads the record of the caller's tenant.
    Own,
    /// Reads the usage of the caller's tenant.
    OwnUsage,
    /// Reads the tenant's audit log.
    Audit,
    /// Reads the operator's audit log.
    OperatorAudit,
}

const ONE: &str = "/tenants/:tenant";

fn id(params: &PathParams<'_>) -> Result<TenantId, Problem> {
    params.tenant()
}

/// The routes of the function `tenants`.
#[derive(Debug)]
pub struct TenantsFunction;

impl Routes for TenantsFunction {
    type Route = TenantsRoute;

    const FUNCTION: FunctionName = FunctionName::Tenants;

    fn table() -> RouteTable<TenantsRoute> {
        const {
            &[
                Route::new(Verb::Get, "/tenants", Permission::Operator, |_| {
                    Ok(TenantsRoute::List)
                }),
                Route::new(Verb::Get, ONE, Permission::Operator, |params| {
                    id(params).map(TenantsRoute::Read)
                }),
                Route::new(Verb::Put, ONE, Permission::Operator, |params| {
                    id(params).map(TenantsRoute::Put)
                })
                .with_body(BodyKind::Json),
                Route::new(Verb::Patch, ONE, Permission::Operator, |params| {
                    id(params).map(TenantsRoute::Patch)
                })
                .with_body(BodyKind::MergePatch),
                Route::new(
                    Verb::Get,
                    "/tenants/:tenant/usage",
                    Permission::Operator,
                    |params| id(params).map(TenantsRoute::Usage),
                ),
                Route::new(Verb::Get, "/tenant", Permission::Admin, |_| Ok(TenantsRoute::Own)),
                Route::new(Verb::Get, "/tenant/usage", Permission::Admin, |_| {
                    Ok(TenantsRoute::OwnUsage)
                }),
                Route::new(Verb::Get, "/audit", Permission::Admin, |_| {
                    Ok(TenantsRoute::Audit)
                }),
                Route::new(Verb::Get, "/operator/audit", Permission::Operator, |_| {
                    Ok(TenantsRoute::OperatorAudit)
                }),
            ]
        }
    }
}

impl<E: ResponseEnvironment> Endpoint<E> for TenantsFunction {
    async fn handle_route(context: &Context<'_, E>, route: TenantsRoute) -> Result<Response, Problem> {
        match route {
            TenantsRoute::List => tenants::list(context).await,
            TenantsRoute::Read(id) => tenants::read(context, id).await,
            TenantsRoute::Put(id) => tenants::put(context, id).await,
            TenantsRoute::Patch(id) => tenants::patch(context, id).await,
            TenantsRoute::Usage(id) => tenants::usage(context, &id).await,
            TenantsRoute::Own => tenants::own(context).await,
            TenantsRoute::OwnUsage => tenants::usage(context, context.tenant).await,
            TenantsRoute::Audit => audit::of_tenant(context).await,
            TenantsRoute::OperatorAudit => audit::of_operator(context).await,
        }
    }
}
