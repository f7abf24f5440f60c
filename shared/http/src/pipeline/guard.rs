//! Where limits hold a request up before anything is known of its tenant: before a credential is looked at, and before the
//! tenant that an anonymous caller names.

use std::net::IpAddr;
use std::rc::Rc;

use http::HeaderMap;
use http::header::AUTHORIZATION;
use leaderboard_core::ports::RateLimitDecision;
use leaderboard_core::{StoreError, TenantId};

use crate::edge::Knowledge;
use crate::environment::Environment;
use crate::identity::{Credential, Identity};
use crate::limits::{
    Applied, Cost, Rules, Told, limited, limited_by_quota, look, micros, of_address, of_credentials,
    of_unanswered, schedule,
};
use crate::problem::{Problem, ProblemType};
use crate::route::Need;

/// The operator's rules. Without them, and without the store, the defaults hold: whether a request needs more than this to
/// be known is decided later.
pub(super) async fn rules<E: Environment>(env: &E) -> Result<Rc<Rules>, Problem> {
    match Knowledge::rules_of_the_operator(env).await {
        Err(StoreError::Unavailable(_)) => Ok(Rc::default()),
        rules => Ok(rules?),
    }
}

/// The limits of an address, for a request that shows a credential.
#[derive(Default)]
pub(crate) struct Guard {
    /// On refused credentials.
    refused: Option<Applied>,
    /// On requests that fail, because the store is out of reach, before it is known whose they are.
    unanswered: Option<Applied>,
}

impl Guard {
    /// Lets a request on to the check of its credential unless too many from its address were refused. Waits for nothing but
    /// the region's cache.
    ///
    /// # Errors
    /// 429.
    pub(crate) async fn enter<E: Environment>(
        env: &E,
        headers: &HeaderMap,
        client: Option<IpAddr>,
    ) -> Result<Self, Problem> {
        if !headers.contains_key(AUTHORIZATION) && !headers.contains_key("x-api-key") {
            return Ok(Self::default());
        }
        let rules = rules(env).await?;
        let limit = of_credentials(&rules, client);
        if let Some(limit) = &limit {
            let (payer, one) = (&env.settings().default_tenant, std::slice::from_ref(limit));
            look(env, payer, one).await;
            let buckets = &env.memory().limiter.buckets;
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
    /// reach. Reads are not held up: they go on without the store.
    ///
    /// # Errors
    /// 429.
    pub(super) fn check_unanswered<E: Environment>(&self, env: &E, need: Need) -> Result<(), Problem> {
        let one = self.unanswered(need);
        let payer = &env.settings().default_tenant;
        let buckets = &env.memory().limiter.buckets;
        if buckets.has_room(payer, one, Cost::ONE, now_us(env)) {
            return Ok(());
        }
        let rate_limit_decision = buckets.peek(payer, one, Cost::ONE, now_us(env));
        Err(refused(env, one, &rate_limit_decision, Cost::ONE))
    }

    /// Charges a request that fails before it passes its own limits, if that is because the store is out of reach. What to answer:
    /// the problem, or 429 where other instances know that too many have failed.
    pub(super) async fn failed<E: Environment>(&self, env: &E, need: Need, problem: Problem) -> Problem {
        let one = self.unanswered(need);
        if problem.kind != ProblemType::Unavailable || one.is_empty() {
            return problem;
        }
        let payer = &env.settings().default_tenant;
        look(env, payer, one).await;
        if let Err(refused) = self.check_unanswered(env, need) {
            return refused;
        }
        let buckets = &env.memory().limiter.buckets;
        buckets.charge(payer, one, Cost::ONE, 0, now_us(env));
        schedule(env);
        problem
    }

    fn unanswered(&self, need: Need) -> &[Applied] {
        let limit = self.unanswered.as_ref().filter(|_| !need.is_read());
        limit.map_or(&[], std::slice::from_ref)
    }

    /// Charges a credential that was refused.
    pub(crate) fn charge<E: Environment>(&self, env: &E, refusal: &Problem) {
        if refusal.kind == ProblemType::Unauthenticated {
            self.charge_guess(env);
        }
    }

    /// Charges a credential that was not the operator's, where only that would have helped.
    pub(super) fn charge_guess<E: Environment>(&self, env: &E) {
        if let Some(limit) = &self.refused {
            let (payer, one) = (&env.settings().default_tenant, std::slice::from_ref(limit));
            let buckets = &env.memory().limiter.buckets;
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
pub(super) async fn check_address<E: Environment>(
    env: &E,
    identity: &Identity,
    client: Option<IpAddr>,
    tenant: &TenantId,
) -> Result<(), Problem> {
    let payer = &env.settings().default_tenant;
    if identity.credential != Credential::None || tenant == payer {
        return Ok(());
    }
    let rules = Knowledge::rules_of_the_operator(env).await.unwrap_or_default();
    let limit = of_address(&rules, client).filter(|_| rules.reads);
    let one = limit.as_slice();
    look(env, payer, one).await;
    let buckets = &env.memory().limiter.buckets;
    if buckets.has_room(payer, one, Cost::ONE, now_us(env)) {
        Ok(())
    } else {
        let rate_limit_decision = buckets.peek(payer, one, Cost::ONE, now_us(env));
        Err(refused(env, one, &rate_limit_decision, Cost::ONE))
    }
}

/// 429, counted.
pub(super) fn refused<E: Environment>(
    env: &E,
    applied: &[Applied],
    rate_limit_decision: &RateLimitDecision,
    cost: Cost,
) -> Problem {
    let told = Told {
        applied,
        rate_limit_decision,
        cost,
        now_us: now_us(env),
    };
    let counts = &env.memory().limiter.counts;
    for one in told.violated() {
        counts.add(limited(one.name), 1);
    }
    if told.quota_is_used_up() {
        counts.add(limited_by_quota(), 1);
    }
    schedule(env);
    told.refusal()
}

pub(super) fn now_us<E: Environment>(env: &E) -> u64 {
    micros(env.now().as_unix_ms())
}
