//! The limits by address that apply before the tenant of a request is known: on refused credentials, on requests that fail
//! because the store is out of reach, and on anonymous callers.

use std::net::IpAddr;
use std::rc::Rc;

use http::HeaderMap;
use http::header::AUTHORIZATION;
use leaderboard_core::{StoreError, TenantId};

use crate::AuthEnvironment;
use leaderboard_api::{Credential, Identity, Permission, Problem, ProblemType};
use leaderboard_rate_limit::{
    AppliedLimit, RateLimitRules, RequestCost, load_usage, now_us, refuse_request, schedule_report,
    select_address_limit, select_failed_auth_limit, select_unanswered_limit,
};
use leaderboard_tenant_config::TenantConfig;

/// Returns the operator's rate limits, or the defaults when the store is out of reach. Requests that need the store are refused
/// later.
///
/// # Errors
/// The problem for a damaged document.
pub async fn read_operator_rules<E: AuthEnvironment>(env: &E) -> Result<Rc<RateLimitRules>, Problem> {
    match TenantConfig::load_operator_rules(env).await {
        Err(StoreError::Unavailable(_)) => Ok(Rc::default()),
        rules => Ok(rules?),
    }
}

/// The limits by address of a request that has a credential. A request without a credential has no such limits.
#[derive(Default)]
pub struct AuthThrottle {
    /// The limit on refused credentials.
    refused: Option<AppliedLimit>,
    /// The limit on requests that fail because the store is out of reach.
    unanswered: Option<AppliedLimit>,
}

impl AuthThrottle {
    /// Returns the throttle of a request, unless its client address has used up the limit on refused credentials. Reads the
    /// operator's rate limits, from the store if they are not cached.
    ///
    /// # Errors
    /// 429, before the credential is checked.
    pub async fn check_refused<E: AuthEnvironment>(
        env: &E,
        headers: &HeaderMap,
        client: Option<IpAddr>,
    ) -> Result<Self, Problem> {
        if !headers.contains_key(AUTHORIZATION) && !headers.contains_key("x-api-key") {
            return Ok(Self::default());
        }
        let rules = read_operator_rules(env).await?;
        let limit = select_failed_auth_limit(&rules, client);
        if let Some(limit) = &limit {
            let limits = std::slice::from_ref(limit);
            load_usage(env, env.default_tenant(), limits).await;
            // The audit log counts the refusal as one of an unknown caller, because the credential is not checked.
            check_room(env, limits).map_err(|refusal| refusal.with_refused(None, None))?;
        }
        Ok(Self {
            refused: limit,
            unanswered: select_unanswered_limit(&rules, client),
        })
    }

    /// Checks that not too many requests from the address have failed because the store is out of reach. A read always passes
    /// this check, because caches can answer it.
    ///
    /// # Errors
    /// 429.
    pub fn check_unanswered<E: AuthEnvironment>(
        &self,
        env: &E,
        permission: Permission,
    ) -> Result<(), Problem> {
        check_room(env, self.unanswered_limit(permission))
    }

    /// Charges a request that fails because the store is out of reach, before its own limits apply. Returns the problem to answer
    /// with: `problem`, or 429 when the region's cache shows that too many requests from the address have failed.
    pub async fn charge_failure<E: AuthEnvironment>(
        &self,
        env: &E,
        permission: Permission,
        problem: Problem,
    ) -> Problem {
        let limits = self.unanswered_limit(permission);
        if problem.kind != ProblemType::Unavailable || limits.is_empty() {
            return problem;
        }
        load_usage(env, env.default_tenant(), limits).await;
        if let Err(refused) = self.check_unanswered(env, permission) {
            return refused;
        }
        charge_unit(env, limits);
        problem
    }

    fn unanswered_limit(&self, permission: Permission) -> &[AppliedLimit] {
        let limit = self.unanswered.as_ref().filter(|_| !permission.is_read());
        limit.map_or(&[], std::slice::from_ref)
    }

    /// Charges the address for a refused credential (401).
    pub fn charge_refusal<E: AuthEnvironment>(&self, env: &E, refusal: &Problem) {
        if refusal.kind == ProblemType::Unauthenticated {
            self.charge_failed_authentication(env);
        }
    }

    /// Charges the address for a failed authentication: a refused credential, or any credential but the operator's where the
    /// operator's is required.
    pub fn charge_failed_authentication<E: AuthEnvironment>(&self, env: &E) {
        if let Some(limit) = &self.refused {
            charge_unit(env, std::slice::from_ref(limit));
        }
    }
}

/// Checks that the address of an anonymous request has room under the operator's limit, before the configuration of the request's
/// tenant is loaded. Without this check, each invented tenant would cost a read of the store.
///
/// # Errors
/// 429.
pub async fn check_address<E: AuthEnvironment>(
    env: &E,
    identity: &Identity,
    client: Option<IpAddr>,
    tenant: &TenantId,
) -> Result<(), Problem> {
    let default_tenant = env.default_tenant();
    if identity.credential != Credential::None || tenant == default_tenant {
        return Ok(());
    }
    let rules = TenantConfig::load_operator_rules(env).await.unwrap_or_default();
    let limit = select_address_limit(&rules, client).filter(|_| rules.reads);
    load_usage(env, default_tenant, limit.as_slice()).await;
    check_room(env, limit.as_slice())
}

/// Checks that each limit has room for one unit. These limits are counted under the default tenant.
fn check_room<E: AuthEnvironment>(env: &E, limits: &[AppliedLimit]) -> Result<(), Problem> {
    let (buckets, tenant) = (&env.rate_limit_state().buckets, env.default_tenant());
    if buckets.has_room(tenant, limits, RequestCost::ONE, now_us(env)) {
        return Ok(());
    }
    let decision = buckets.read_decision(tenant, limits, RequestCost::ONE, now_us(env));
    Err(refuse_request(env, limits, &decision, RequestCost::ONE))
}

/// Charges one unit to each limit. These limits are counted under the default tenant.
fn charge_unit<E: AuthEnvironment>(env: &E, limits: &[AppliedLimit]) {
    let buckets = &env.rate_limit_state().buckets;
    buckets.charge(env.default_tenant(), limits, RequestCost::ONE, 0, now_us(env));
    schedule_report(env);
}
