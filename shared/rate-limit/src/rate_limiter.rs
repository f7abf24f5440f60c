//! Decides on one request: admits or refuses it, charges it, and adds the rate-limit headers to its response.

mod body_wait;
mod limit_groups;

use std::cell::Cell;
use std::net::IpAddr;

use http::{HeaderName, HeaderValue};
use leaderboard_core::ports::{Charge, ChargeRequest, RateLimitDecision, RateLimits, Usage};
use leaderboard_core::{StoreError, TenantId};

use crate::applied_limit::select_limits;
use crate::micros::{micros_from_millis, now_us};
use crate::refusals::refuse_request;
use crate::series::refused_changes_series;
use crate::shared_usage::hash_owner;
use crate::usage_slots::load_day_usage;
use crate::{
    AppliedLimit, Charging, RateLimitEnvironment, RateLimitHeaders, RateLimitRules, RequestCost,
    schedule_report,
};
use leaderboard_api::rate_limits::PolicyName;
use leaderboard_api::{Credential, FunctionName, Identity, Problem, ProblemType, Response};

/// How the requests of a route are charged.
#[derive(Debug, Clone, Copy)]
pub struct RouteCharge {
    /// The function that serves the route.
    pub function: FunctionName,
    /// When the requests of the route are charged.
    pub charging: Charging,
    /// Whether the route only reads a tenant's data.
    pub is_read: bool,
    /// Whether requests of the route also work while the store is out of memory.
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

/// The limits of one request whose caller and tenant are known, and how the request is charged.
///
/// The decision about the request is a value: [`RateLimiter::charge_before_handler`] returns it, or the store's call in the
/// handler does, and [`RateLimiter::finish_response`] takes it.
pub struct RateLimiter {
    /// The caller's limits, then the tenant's.
    limits: Vec<AppliedLimit>,
    /// How many of `limits`, counted from the first, are counted under the default tenant. A caller without a credential can name
    /// any tenant, so the caller's address is counted under one tenant for all of them.
    default_tenant_limits: usize,
    /// Whether the caller has no credential. The tenant of such a request is charged only after a successful response.
    anonymous: bool,
    /// Whether a successful response proves that the tenant exists. If not, an anonymous request is not charged to its tenant.
    response_proves_tenant: bool,
    charging: Charging,
    /// As in [`RouteCharge::frees_memory`].
    frees_memory: bool,
    /// What the request costs: one unit until the handler sets more.
    units: Cell<u64>,
    max_requests_per_day: Option<u64>,
}

impl RateLimiter {
    /// Admits a request if its limits have room as far as this instance and its region know. Charges the request if its route is
    /// charged locally.
    ///
    /// # Errors
    /// 429 if a limit has no room.
    pub async fn admit<E: RateLimitEnvironment>(
        env: &E,
        route: RouteCharge,
        (identity, client): (&Identity, Option<IpAddr>),
        tenant: &TenantId,
        tenant_limits: TenantLimits<'_>,
    ) -> Result<Self, Problem> {
        let charging = route.charging;
        let is_operator = identity.credential == Credential::Operator;
        let unlimited = match charging {
            Charging::Nothing => true,
            Charging::Locally => is_operator || (route.is_read && !tenant_limits.rules.reads),
            Charging::BeforeHandler => is_operator,
            Charging::InCall => false,
        };
        let mut rate_limiter = Self {
            limits: Vec::new(),
            default_tenant_limits: 0,
            anonymous: identity.credential == Credential::None,
            response_proves_tenant: matches!(route.function, FunctionName::Ranks | FunctionName::Live)
                || tenant_limits.exists,
            charging: if unlimited { Charging::Nothing } else { charging },
            frees_memory: route.frees_memory,
            units: Cell::new(1),
            // No quota stops the operator, who may have to correct a quota.
            max_requests_per_day: tenant_limits.requests_per_day.filter(|_| !is_operator),
        };
        if unlimited {
            return Ok(rate_limiter);
        }
        rate_limiter.limits = select_limits(tenant_limits.rules, identity, client, route.function);
        if charging == Charging::Locally {
            rate_limiter.separate_default_tenant_limits(tenant);
            rate_limiter.load_usage(env, tenant).await;
            if rate_limiter.max_requests_per_day.is_some() {
                load_day_usage(env, tenant).await;
            }
        }
        // A request that is refused here costs the store nothing.
        rate_limiter.check_room(env, tenant)?;
        if charging == Charging::Locally {
            rate_limiter.charge_locally(env, tenant);
        }
        Ok(rate_limiter)
    }

