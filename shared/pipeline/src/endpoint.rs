//! What a function is: a table of routes and what each of them does.

use std::cell::RefCell;
use std::net::IpAddr;
use std::rc::Rc;

use http::HeaderMap;
use leaderboard_core::access::Caller;
use leaderboard_core::ports::{ChargeRequest, RankDetail, RateLimitDecision, RateLimits, SubmitOptions};
use leaderboard_core::usecase::Deps;
use leaderboard_core::{TenantId, Timestamp};

use crate::PipelineEnvironment;
use crate::audit::AuditedAction;
use crate::route::RouteTable;
use leaderboard_api::ApiVersion;
use leaderboard_api::FunctionName;
use leaderboard_api::Identity;
use leaderboard_api::{JsonForm, Response};
use leaderboard_api::{Problem, ProblemType};
use leaderboard_rate_limit::RateLimiter;
use leaderboard_tenant_config::TenantConfig;

/// The routes of a function.
pub trait Routes {
    /// The function's own enum of routes, with their parameters parsed.
    type Route: 'static;

    /// Which function it is.
    const FUNCTION: FunctionName;

    /// Returns the routes; the first that matches a request serves it.
    fn table() -> RouteTable<Self::Route>;
}

/// A function that answers requests for its routes in an environment.
#[expect(
    async_fn_in_trait,
    reason = "a component runs on one thread, so no Send bound is wanted"
)]
pub trait Endpoint<E>: Routes {
    /// Answers a request that has passed the pipeline.
    ///
    /// # Errors
    /// The problem to answer with instead.
    async fn call(context: &Context<'_, E>, route: Self::Route) -> Result<Response, Problem>;
}

/// A request that has passed the pipeline, and the world to answer it with.
pub struct Context<'a, E> {
    /// The world.
    pub env: &'a E,
    /// The instant of the request.
    pub now: Timestamp,
    /// Whose data it is about.
    pub tenant: TenantId,
    /// AuditActor asks, as leaderboards know it.
    pub caller: Caller,
    /// AuditActor asks, and by what credential.
    pub identity: Identity,
    /// Where the request comes from; `None` when the host tells nothing.
    pub client: Option<IpAddr>,
    /// What is known of the tenant.
    pub tenant_config: Rc<TenantConfig>,
    /// The request's limits, and how it is charged.
    pub rate_limiter: &'a RateLimiter,
    /// What that call answered about the limits, for the headers of the response.
    pub rate_limit_decision: RefCell<Option<RateLimitDecision>>,
    /// The query of the address as it was sent, without the question mark and the tenant of a read.
    pub query: &'a str,
    /// The request's headers.
    pub headers: &'a HeaderMap,
    /// The request's body; at most [`crate::MAX_BODY_BYTES`].
    pub body: &'a [u8],
    /// Whether the path names the version; otherwise another request for the same address may be answered in another one.
    pub version_in_path: bool,
    /// Whether the address names the tenant; otherwise another request for the same address may be about another one.
    pub tenant_in_address: bool,
    /// The version of the API that it is answered in.
    pub version: ApiVersion,
    /// What the client wants to read.
    pub accepted: JsonForm,
    /// The request's trace id: the `instance` of its problems.
    pub trace_id: &'a str,
    /// The administrative act that it asks for; `None` when it asks for none.
    pub act: Option<AuditedAction<'a>>,
}

impl<E: PipelineEnvironment> Context<'_, E> {
    /// Tells how much a write costs that is charged in the call that does the work; before that it is one unit.
    ///
    /// # Errors
    /// 429 when it is known here that there is no room for as much.
    pub fn set_cost(&self, units: u64) -> Result<(), Problem> {
        self.rate_limiter.set_cost(self.env, &self.tenant, units)
    }

    /// Charges a read with so many units more than the one that it was let through with: for what turns out to cost more
    /// than a hit. It is never refused for them; they are missing from its caller's next requests.
    pub fn charge_more(&self, units: u64) {
        self.rate_limiter.charge_more(self.env, &self.tenant, units);
    }

    /// On which terms this request submits.
    #[must_use]
    pub fn submit_options(&self, ranks: RankDetail) -> SubmitOptions {
        SubmitOptions {
            ranks,
            charge_request: self.rate_limiter.charge_request_in_call(),
            max_tenant_entries: self.tenant_config.tenant.quotas.entries,
            max_log_bytes: Some(self.tenant_config.tenant.quotas.max_log_bytes()),
            announce_on: self.env.changes_channel().cloned(),
            received_at: None,
        }
    }

    /// Charges a request that submits in a command of its own, unless it is charged already; nothing is left to charge for the
    /// call that does the work. For one that writes or asks the store before that call.
    ///
    /// # Errors
    /// 429 when a limit is used up; 503 when the store does not say.
    pub async fn charge_now(&self, terms: &mut SubmitOptions) -> Result<(), Problem> {
        if terms.charge_request == ChargeRequest::default() {
            return Ok(());
        }
        let rate_limit_decision = self.env.store().take(&self.tenant, &terms.charge_request).await?;
        terms.charge_request = ChargeRequest::default();
        let refused = rate_limit_decision.refused;
        *self.rate_limit_decision.borrow_mut() = Some(rate_limit_decision);
        if refused {
            Err(Problem::new(ProblemType::TooManyRequests))
        } else {
            Ok(())
        }
    }

    /// The same request with other headers: for a part of its answer.
    pub fn with_headers<'h>(&'h self, headers: &'h HeaderMap) -> Context<'h, E> {
        Context {
            env: self.env,
            now: self.now,
            tenant: self.tenant.clone(),
            caller: self.caller.clone(),
            identity: self.identity.clone(),
            client: self.client,
            tenant_config: Rc::clone(&self.tenant_config),
            rate_limiter: self.rate_limiter,
            rate_limit_decision: RefCell::default(),
            query: self.query,
            headers,
            body: self.body,
            version_in_path: self.version_in_path,
            tenant_in_address: self.tenant_in_address,
            version: self.version,
            accepted: self.accepted,
            trace_id: self.trace_id,
            act: None,
        }
    }

    /// What the use cases work with.
    #[must_use]
    pub fn deps(&self) -> Deps<'_, E::Store, E::Cache> {
        Deps {
            store: self.env.store(),
            cache: self.env.cache(),
            boards: self.env.boards(),
            now: self.now,
        }
    }
}
