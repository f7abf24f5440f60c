//! Tenants: their records, which the operator sets, their usage, and the audit log.

mod audit;
mod shards;
mod tenants;

use leaderboard_api::Permission::{Admin, Operator};
use leaderboard_api::{FunctionName, PathParams, Problem, Response};
use leaderboard_core::TenantId;
use leaderboard_pipeline::{Context, Endpoint, Route, RouteTable, Routes};
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
    /// Reads on which shard a tenant lives.
    Shard(TenantId),
    /// Moves a tenant to a shard.
    Move(TenantId),
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
const SHARD: &str = "/tenants/:tenant/shard";

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
                Route::get("/tenants", Operator, |_| Ok(TenantsRoute::List)),
                Route::get(ONE, Operator, |params| id(params).map(TenantsRoute::Read)),
                Route::put(ONE, Operator, |params| id(params).map(TenantsRoute::Put)),
                Route::patch(ONE, Operator, |params| id(params).map(TenantsRoute::Patch)),
                Route::get("/tenants/:tenant/usage", Operator, |params| {
                    id(params).map(TenantsRoute::Usage)
                }),
                Route::get(SHARD, Operator, |params| id(params).map(TenantsRoute::Shard)),
                Route::put(SHARD, Operator, |params| id(params).map(TenantsRoute::Move)),
                Route::get("/tenant", Admin, |_| Ok(TenantsRoute::Own)),
                Route::get("/tenant/usage", Admin, |_| Ok(TenantsRoute::OwnUsage)),
                Route::get("/audit", Admin, |_| Ok(TenantsRoute::Audit)),
                Route::get("/operator/audit", Operator, |_| Ok(TenantsRoute::OperatorAudit)),
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
            TenantsRoute::Shard(id) => shards::read(context, &id).await,
            TenantsRoute::Move(id) => shards::put(context, &id).await,
            TenantsRoute::Own => tenants::own(context).await,
            TenantsRoute::OwnUsage => tenants::usage(context, context.tenant).await,
            TenantsRoute::Audit => audit::of_tenant(context).await,
            TenantsRoute::OperatorAudit => audit::of_operator(context).await,
        }
    }
}