    /// Returns the rate limiter of an anonymous read of a tenant that exists. Nothing has been charged yet.
    pub fn for_anonymous(
        tenant_limits: TenantLimits<'_>,
        function: FunctionName,
        client: Option<IpAddr>,
        tenant: &TenantId,
    ) -> Self {
        let mut rate_limiter = Self {
            limits: select_limits(tenant_limits.rules, &Identity::anonymous(), client, function),
            default_tenant_limits: 0,
            anonymous: true,
            response_proves_tenant: true,
            charging: Charging::Locally,
            frees_memory: false,
            units: Cell::new(1),
            max_requests_per_day: tenant_limits.requests_per_day,
        };
        rate_limiter.separate_default_tenant_limits(tenant);
        rate_limiter
    }

    /// Charges a request whose response is cached already, and returns its rate-limit headers (`Some(None)` if no limit applies).
    /// Returns `None` and charges nothing if this instance does not know all limits, or if there is no room.
    pub fn charge_if_known<E: RateLimitEnvironment>(
        &self,
        env: &E,
        tenant: &TenantId,
    ) -> Option<Option<[(HeaderName, HeaderValue); 2]>> {
        if !self.knows_usage(env, tenant) || !self.has_room(env, tenant) {
            return None;
        }
        let [default_group, tenant_group] = self.limit_groups(env, tenant);
        default_group.charge(env, self.cost_without_quota(), 0);
        tenant_group.charge(env, self.cost(), 1);
        schedule_report(env);
        let decision = self.read_decision(env, tenant);
        Some(self.headers(env, &decision).headers())
    }

    /// Charges a request in the store if its route is charged before the handler, and returns the store's decision. Returns
    /// `None` for other requests.
    ///
    /// A request that frees memory is charged locally when the store is out of memory.
    ///
    /// # Errors
    /// 429; 503 when the store is out of reach.
    pub async fn charge_before_handler<E: RateLimitEnvironment>(
        &self,
        env: &E,
        tenant: &TenantId,
    ) -> Result<Option<RateLimitDecision>, Problem> {
        if self.charging != Charging::BeforeHandler {
            return Ok(None);
        }
        match env.store().take(tenant, &self.charge_request()).await {
            Ok(decision) => self.accept_decision(env, tenant, decision).map(Some),
            Err(error) => {
                // The store may or may not have charged the request. Without a local charge, a caller could repeat it without
                // limit while the store is out of reach.
                self.charge_locally(env, tenant);
                if self.frees_memory && matches!(error, StoreError::OutOfMemory(_)) {
                    Ok(Some(self.read_decision(env, tenant)))
                } else {
                    Err(error.into())
                }
            }
        }
    }

    /// Returns what the store charges in the call that writes; an empty request if the route is not charged in that call.
    pub fn charge_request_in_call(&self) -> ChargeRequest {
        if self.charging == Charging::InCall {
            self.charge_request()
        } else {
            ChargeRequest::default()
        }
    }

    /// Sets the cost of a request that is charged in the call that writes.
    ///
    /// # Errors
    /// 429 if this instance already knows that there is no room for the cost. The store is then not asked.
    pub fn set_cost<E: RateLimitEnvironment>(
        &self,
        env: &E,
        tenant: &TenantId,
        units: u64,
    ) -> Result<(), Problem> {
        self.units.set(units);
        self.check_room(env, tenant)
    }

    /// Returns the cost of the request: one unit until the handler sets more.
    pub fn units(&self) -> u64 {
        self.units.get()
    }

    /// Charges a read `units` in addition to the charge with which it was admitted, even if there is no room for them.
    pub fn charge_more<E: RateLimitEnvironment>(&self, env: &E, tenant: &TenantId, units: u64) {
        if self.charging != Charging::Locally || units == 0 {
            return;
        }
        self.units.set(self.units.get().saturating_add(units));
        let [default_group, tenant_group] = self.limit_groups(env, tenant);
        // The tenant of an anonymous request is charged with all units after the response.
        let group = if self.anonymous {
            default_group
        } else {
            tenant_group
        };
        let more = RequestCost {
            units,
            max_requests_per_day: None,
        };
        group.charge(env, more, 0);
        schedule_report(env);
    }

