//! Where limits hold a request up before anything is known of its tenant: before a credential is looked at, and before the
//! tenant that an anonymous caller names.

use std::net::IpAddr;
use std::rc::Rc;

use http::HeaderMap;
use http::header::AUTHORIZATION;
use leaderboard_core::{StoreError, TenantId};

use crate::AuthEnvironment;
use leaderboard_api::Permission;
use leaderboard_api::{Credential, Identity};
use leaderboard_api::{Problem, ProblemType};
use leaderboard_rate_limit::{
    AppliedLimit, Cost, RateLimitRules, look, now_us, of_address, of_credentials, of_unanswered, refused,
    schedule,
};
use leaderboard_tenant_config::TenantConfig;

/// The operator's rules. Without them, and without the store, the defaults hold: whether a request needs more than this to
/// be known is decided later.
pub async fn read_operator_rules<E: AuthEnvironment>(env: &E) -> Result<Rc<RateLimitRules>, Problem> {
    match TenantConfig::load_operator_rules(env).await {
        Err(StoreError::Unavailable(_)) => Ok(Rc::default()),
        rules => Ok(rules?),
    }
}

/// The limits of an address, for a request that shows a credential.
#[derive(Default)]
pub struct AuthThrottle {
    /// On refused credentials.
    refused: Option<AppliedLimit>,
    /// On requests that fail, because the store is out of reach, before it is known whose they are.
    unanswered: Option<AppliedLimit>,
}

impl AuthThrottle {
    /// Lets a request on to the check of its credential unless too many from its address were refused. Waits for nothing but
    /// the region's cache.
    ///
    /// # Errors
    /// 429.
    pub async fn check_refused<E: AuthEnvironment>(
        env: &E,
        headers: &HeaderMap,
        client: Option<IpAddr>,
    ) -> Result<Self, Problem> {
        if !headers.contains_key(AUTHORIZATION) && !headers.contains_key("x-api-key") {
            return Ok(Self::default());
        }
        let rules = read_operator_rules(env).await?;
        let limit = of_credentials(&rules, client);
        if let Some(limit) = &limit {
            let (payer, one) = (env.default_tenant(), std::slice::from_ref(limit));
            look(env, payer, one).await;
            let buckets = &env.rate_limit_state().buckets;
            if !buckets.has_room(payer, one, Cost::ONE, now_us(env)) {
                let rate_limit_decision = buckets.peek(payer, one, Cost::ONE, now_us(env));
                // Whatever the credential is: it is refused unseen.
                return Err(refused(env, one, &rate_limit_decision, Cost::ONE).with_refused(None, None));
            }
        }
        Ok(Self {
            refused: limit,
            unanswered: of_unanswered(&rules, client),
        })
    }

    /// Lets a request on to the check of its credential unless too many from its address have failed because the store is out of
    /// reach. Reads are not cached up: they go on without the store.
    ///
    /// # Errors
    /// 429.
    pub fn check_unanswered<E: AuthEnvironment>(
        &self,
        env: &E,
        permission: Permission,
    ) -> Result<(), Problem> {
        let one = self.unanswered(permission);
        let payer = env.default_tenant();
        let buckets = &env.rate_limit_state().buckets;
        if buckets.has_room(payer, one, Cost::ONE, now_us(env)) {
            return Ok(());
        }
        let rate_limit_decision = buckets.peek(payer, one, Cost::ONE, now_us(env));
        Err(refused(env, one, &rate_limit_decision, Cost::ONE))
    }

    /// Charges a request that fails before it passes its own limits, if that is because the store is out of reach. What to answer:
    /// the problem, or 429 where other instances know that too many have failed.
    pub async fn failed<E: AuthEnvironment>(
        &self,
        env: &E,
        permission: Permission,
        problem: Problem,
    ) -> Problem {
        let one = self.unanswered(permission);
        if problem.kind != ProblemType::Unavailable || one.is_empty() {
            return problem;
        }
        let payer = env.default_tenant();
        look(env, payer, one).await;
        if let Err(refused) = self.check_unanswered(env, permission) {
            return refused;
        }
        let buckets = &env.rate_limit_state().buckets;
        buckets.charge(payer, one, Cost::ONE, 0, now_us(env));
        schedule(env);
        problem
    }

    fn unanswered(&self, permission: Permission) -> &[AppliedLimit] {
        let limit = self.unanswered.as_ref().filter(|_| !permission.is_read());
        limit.map_or(&[], std::slice::from_ref)
    }

    /// Charges a credential that was refused.
    pub fn charge<E: AuthEnvironment>(&self, env: &E, refusal: &Problem) {
        if refusal.kind == ProblemType::Unauthenticated {
            self.charge_guess(env);
        }
    }

    /// Charges a credential that was not the operator's, where only that would have helped.
    pub fn charge_guess<E: AuthEnvironment>(&self, env: &E) {
        if let Some(limit) = &self.refused {
            let (payer, one) = (env.default_tenant(), std::slice::from_ref(limit));
            let buckets = &env.rate_limit_state().buckets;
            buckets.charge(payer, one, Cost::ONE, 0, now_us(env));
            schedule(env);
        }
    }
}

/// Lets a request without a credential on to what is known of the tenant that it names, unless its address has used up what
/// the operator grants it: what is not known costs a question to the store.
///
/// # Errors
/// 429.
pub async fn check_address<E: AuthEnvironment>(
    env: &E,
    identity: &Identity,
    client: Option<IpAddr>,
    tenant: &TenantId,
) -> Result<(), Problem> {
    let payer = env.default_tenant();
    if identity.credential != Credential::None || tenant == payer {
        return Ok(());
    }
    let rules = TenantConfig::load_operator_rules(env).await.unwrap_or_default();
    let limit = of_address(&rules, client).filter(|_| rules.reads);
    let one = limit.as_slice();
    look(env, payer, one).await;
    let buckets = &env.rate_limit_state().buckets;
    if buckets.has_room(payer, one, Cost::ONE, now_us(env)) {
        Ok(())
    } else {
        let rate_limit_decision = buckets.peek(payer, one, Cost::ONE, now_us(env));
        Err(refused(env, one, &rate_limit_decision, Cost::ONE))
    }
}
