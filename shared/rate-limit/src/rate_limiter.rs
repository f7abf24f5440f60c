//! Where limits hold a request up before its handler, and how it is charged.

mod body_wait;

use std::cell::Cell;
use std::net::IpAddr;

use http::{HeaderName, HeaderValue};
use leaderboard_core::ports::{Charge, ChargeRequest, RateLimitDecision, RateLimits, Usage};
use leaderboard_core::{StoreError, TenantId};

use crate::RateLimitEnvironment;
use crate::refusals::{now_us, refused};
use crate::{
    AppliedLimit, Cost, RateLimitHeaders, applied, changes_refused, look, look_at_day, micros, owner,
    schedule,
};
use crate::{Charging, RateLimitRules};
use leaderboard_api::FunctionName;
use leaderboard_api::Response;
use leaderboard_api::rate_limits::PolicyName;
use leaderboard_api::{Credential, Identity};
use leaderboard_api::{Problem, ProblemType};

/// How the requests of a route are charged.
#[derive(Debug, Clone, Copy)]
pub struct RouteCharge {
    /// The function that serves the route.
    pub function: FunctionName,
    /// When its requests are charged.
    pub charging: Charging,
    /// Whether the route only reads a tenant's data.
    pub is_read: bool,
    /// Whether requests go on while the store is out of memory.
    pub frees_memory: bool,
}

/// The limits of a tenant.
#[derive(Debug, Clone, Copy)]
pub struct TenantLimits<'a> {
    /// The rate limits that apply to the tenant.
    pub rules: &'a RateLimitRules,
    /// The quota of requests in a day (UTC); `None` when the tenant has no quota.
    pub requests_per_day: Option<u64>,
    /// Whether the tenant is known to exist.
    pub exists: bool,
}

/// The limits of a request that is known to be somebody's, and how it is charged.
pub struct RateLimiter {
    applied: Vec<AppliedLimit>,
    /// How many of them, from the first, are not the tenant's: a caller without a credential names any tenant, and is counted
    /// by address under the default one, whichever it names.
    apart: usize,
    /// Whether the caller shows no credential: the tenant is charged once there is an answer.
    anonymous: bool,
    /// Whether an answer is to be had of a tenant that exists alone.
    answers_prove: bool,
    charging: Charging,
    /// As in [`Route::frees_memory`].
    frees_memory: bool,
    /// What the request costs, as far as that is known: one unit, until its handler knows better.
    units: Cell<u64>,
    max_requests_per_day: Option<u64>,
    rate_limit_decision: Option<RateLimitDecision>,
}

impl RateLimiter {
    /// Lets a request on that has room, as far as is known here. One that the instance charges is charged.
    ///
    /// # Errors
    /// 429.
    pub async fn enter<E: RateLimitEnvironment>(
        env: &E,
        route: RouteCharge,
        (identity, client): (&Identity, Option<IpAddr>),
        tenant: &TenantId,
        limits: TenantLimits<'_>,
    ) -> Result<Self, Problem> {
        let charging = route.charging;
        let of_operator = identity.credential == Credential::Operator;
        let unlimited = match charging {
            Charging::Nothing => true,
            Charging::Locally => of_operator || (route.is_read && !limits.rules.reads),
            Charging::Before => of_operator,
            Charging::InCall => false,
        };
        let mut rate_limiter = Self {
            applied: Vec::new(),
            apart: 0,
            anonymous: identity.credential == Credential::None,
            answers_prove: route.function == FunctionName::Ranks || limits.exists,
            charging: if unlimited { Charging::Nothing } else { charging },
            frees_memory: route.frees_memory,
            // Whoever sets quotas right must not be held up by one.
            units: Cell::new(1),
            max_requests_per_day: limits.requests_per_day.filter(|_| !of_operator),
            rate_limit_decision: None,
        };
        if unlimited {
            return Ok(rate_limiter);
        }
        rate_limiter.applied = applied(limits.rules, identity, client, route.function);
        if charging == Charging::Locally {
            rate_limiter.set_apart(tenant);
            rate_limiter.look(env, tenant).await;
            if rate_limiter.max_requests_per_day.is_some() {
                look_at_day(env, tenant).await;
            }
        }
        // A caller who is known to have no room costs the store nothing.
        if !rate_limiter.has_room(env, tenant) {
            return Err(rate_limiter.refused(env, &rate_limiter.peek(env, tenant)));
        }
        if charging == Charging::Locally {
            rate_limiter.charge_locally(env, tenant);
        }
        Ok(rate_limiter)
    }

