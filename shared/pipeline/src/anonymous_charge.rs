//! On which terms an answer is given to somebody else, too.

use std::net::IpAddr;
use std::rc::Rc;

use http::HeaderValue;
use leaderboard_core::TenantId;

use crate::PipelineEnvironment;
use crate::endpoint::Context;
use crate::route::Route;
use leaderboard_api::Credential;
use leaderboard_api::FunctionName;
use leaderboard_api::Permission;
use leaderboard_rate_limit::Charging;
use leaderboard_rate_limit::RateLimiter;
use leaderboard_tenant_config::TenantConfig;

/// What a read without a credential is charged with when its answer is given again.
#[derive(Debug)]
pub struct AnonymousCharge {
    tenant: TenantId,
    tenant_config: Rc<TenantConfig>,
}

impl AnonymousCharge {
    /// The terms of a request; `None` when its answer is for nobody else.
    pub fn of<R, E: PipelineEnvironment>(context: &Context<'_, E>, route: &Route<R>) -> Option<Self> {
        let anybodys = context.identity.credential == Credential::None
            && route.permission == Permission::Read
            && route.charging == Charging::Locally;
        anybodys.then(|| Self {
            tenant: context.tenant.clone(),
            tenant_config: Rc::clone(&context.tenant_config),
        })
    }

    /// Charges one more reader: the limits and what is left of them, as they are told. `None`, and nothing is charged, when that
    /// takes the whole way of a request.
    pub fn again<E: PipelineEnvironment>(
        &self,
        env: &E,
        family: FunctionName,
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
            RateLimiter::for_anonymous(self.tenant_config.limits(), family, client, &self.tenant);
        Some(match rate_limiter.charge_if_known(env, &self.tenant)? {
            Some([(_, policies), (_, rooms)]) => (Some(policies), Some(rooms)),
            None => (None, None),
        })
    }
}
