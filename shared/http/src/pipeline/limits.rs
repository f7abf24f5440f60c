//! Where limits hold a request up: before a credential is looked at, and before the handler.

use std::net::IpAddr;
use std::rc::Rc;

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue};
use leaderboard_core::ports::{Metered, Metering, RateLimits, Usage};
use leaderboard_core::{StoreError, TenantId};

use crate::edge::Knowledge;
use crate::environment::Environment;
use crate::identity::{Credential, Identity};
use crate::limits::{
    Applied, PolicyName, Rules, Told, applied, changes_refused, limited, limited_by_quota, look, micros,
    of_address, of_credentials, schedule,
};
use crate::problem::{Problem, ProblemType};
use crate::response::Response;
use crate::route::{Charging, Family, Route};

/// The operator's rules. Without them, and without the store, the defaults hold: whether a request needs more than this to
/// be known is decided later.
pub(super) async fn rules<E: Environment>(env: &E) -> Result<Rc<Rules>, Problem> {
    match Knowledge::rules_of_the_operator(env).await {
        Err(StoreError::Unavailable(_)) => Ok(Rc::default()),
        rules => Ok(rules?),
    }
}

/// The limit on refused credentials, for a request that shows one.
pub(crate) struct Guard(Option<Applied>);

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
            return Ok(Self(None));
        }
        let rules = rules(env).await?;
        let limit = of_credentials(&rules, client);
        if let Some(limit) = &limit {
            let (payer, one) = (&env.settings().default_tenant, std::slice::from_ref(limit));
            look(env, payer, one).await;
            let buckets = &env.memory().limiter.buckets;
            if !buckets.has_room(payer, one, None, now_us(env)) {
                let metered = buckets.peek(payer, one, None, now_us(env));
                // Whatever the credential is: it is refused unseen.
                return Err(refused(env, one, &metered, None).with_refused(None, None));
            }
        }
        Ok(Self(limit))
    }

    /// Charges a credential that was refused.
    pub(crate) fn charge<E: Environment>(&self, env: &E, refusal: &Problem) {
        if let (Some(limit), ProblemType::Unauthenticated) = (&self.0, refusal.kind) {
            let (payer, one) = (&env.settings().default_tenant, std::slice::from_ref(limit));
            let buckets = &env.memory().limiter.buckets;
            buckets.charge(payer, one, 0, now_us(env));
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
    if buckets.has_room(payer, one, None, now_us(env)) {
        Ok(())
    } else {
        let metered = buckets.peek(payer, one, None, now_us(env));
        Err(refused(env, one, &metered, None))
    }
}

/// The limits of a request that is known to be somebody's, and how it is charged.
pub(super) struct Gate {
    applied: Vec<Applied>,
    /// How many of them, from the first, are not the tenant's: a caller without a credential names any tenant, and is counted
    /// by address under the default one, whichever it names.
    apart: usize,
    /// Whether the caller shows no credential: the tenant is charged once there is an answer.
    anonymous: bool,
    /// Whether an answer is to be had of a tenant that exists alone.
    answers_prove: bool,
    charging: Charging,
    max_requests_per_day: Option<u64>,
    metered: Option<Metered>,
}

impl Gate {
    /// Lets a request on that has room, as far as is known here. One that the instance charges is charged.
    ///
    /// # Errors
    /// 429.
    pub(super) async fn enter<R, E: Environment>(
        env: &E,
        route: &Route<R>,
        family: Family,
        identity: &Identity,
        client: Option<IpAddr>,
        tenant: &TenantId,
        knowledge: &Knowledge,
    ) -> Result<Self, Problem> {
        let charging = route.charging;
        let of_operator = identity.credential == Credential::Operator;
        let unlimited = match charging {
            Charging::Nothing => true,
            Charging::Locally => of_operator || (route.need.is_read() && !knowledge.limits.reads),
            Charging::Before => of_operator,
            Charging::InCall => false,
        };
        let mut gate = Self {
            applied: Vec::new(),
            apart: 0,
            anonymous: identity.credential == Credential::None,
            answers_prove: family == Family::Ranks || knowledge.has_own_documents(),
            charging: if unlimited { Charging::Nothing } else { charging },
            // Whoever sets quotas right must not be held up by one.
            max_requests_per_day: knowledge.tenant.quotas.requests_per_day.filter(|_| !of_operator),
            metered: None,
        };
        if unlimited {
            return Ok(gate);
        }
        gate.applied = applied(&knowledge.limits, identity, client, family);
        if charging == Charging::Locally {
            gate.set_apart();
            for (payer, part) in gate.payers(env, tenant) {
                look(env, payer, part).await;
            }
        }
        // A caller who is known to have no room costs the store nothing.
        if !gate.has_room(env, tenant) {
            return Err(gate.refused(env, &gate.peek(env, tenant)));
        }
        if charging == Charging::Locally {
            gate.charge_locally(env, tenant);
        }
        Ok(gate)
    }

    /// The gate of a read without a credential, of a tenant that is known to exist.
    pub(super) fn of_anybody(knowledge: &Knowledge, family: Family, client: Option<IpAddr>) -> Self {
        let mut gate = Self {
            applied: applied(&knowledge.limits, &Identity::anonymous(), client, family),
            apart: 0,
            anonymous: true,
            answers_prove: true,
            charging: Charging::Locally,
            max_requests_per_day: knowledge.tenant.quotas.requests_per_day,
            metered: None,
        };
        gate.set_apart();
        gate
    }

    /// Charges a request whose answer is there already, and tells the limits and what is left of them. `None`, and nothing is
    /// charged, when it takes more than the instance knows, or when there is no room.
    pub(super) fn charge_known<E: Environment>(
        &self,
        env: &E,
        tenant: &TenantId,
    ) -> Option<Option<[(HeaderName, HeaderValue); 2]>> {
        let buckets = &env.memory().limiter.buckets;
        let (now_us, most) = (now_us(env), self.max_requests_per_day);
        let [(payer, apart), (tenant, own)] = self.payers(env, tenant);
        let known =
            |payer: &TenantId, part: &[Applied]| part.iter().all(|one| buckets.knows(payer, &one.bucket));
        let has_room = known(payer, apart)
            && known(tenant, own)
            && buckets.has_room(payer, apart, None, now_us)
            && buckets.has_room(tenant, own, most, now_us);
        if !has_room {
            return None;
        }
        buckets.charge(payer, apart, 0, now_us);
        buckets.charge(tenant, own, 1, now_us);
        schedule(env);
        let metered = self.peek(env, tenant);
        Some(self.told(env, &metered).headers())
    }

    /// Charges a request that is charged by the store before its handler.
    ///
    /// # Errors
    /// 429; 503 when the store is out of reach.
    pub(super) async fn pay<E: Environment>(&mut self, env: &E, tenant: &TenantId) -> Result<(), Problem> {
        if self.charging == Charging::Before {
            let metered = env.store().take(tenant, &self.metering()).await?;
            self.learn(env, tenant, &metered);
            if metered.refused {
                return Err(self.refused(env, &metered));
            }
            self.metered = Some(metered);
        }
        Ok(())
    }

    /// What the call that writes is charged with.
    pub(super) fn metering_in_call(&self) -> Metering {
        if self.charging == Charging::InCall {
            self.metering()
        } else {
            Metering::default()
        }
    }

    /// Tells the client of its limits. A call that should have been charged and never got as far is charged here, like a read.
    pub(super) fn leave<E: Environment>(
        mut self,
        env: &E,
        tenant: &TenantId,
        in_call: Option<Metered>,
        answer: Result<Response, Problem>,
    ) -> Result<Response, Problem> {
        let failed = matches!(&answer, Err(problem) if problem.kind.status().is_server_error()
            && problem.kind != ProblemType::WritesDisabled);
        if let Some(metered) = in_call {
            self.learn(env, tenant, &metered);
            if metered.refused {
                return Err(self.refused(env, &metered));
            }
            self.metered = Some(metered);
        } else if self.charging == Charging::InCall && !failed {
            self.charge_locally(env, tenant);
            self.metered = Some(self.peek(env, tenant));
        } else if self.charging == Charging::Locally {
            if self.anonymous && self.answers_prove && answer.is_ok() {
                self.charge_tenant(env, tenant);
            }
            self.metered = Some(self.peek(env, tenant));
        }
        let Some(metered) = &self.metered else {
            return answer;
        };
        let told = self.told(env, metered);
        match answer {
            Ok(mut response) => {
                told.add_to(&mut response.headers);
                Ok(response)
            }
            Err(problem) => Err(told.mark(problem)),
        }
    }

    fn set_apart(&mut self) {
        if self.anonymous {
            let own = |one: &Applied| one.name == PolicyName::Tenant;
            self.apart = self.applied.iter().position(own).unwrap_or(self.applied.len());
        }
    }

    fn metering(&self) -> Metering {
        Metering {
            charges: self.applied.iter().map(|one| one.charge(1)).collect(),
            usage: Usage {
                requests: 1,
                scores: 0,
            },
            max_requests_per_day: self.max_requests_per_day,
        }
    }

    /// The limits that are not the tenant's, and those that are, each with the tenant under which they are counted.
    fn payers<'a, E: Environment>(
        &'a self,
        env: &'a E,
        tenant: &'a TenantId,
    ) -> [(&'a TenantId, &'a [Applied]); 2] {
        let (apart, own) = self.applied.split_at_checked(self.apart).unwrap_or_default();
        [(&env.settings().default_tenant, apart), (tenant, own)]
    }

    /// Whether there is room under all limits and in the day's quota.
    fn has_room<E: Environment>(&self, env: &E, tenant: &TenantId) -> bool {
        let buckets = &env.memory().limiter.buckets;
        let [(payer, apart), (tenant, own)] = self.payers(env, tenant);
        buckets.has_room(payer, apart, None, now_us(env))
            && buckets.has_room(tenant, own, self.max_requests_per_day, now_us(env))
    }

    /// How far each limit is ahead.
    fn peek<E: Environment>(&self, env: &E, tenant: &TenantId) -> Metered {
        let buckets = &env.memory().limiter.buckets;
        let [(payer, apart), (tenant, own)] = self.payers(env, tenant);
        let own = buckets.peek(tenant, own, self.max_requests_per_day, now_us(env));
        if apart.is_empty() {
            return own;
        }
        let mut metered = buckets.peek(payer, apart, None, now_us(env));
        metered.ahead_us.extend(own.ahead_us);
        Metered {
            requests_today: own.requests_today,
            refused: own.refused || metered.refused,
            ..metered
        }
    }

    /// Charges the caller, and the tenant unless that waits for the answer.
    fn charge_locally<E: Environment>(&self, env: &E, tenant: &TenantId) {
        let [(payer, apart), _] = self.payers(env, tenant);
        if !self.anonymous {
            self.charge_tenant(env, tenant);
        } else if !apart.is_empty() {
            env.memory().limiter.buckets.charge(payer, apart, 0, now_us(env));
            schedule(env);
        }
    }

    fn charge_tenant<E: Environment>(&self, env: &E, tenant: &TenantId) {
        let [_, (tenant, own)] = self.payers(env, tenant);
        env.memory().limiter.buckets.charge(tenant, own, 1, now_us(env));
        schedule(env);
    }

    fn learn<E: Environment>(&self, env: &E, tenant: &TenantId, metered: &Metered) {
        let buckets = &env.memory().limiter.buckets;
        let now_us = micros(env.clock().as_unix_ms());
        buckets.remember(tenant, &self.applied);
        let charges: Vec<_> = self.applied.iter().map(|one| one.charge(1)).collect();
        buckets.learn(tenant, &charges, metered, now_us);
    }

    fn told<'a, E: Environment>(&'a self, env: &E, metered: &'a Metered) -> Told<'a> {
        Told {
            applied: &self.applied,
            metered,
            max_requests_per_day: self.max_requests_per_day,
            now_us: now_us(env),
        }
    }

    fn refused<E: Environment>(&self, env: &E, metered: &Metered) -> Problem {
        refused(env, &self.applied, metered, self.max_requests_per_day)
    }
}

/// 429, counted.
fn refused<E: Environment>(
    env: &E,
    applied: &[Applied],
    metered: &Metered,
    max_requests_per_day: Option<u64>,
) -> Problem {
    let told = Told {
        applied,
        metered,
        max_requests_per_day,
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

/// Counts a change that was refused because the store is out of reach.
pub(super) fn count_refused_change<E: Environment>(env: &E, family: Family) {
    env.memory().limiter.counts.add(changes_refused(family), 1);
    schedule(env);
}

fn now_us<E: Environment>(env: &E) -> u64 {
    micros(env.now().as_unix_ms())
}