    /// The rate_limiter of a read without a credential, of a tenant that is known to exist.
    pub fn of_anybody(
        limits: TenantLimits<'_>,
        family: FunctionName,
        client: Option<IpAddr>,
        tenant: &TenantId,
    ) -> Self {
        let mut rate_limiter = Self {
            applied: applied(limits.rules, &Identity::anonymous(), client, family),
            apart: 0,
            anonymous: true,
            answers_prove: true,
            charging: Charging::Locally,
            frees_memory: false,
            units: Cell::new(1),
            max_requests_per_day: limits.requests_per_day,
            rate_limit_decision: None,
        };
        rate_limiter.set_apart(tenant);
        rate_limiter
    }

    /// Charges a request whose answer is there already, and tells the limits and what is left of them. `None`, and nothing is
    /// charged, when it takes more than the instance knows, or when there is no room.
    pub fn charge_known<E: RateLimitEnvironment>(
        &self,
        env: &E,
        tenant: &TenantId,
    ) -> Option<Option<[(HeaderName, HeaderValue); 2]>> {
        let buckets = &env.rate_limit_state().buckets;
        let now_us = now_us(env);
        let [(payer, apart), (tenant, own)] = self.payers(env, tenant);
        let known = |payer: &TenantId, part: &[AppliedLimit]| {
            part.iter().all(|one| buckets.knows(payer, &one.bucket))
        };
        let day_is_known = self.max_requests_per_day.is_none() || buckets.knows_day(tenant, now_us);
        let has_room = day_is_known
            && known(payer, apart)
            && known(tenant, own)
            && buckets.has_room(payer, apart, Cost::ONE, now_us)
            && buckets.has_room(tenant, own, self.cost(), now_us);
        if !has_room {
            return None;
        }
        buckets.charge(payer, apart, self.cost_apart(), 0, now_us);
        buckets.charge(tenant, own, self.cost(), 1, now_us);
        schedule(env);
        let rate_limit_decision = self.peek(env, tenant);
        Some(self.headers(env, &rate_limit_decision).headers())
    }

    /// Charges a request that is charged by the store before its handler; locally, where the store refuses the charge of a
    /// request that frees memory.
    ///
    /// # Errors
    /// 429; 503 when the store is out of reach.
    pub async fn pay<E: RateLimitEnvironment>(&mut self, env: &E, tenant: &TenantId) -> Result<(), Problem> {
        if self.charging == Charging::Before {
            let rate_limit_decision = match env.store().take(tenant, &self.charge_request()).await {
                Ok(rate_limit_decision) => rate_limit_decision,
                Err(error) => {
                    // Nobody knows whether the store charged it; a caller goes on trying while the store is out of reach.
                    self.charge_locally(env, tenant);
                    if !(self.frees_memory && matches!(error, StoreError::OutOfMemory(_))) {
                        return Err(error.into());
                    }
                    self.rate_limit_decision = Some(self.peek(env, tenant));
                    return Ok(());
                }
            };
            self.learn(env, tenant, &rate_limit_decision);
            if rate_limit_decision.refused {
                return Err(self.refused(env, &rate_limit_decision));
            }
            self.rate_limit_decision = Some(rate_limit_decision);
        }
        Ok(())
    }

    /// What the call that writes is charged with.
    pub fn charge_request_in_call(&self) -> ChargeRequest {
        if self.charging == Charging::InCall {
            self.charge_request()
        } else {
            ChargeRequest::default()
        }
    }

    /// Tells how much a request costs that is charged in the call that does the work, before anything is looked up for it.
    ///
    /// # Errors
    /// 429 when it is known here that there is no room for as much: nothing is asked of the store then.
    pub fn set_cost<E: RateLimitEnvironment>(
        &self,
        env: &E,
        tenant: &TenantId,
        units: u64,
    ) -> Result<(), Problem> {
        self.units.set(units);
        if self.has_room(env, tenant) {
            Ok(())
        } else {
            Err(self.refused(env, &self.peek(env, tenant)))
        }
    }

