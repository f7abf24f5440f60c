//! The charge for a response that several callers without a credential share.

use std::net::IpAddr;
use std::rc::Rc;

use http::HeaderValue;
use leaderboard_core::TenantId;

use crate::PipelineEnvironment;
use crate::endpoint::Context;
use crate::route::RouteHead;
use leaderboard_api::{Credential, FunctionName, Permission};
use leaderboard_rate_limit::{Charging, RateLimiter};
use leaderboard_tenant_config::TenantConfig;

/// What a caller without a credential is charged when the micro-cache answers.
#[derive(Debug)]
pub struct AnonymousCharge {
    tenant: TenantId,
    tenant_config: Rc<TenantConfig>,
}

impl AnonymousCharge {
    /// Returns the charge of a request, or `None` if other callers must not get its response.
    pub fn of<E: PipelineEnvironment>(context: &Context<'_, E>, route: &RouteHead) -> Option<Self> {
        let anybodys = context.identity.credential == Credential::None
            && route.permission == Permission::Read
            && route.charging == Charging::Locally;
        anybodys.then(|| Self {
            tenant: context.tenant.clone(),
            tenant_config: Rc::clone(&context.tenant_config),
        })
    }

    /// Charges one more caller, who reuses the response, and returns the `RateLimit-Policy` and `RateLimit` headers. Returns `None`, and charges nothing,
    /// if the request must go through the whole pipeline to be decided.
    pub fn charge_reuse<E: PipelineEnvironment>(
        &self,
        env: &E,
        function: FunctionName,
        client: Option<IpAddr>,
    ) -> Option<(Option<HeaderValue>, Option<HeaderValue>)> {
        let limits = &self.tenant_config.limits;
        if !limits.admit(client) {
            return None;
        }
        if !limits.reads {
            return Some((None, None));
        }
        let rate_limiter =
            RateLimiter::for_anonymous(self.tenant_config.limits(), function, client, &self.tenant);
        Some(match rate_limiter.charge_if_known(env, &self.tenant)? {
            Some([(_, policies), (_, remaining)]) => (Some(policies), Some(remaining)),
            None => (None, None),
        })
    }
}