    /// Adds the rate-limit headers to a response or a problem. `decision` is the store's decision, if the store has charged the
    /// request. If the store should have charged the request and the request failed before that, charges it locally.
    ///
    /// # Errors
    /// The problem in `response`; 429 if the store refused the request.
    pub fn finish_response<E: RateLimitEnvironment>(
        self,
        env: &E,
        tenant: &TenantId,
        decision: Option<RateLimitDecision>,
        response: Result<Response, Problem>,
    ) -> Result<Response, Problem> {
        let in_call = decision.is_some() && self.charging != Charging::BeforeHandler;
        if !in_call && matches!(&response, Err(problem) if problem.kind == ProblemType::TooManyRequests) {
            // This instance refused the request and has added the headers, so nothing is charged.
            return response;
        }
        let decision = match decision {
            Some(decision) if in_call => Some(self.accept_decision(env, tenant, decision)?),
            Some(decision) => Some(decision),
            None => self.charge_without_store(env, tenant, &response),
        };
        let Some(decision) = decision else {
            return response;
        };
        let headers = self.headers(env, &decision);
        match response {
            Ok(mut response) => {
                headers.add_to(&mut response.headers);
                Ok(response)
            }
            Err(problem) => Err(headers.add_to_problem(problem)),
        }
    }

    /// Charges a request that the store has not charged, and returns this instance's decision; `None` if no limit applies to the
    /// request.
    fn charge_without_store<E: RateLimitEnvironment>(
        &self,
        env: &E,
        tenant: &TenantId,
        response: &Result<Response, Problem>,
    ) -> Option<RateLimitDecision> {
        match self.charging {
            Charging::Nothing => return None,
            Charging::Locally => {
                if self.anonymous && self.response_proves_tenant && response.is_ok() {
                    self.charge_tenant(env, tenant);
                }
            }
            Charging::InCall | Charging::BeforeHandler => {
                // Writes that are switched off cost nothing.
                if matches!(response, Err(problem) if problem.kind == ProblemType::WritesDisabled) {
                    return None;
                }
                self.charge_locally(env, tenant);
            }
        }
        Some(self.read_decision(env, tenant))
    }

    /// Updates the buckets from the store's decision and returns the decision.
    ///
    /// # Errors
    /// 429 when the store refused the request.
    fn accept_decision<E: RateLimitEnvironment>(
        &self,
        env: &E,
        tenant: &TenantId,
        decision: RateLimitDecision,
    ) -> Result<RateLimitDecision, Problem> {
        let buckets = &env.rate_limit_state().buckets;
        let now_us = micros_from_millis(env.clock().as_unix_ms());
        buckets.add_buckets(tenant, &self.limits);
        buckets.update_from_store(tenant, &self.charges(), &decision, now_us);
        if decision.refused {
            return Err(self.refuse(env, &decision));
        }
        Ok(decision)
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
        self.limits.iter().map(|limit| limit.charge(units)).collect()
    }

    /// Returns what the request takes from the tenant's limits and daily quota.
    fn cost(&self) -> RequestCost {
        RequestCost {
            units: self.units.get(),
            max_requests_per_day: self.max_requests_per_day,
        }
    }

    /// Returns what the request takes from the limits under the default tenant. The daily quota does not count these requests.
    fn cost_without_quota(&self) -> RequestCost {
        RequestCost {
            max_requests_per_day: None,
            ..self.cost()
        }
    }

    fn headers<'a, E: RateLimitEnvironment>(
        &'a self,
        env: &E,
        decision: &'a RateLimitDecision,
    ) -> RateLimitHeaders<'a> {
        RateLimitHeaders {
            limits: &self.limits,
            decision,
            cost: self.cost(),
            now_us: now_us(env),
        }
    }

    fn refuse<E: RateLimitEnvironment>(&self, env: &E, decision: &RateLimitDecision) -> Problem {
        refuse_request(env, &self.limits, decision, self.cost())
    }
}

/// Counts a change that is refused because the store is out of reach.
pub fn count_refused_change<E: RateLimitEnvironment>(env: &E, function: FunctionName) {
    env.rate_limit_state()
        .counts
        .add(refused_changes_series(function), 1);
    schedule_report(env);
}