    /// What the request costs, as far as that is known.
    pub fn units(&self) -> u64 {
        self.units.get()
    }

    /// Charges a read that costs so many units more than the one it was let through with, whether there is room or not.
    pub fn charge_more<E: RateLimitEnvironment>(&self, env: &E, tenant: &TenantId, units: u64) {
        if self.charging != Charging::Locally || units == 0 {
            return;
        }
        self.units.set(self.units.get().saturating_add(units));
        let [(payer, apart), (tenant, own)] = self.payers(env, tenant);
        let buckets = &env.rate_limit_state().buckets;
        let more = Cost {
            units,
            max_requests_per_day: None,
        };
        if self.anonymous {
            // The tenant is charged once there is an answer, with all of it.
            buckets.charge(payer, apart, more, 0, now_us(env));
        } else {
            buckets.charge(tenant, own, more, 0, now_us(env));
        }
        schedule(env);
    }

    /// Tells the client of its limits. A call that should have been charged and never got as far is charged here, like a read.
    pub fn leave<E: RateLimitEnvironment>(
        mut self,
        env: &E,
        tenant: &TenantId,
        in_call: Option<RateLimitDecision>,
        answer: Result<Response, Problem>,
    ) -> Result<Response, Problem> {
        if in_call.is_none()
            && matches!(&answer, Err(problem) if problem.kind == ProblemType::TooManyRequests)
        {
            // Refused here, so it is not charged.
            return answer;
        }
        // Writes that are switched off cost nothing.
        let switched_off = matches!(&answer, Err(problem) if problem.kind == ProblemType::WritesDisabled);
        if let Some(rate_limit_decision) = in_call {
            self.learn(env, tenant, &rate_limit_decision);
            if rate_limit_decision.refused {
                return Err(self.refused(env, &rate_limit_decision));
            }
            self.rate_limit_decision = Some(rate_limit_decision);
        } else if self.is_unpaid() && !switched_off {
            self.charge_locally(env, tenant);
            self.rate_limit_decision = Some(self.peek(env, tenant));
        } else if self.charging == Charging::Locally {
            if self.anonymous && self.answers_prove && answer.is_ok() {
                self.charge_tenant(env, tenant);
            }
            self.rate_limit_decision = Some(self.peek(env, tenant));
        }
        let Some(rate_limit_decision) = &self.rate_limit_decision else {
            return answer;
        };
        let headers = self.headers(env, rate_limit_decision);
        match answer {
            Ok(mut response) => {
                headers.add_to(&mut response.headers);
                Ok(response)
            }
            Err(problem) => Err(headers.mark(problem)),
        }
    }

    /// Whether the request should have been charged by the store, and never got as far.
    fn is_unpaid(&self) -> bool {
        match self.charging {
            Charging::InCall => true,
            Charging::Before => self.rate_limit_decision.is_none(),
            Charging::Locally | Charging::Nothing => false,
        }
    }

    /// Looks up what the region knows of the limits.
    async fn look<E: RateLimitEnvironment>(&self, env: &E, tenant: &TenantId) {
        for (payer, part) in self.payers(env, tenant) {
            look(env, payer, part).await;
        }
    }

    fn set_apart(&mut self, tenant: &TenantId) {
        if !self.anonymous {
            return;
        }
        let own = |one: &AppliedLimit| one.name == PolicyName::Tenant;
        self.apart = self.applied.iter().position(own).unwrap_or(self.applied.len());
        for one in self.applied.iter_mut().take(self.apart) {
            // CountedCaller under the default tenant, by numbers that this one has chosen: they take its own space.
            one.owner = one.is_tenants_own.then(|| owner(tenant));
        }
    }

    fn charge_request(&self) -> ChargeRequest {
        ChargeRequest {
            charges: self.charges(),
            usage: Usage {
                requests: 1,
                scores: 0,
            },
            max_requests_per_day: self.max_requests_per_day,
        }
    }

    fn charges(&self) -> Vec<Charge> {
        let units = self.units.get();
        self.applied.iter().map(|one| one.charge(units)).collect()
    }

