//! What a function is: a table of routes, and a handler for each of them.

use std::net::IpAddr;
use std::rc::Rc;

use http::HeaderMap;
use leaderboard_api::{ApiVersion, FunctionName, Identity, JsonForm, Problem, Response};
use leaderboard_core::access::Caller;
use leaderboard_core::ports::ReadSource;
use leaderboard_core::usecase::Deps;
use leaderboard_core::{TenantId, Timestamp};
use leaderboard_rate_limit::RateLimiter;
use leaderboard_tenant_config::TenantConfig;

use crate::PipelineEnvironment;
use crate::audited_action::AuditedAction;
use crate::route::RouteTable;

/// The routes of a function.
pub trait Routes {
    /// The function's own enum of routes, with their parameters parsed.
    type Route: 'static;

    /// The name of the function.
    const FUNCTION: FunctionName;

    /// Returns the routes. The first one that matches a request serves it.
    fn table() -> RouteTable<Self::Route>;
}

/// A function that answers requests for its routes.
#[expect(
    async_fn_in_trait,
    reason = "a component runs on one thread, so no Send bound is wanted"
)]
pub trait Endpoint<E>: Routes {
    /// Runs the handler of a route, for a request that has passed the pipeline.
    ///
    /// # Errors
    /// Returns the problem that the client gets instead of a response.
    async fn handle_route(context: &Context<'_, E>, route: Self::Route) -> Result<Response, Problem>;
}

/// The request context: what the pipeline has found out about a request before its handler runs.
pub struct Context<'a, E> {
    /// The environment: stores, caches, clock and settings.
    pub env: &'a E,
    /// The instant of the request.
    pub now: Timestamp,
    /// The tenant that the request is about.
    pub tenant: &'a TenantId,
    /// The caller, as a leaderboard's access rules know it.
    pub caller: Caller,
    /// The caller's credential and what it allows.
    pub identity: &'a Identity,
    /// The client's address; `None` when the host does not tell it.
    pub client: Option<IpAddr>,
    /// The tenant's record, limits and flags.
    pub tenant_config: Rc<TenantConfig>,
    /// The rate limits of the request, and how it is charged.
    pub rate_limiter: &'a RateLimiter,
    /// The query as the client sent it, without the question mark and without the tenant of a read.
    pub query: &'a str,
    /// The request's headers.
    pub headers: &'a HeaderMap,
    /// The request's body; at most [`crate::MAX_BODY_BYTES`].
    pub body: &'a [u8],
    /// Whether the path names the version of the API. If not, other requests to the same address can get another version.
    pub version_in_path: bool,
    /// Whether the address names the tenant. If not, other requests to the same address can be about another tenant.
    pub tenant_in_address: bool,
    /// The version of the API in which the response is written.
    pub version: ApiVersion,
    /// The form of JSON that the client accepts.
    pub accepted: JsonForm,
    /// The request's trace id: the `instance` of its problems.
    pub trace_id: &'a str,
    /// The administrative action that the request asks for, if any.
    pub action: Option<AuditedAction<'a>>,
}

impl<E: PipelineEnvironment> Context<'_, E> {
    /// Sets the cost of a write that is charged in the same call that writes. The default is one unit.
    ///
    /// # Errors
    /// 429 when this instance already knows that a limit has too few units left.
    pub fn set_cost(&self, units: u64) -> Result<(), Problem> {
        self.rate_limiter.set_cost(self.env, self.tenant, units)
    }

    /// Charges a read that costs more than a cache hit: `units` in addition to the unit that every read costs.
    ///
    /// This does not refuse the read. The caller has fewer units left for the next requests.
    pub fn charge_more(&self, units: u64) {
        self.rate_limiter.charge_more(self.env, self.tenant, units);
    }

    /// Returns the same context with other headers, for a read whose result is a part of the response.
    pub fn with_headers<'h>(&'h self, headers: &'h HeaderMap) -> Context<'h, E> {
        Context {
            env: self.env,
            now: self.now,
            tenant: self.tenant,
            caller: self.caller.clone(),
            identity: self.identity,
            client: self.client,
            tenant_config: Rc::clone(&self.tenant_config),
            rate_limiter: self.rate_limiter,
            query: self.query,
            headers,
            body: self.body,
            version_in_path: self.version_in_path,
            tenant_in_address: self.tenant_in_address,
            version: self.version,
            accepted: self.accepted,
            trace_id: self.trace_id,
            action: None,
        }
    }

    /// Returns the ports that the use cases need.
    #[must_use]
    pub fn deps(&self) -> Deps<'_, E::Store, E::Cache> {
        Deps {
            store: self.env.store(),
            cache: self.env.cache(),
            leaderboard_memory: self.env.leaderboard_memory(),
            tenant: self.tenant,
            now: self.now,
            source: ReadSource::Primary,
        }
    }
}
