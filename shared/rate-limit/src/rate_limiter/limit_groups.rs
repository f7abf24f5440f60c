//! The limits of a request in two groups: those counted under the default tenant, and those counted under its own tenant.

use super::{
    AppliedLimit, PolicyName, Problem, RateLimitDecision, RateLimitEnvironment, RateLimiter, RequestCost,
    TenantId, hash_owner, now_us, schedule_report,
};
use crate::usage_slots::load_usage;

/// Limits that are counted under one tenant.
pub(super) struct LimitGroup<'a> {
    tenant: &'a TenantId,
    limits: &'a [AppliedLimit],
}

impl LimitGroup<'_> {
    /// Charges the group's limits and counts `requests` for the tenant's day.
    pub(super) fn charge<E: RateLimitEnvironment>(&self, env: &E, cost: RequestCost, requests: u64) {
        let buckets = &env.rate_limit_state().buckets;
        buckets.charge(self.tenant, self.limits, cost, requests, now_us(env));
    }

    fn has_room<E: RateLimitEnvironment>(&self, env: &E, cost: RequestCost) -> bool {
        let buckets = &env.rate_limit_state().buckets;
        buckets.has_room(self.tenant, self.limits, cost, now_us(env))
    }

    fn knows_buckets<E: RateLimitEnvironment>(&self, env: &E) -> bool {
        let buckets = &env.rate_limit_state().buckets;
        let mut limits = self.limits.iter();
        limits.all(|limit| buckets.knows_bucket(self.tenant, &limit.bucket))
    }

    fn read_decision<E: RateLimitEnvironment>(&self, env: &E, cost: RequestCost) -> RateLimitDecision {
        let buckets = &env.rate_limit_state().buckets;
        buckets.read_decision(self.tenant, self.limits, cost, now_us(env))
    }
}

impl RateLimiter {
    /// Returns the limits under the default tenant, then those under the request's tenant. The first group is empty unless the
    /// caller is anonymous.
    pub(super) fn limit_groups<'a, E: RateLimitEnvironment>(
        &'a self,
        env: &'a E,
        tenant: &'a TenantId,
    ) -> [LimitGroup<'a>; 2] {
        let split = self.limits.split_at_checked(self.default_tenant_limits);
        let (of_default, of_tenant) = split.unwrap_or_default();
        [(env.default_tenant(), of_default), (tenant, of_tenant)]
            .map(|(tenant, limits)| LimitGroup { tenant, limits })
    }

    /// Counts an anonymous caller's own limits under the default tenant.
    pub(super) fn separate_default_tenant_limits(&mut self, tenant: &TenantId) {
        if !self.anonymous {
            return;
        }
        let is_tenants = |limit: &AppliedLimit| limit.name == PolicyName::Tenant;
        let first_of_tenant = self.limits.iter().position(is_tenants);
        self.default_tenant_limits = first_of_tenant.unwrap_or(self.limits.len());
        for limit in self.limits.iter_mut().take(self.default_tenant_limits) {
            // A policy from the tenant's document makes buckets of its own, which use the tenant's share of the usage slots.
            limit.owner = limit.is_tenants_own.then(|| hash_owner(tenant));
        }
    }

    /// Reads the usage that this instance does not have from the region's cache.
    pub(super) async fn load_usage<E: RateLimitEnvironment>(&self, env: &E, tenant: &TenantId) {
        for group in self.limit_groups(env, tenant) {
            load_usage(env, group.tenant, group.limits).await;
        }
    }

    /// Returns whether this instance has the state of all buckets and, if there is a quota, the number of requests of the day.
    pub(super) fn knows_usage<E: RateLimitEnvironment>(&self, env: &E, tenant: &TenantId) -> bool {
        let buckets = &env.rate_limit_state().buckets;
        let knows_day = self.max_requests_per_day.is_none() || buckets.knows_day(tenant, now_us(env));
        let groups = self.limit_groups(env, tenant);
        knows_day && groups.iter().all(|group| group.knows_buckets(env))
    }

    /// Returns whether there is room for the request under all limits and in the day's quota.
    pub(super) fn has_room<E: RateLimitEnvironment>(&self, env: &E, tenant: &TenantId) -> bool {
        let [default_group, tenant_group] = self.limit_groups(env, tenant);
        default_group.has_room(env, self.cost_without_quota()) && tenant_group.has_room(env, self.cost())
    }

    /// Refuses a request for which there is no room.
    ///
    /// # Errors
    /// 429.
    pub(super) fn check_room<E: RateLimitEnvironment>(
        &self,
        env: &E,
        tenant: &TenantId,
    ) -> Result<(), Problem> {
        if self.has_room(env, tenant) {
            Ok(())
        } else {
            Err(self.refuse(env, &self.read_decision(env, tenant)))
        }
    }

    /// Returns the decision that this instance makes from its buckets.
    pub(super) fn read_decision<E: RateLimitEnvironment>(
        &self,
        env: &E,
        tenant: &TenantId,
    ) -> RateLimitDecision {
        let [default_group, tenant_group] = self.limit_groups(env, tenant);
        let of_tenant = tenant_group.read_decision(env, self.cost());
        let mut of_default = default_group.read_decision(env, self.cost_without_quota());
        of_default.ahead_us.extend(of_tenant.ahead_us);
        RateLimitDecision {
            requests_today: of_tenant.requests_today,
            refused: of_default.refused || of_tenant.refused,
            ..of_default
        }
    }

    /// Charges the caller, and the tenant unless the caller is anonymous.
    pub(super) fn charge_locally<E: RateLimitEnvironment>(&self, env: &E, tenant: &TenantId) {
        if !self.anonymous {
            self.charge_tenant(env, tenant);
        } else if self.default_tenant_limits > 0 {
            let [default_group, _] = self.limit_groups(env, tenant);
            default_group.charge(env, self.cost_without_quota(), 0);
            schedule_report(env);
        }
    }

    /// Charges the limits that are counted under the tenant, and counts one request for the tenant's day.
    pub(super) fn charge_tenant<E: RateLimitEnvironment>(&self, env: &E, tenant: &TenantId) {
        let [_, tenant_group] = self.limit_groups(env, tenant);
        tenant_group.charge(env, self.cost(), 1);
        schedule_report(env);
    }
}