    /// What the request needs of the tenant's limits and quota.
    fn cost(&self) -> Cost {
        Cost {
            units: self.units.get(),
            max_requests_per_day: self.max_requests_per_day,
        }
    }

    /// What it needs of the limits that are not the tenant's.
    fn cost_apart(&self) -> Cost {
        Cost {
            max_requests_per_day: None,
            ..self.cost()
        }
    }

    /// The limits that are not the tenant's, and those that are, each with the tenant under which they are counted.
    fn payers<'a, E: RateLimitEnvironment>(
        &'a self,
        env: &'a E,
        tenant: &'a TenantId,
    ) -> [(&'a TenantId, &'a [AppliedLimit]); 2] {
        let (apart, own) = self.applied.split_at_checked(self.apart).unwrap_or_default();
        [(env.default_tenant(), apart), (tenant, own)]
    }

    /// Whether there is room under all limits and in the day's quota.
    fn has_room<E: RateLimitEnvironment>(&self, env: &E, tenant: &TenantId) -> bool {
        let buckets = &env.rate_limit_state().buckets;
        let [(payer, apart), (tenant, own)] = self.payers(env, tenant);
        buckets.has_room(payer, apart, self.cost_apart(), now_us(env))
            && buckets.has_room(tenant, own, self.cost(), now_us(env))
    }

    /// How far each limit is ahead.
    fn peek<E: RateLimitEnvironment>(&self, env: &E, tenant: &TenantId) -> RateLimitDecision {
        let buckets = &env.rate_limit_state().buckets;
        let [(payer, apart), (tenant, own)] = self.payers(env, tenant);
        let own = buckets.peek(tenant, own, self.cost(), now_us(env));
        if apart.is_empty() {
            return own;
        }
        let mut rate_limit_decision = buckets.peek(payer, apart, self.cost_apart(), now_us(env));
        rate_limit_decision.ahead_us.extend(own.ahead_us);
        RateLimitDecision {
            requests_today: own.requests_today,
            refused: own.refused || rate_limit_decision.refused,
            ..rate_limit_decision
        }
    }

    /// Charges the caller, and the tenant unless that waits for the answer.
    fn charge_locally<E: RateLimitEnvironment>(&self, env: &E, tenant: &TenantId) {
        let [(payer, apart), _] = self.payers(env, tenant);
        if !self.anonymous {
            self.charge_tenant(env, tenant);
        } else if !apart.is_empty() {
            let buckets = &env.rate_limit_state().buckets;
            buckets.charge(payer, apart, self.cost_apart(), 0, now_us(env));
            schedule(env);
        }
    }

    fn charge_tenant<E: RateLimitEnvironment>(&self, env: &E, tenant: &TenantId) {
        let [_, (tenant, own)] = self.payers(env, tenant);
        let buckets = &env.rate_limit_state().buckets;
        buckets.charge(tenant, own, self.cost(), 1, now_us(env));
        schedule(env);
    }

    fn learn<E: RateLimitEnvironment>(
        &self,
        env: &E,
        tenant: &TenantId,
        rate_limit_decision: &RateLimitDecision,
    ) {
        let buckets = &env.rate_limit_state().buckets;
        let now_us = micros(env.clock().as_unix_ms());
        buckets.remember(tenant, &self.applied);
        buckets.learn(tenant, &self.charges(), rate_limit_decision, now_us);
    }

    fn headers<'a, E: RateLimitEnvironment>(
        &'a self,
        env: &E,
        rate_limit_decision: &'a RateLimitDecision,
    ) -> RateLimitHeaders<'a> {
        RateLimitHeaders {
            applied: &self.applied,
            rate_limit_decision,
            cost: self.cost(),
            now_us: now_us(env),
        }
    }

    fn refused<E: RateLimitEnvironment>(&self, env: &E, rate_limit_decision: &RateLimitDecision) -> Problem {
        refused(env, &self.applied, rate_limit_decision, self.cost())
    }
}

/// Counts a change that was refused because the store is out of reach.
pub fn count_refused_change<E: RateLimitEnvironment>(env: &E, family: FunctionName) {
    env.rate_limit_state().counts.add(changes_refused(family), 1);
    schedule(env);
}
