//! The buckets of an instance: the last state that the store reported, and what the instance has admitted since then.
//!
//! As in the store ([`leaderboard_core::ports::Charge`]), a bucket is one instant: when it will be full again. Here the instant
//! is by the local clock.

mod tenant_buckets;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use leaderboard_core::TenantId;
use leaderboard_core::ports::{
    Charge, ChargeRequest, MAX_CHARGES, MAX_OVERDRAFT_BURSTS, RateLimitDecision, Usage,
};

use self::tenant_buckets::{BucketState, TenantBuckets};
use super::AppliedLimit;
use super::shared_usage::{DAY_US, SharedUsage};

/// The most buckets that an instance keeps. An instance of Spin ends long before it has this many; on other hosts, an instance
/// may live longer.
const MAX_BUCKETS: usize = 1024;
/// The most tenants that an instance keeps.
const MAX_TENANTS: usize = 256;
/// A report is urgent when a bucket has more than `burst / URGENT_PART` units pending.
const URGENT_PART: u64 = 4;

/// The buckets of all tenants whose requests the instance has served.
#[derive(Debug, Default)]
pub struct BucketStates {
    tenants: RefCell<BTreeMap<TenantId, TenantBuckets>>,
    count: Cell<usize>,
    pending: Cell<u64>,
    urgent: Cell<bool>,
    /// How often buckets have been used.
    uses: Cell<u64>,
}

/// A part of a tenant's usage that is reported to the store in one call.
#[derive(Debug)]
pub struct UsageReport {
    /// The tenant under which the usage is counted.
    pub tenant: TenantId,
    /// The charges and the number of requests.
    pub charge_request: ChargeRequest,
}

/// What a request takes from its limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestCost {
    /// The units to take from each limit. A request with a high cost is admitted before that many units are free, and leaves a
    /// debt ([`leaderboard_api::rate_limits::Policy::needs`]).
    pub units: u64,
    /// The tenant's quota of requests in a day; `None` when no quota applies.
    pub max_requests_per_day: Option<u64>,
}

impl RequestCost {
    /// One unit, and no quota.
    pub const ONE: Self = Self {
        units: 1,
        max_requests_per_day: None,
    };
}

impl BucketStates {
    /// Returns whether the instance has the state of a bucket.
    pub fn knows_bucket(&self, tenant: &TenantId, bucket: &str) -> bool {
        let tenants = self.tenants.borrow();
        tenants
            .get(tenant)
            .is_some_and(|known| known.buckets.contains_key(bucket))
    }

    /// Adds a bucket, or changes it so that it is full no earlier than `full_at_us`. The instant is at most as far ahead as the
    /// store lets a bucket be overdrawn.
    pub fn raise_bucket(&self, tenant: &TenantId, limit: &AppliedLimit, full_at_us: u64, now_us: u64) {
        self.make_room();
        let most = limit.policy.capacity_us().saturating_mul(MAX_OVERDRAFT_BURSTS);
        let full_at_us = full_at_us.min(now_us.saturating_add(most));
        self.update_bucket(tenant, limit, |bucket| {
            bucket.full_at_us = bucket.full_at_us.max(full_at_us);
        });
    }

    /// Adds the buckets of `limits`, so that [`BucketStates::update_from_store`] can update them.
    pub fn add_buckets(&self, tenant: &TenantId, limits: &[AppliedLimit]) {
        self.make_room();
        self.update_tenant(tenant, |_| ());
        for limit in limits {
            self.update_bucket(tenant, limit, |_| ());
        }
    }

    /// Returns the decision about one more request. The request is refused if a limit or the day's quota has no room for it.
    pub fn read_decision(
        &self,
        tenant: &TenantId,
        limits: &[AppliedLimit],
        cost: RequestCost,
        now_us: u64,
    ) -> RateLimitDecision {
        self.read_tenant(tenant, |known| known.read_decision(limits, cost, now_us))
    }

    /// Returns whether there is room for one more request under all limits and in the day's quota.
    pub fn has_room(
        &self,
        tenant: &TenantId,
        limits: &[AppliedLimit],
        cost: RequestCost,
        now_us: u64,
    ) -> bool {
        self.read_tenant(tenant, |known| known.has_room(limits, cost, now_us))
    }

    /// Charges the cost of a request to each limit, even if there is no room for it, and counts `requests` for the day. The
    /// charge is pending until it is reported to the store.
    pub fn charge(
        &self,
        tenant: &TenantId,
        limits: &[AppliedLimit],
        cost: RequestCost,
        requests: u64,
        now_us: u64,
    ) {
        self.make_room();
        for limit in limits {
            let units = limit.units_to_take(cost.units);
            self.update_bucket(tenant, limit, |bucket| {
                let ahead_us = bucket.full_at_us.saturating_sub(now_us);
                bucket.full_at_us = now_us.saturating_add(limit.ahead_after_us(cost.units, ahead_us));
                bucket.pending = bucket.pending.saturating_add(units);
                if bucket.pending.saturating_mul(URGENT_PART) >= bucket.burst {
                    self.urgent.set(true);
                }
            });
        }
        if requests > 0 {
            self.update_tenant(tenant, |known| {
                known.pending = known.pending.saturating_add(requests);
                known.quota = cost.max_requests_per_day;
            });
        }
        // A charge without a request is reported as well.
        self.pending
            .set(self.pending.get().saturating_add(requests).max(1));
    }

    /// Refunds one unit. Returns false, and refunds nothing, if the bucket's units have been reported to the store already.
    pub fn refund_unit(&self, tenant: &TenantId, bucket: &str) -> bool {
        let mut tenants = self.tenants.borrow_mut();
        let known = tenants.get_mut(tenant);
        let bucket = known.and_then(|known| known.buckets.get_mut(bucket));
        let Some(bucket) = bucket.filter(|bucket| bucket.pending > 0) else {
            return false;
        };
        bucket.pending = bucket.pending.saturating_sub(1);
        bucket.full_at_us = bucket.full_at_us.saturating_sub(bucket.interval_us);
        if tenants.values().all(TenantBuckets::is_reported) {
            self.pending.set(0);
            self.urgent.set(false);
        }
        true
    }

    /// Returns how many requests are pending.
    pub fn pending(&self) -> u64 {
        self.pending.get()
    }

    /// Returns whether one caller has used so much of a burst that the report must be sent at once.
    pub fn is_urgent(&self) -> bool {
        self.urgent.get()
    }

    /// Returns all pending charges, one report for each call of the store. They are no longer pending afterwards.
    pub fn take_reports(&self) -> Vec<UsageReport> {
        self.pending.set(0);
        self.urgent.set(false);
        let mut reports = Vec::new();
        for (tenant, known) in self.tenants.borrow_mut().iter_mut() {
            let requests = std::mem::take(&mut known.pending);
            // The store's answer replaces this sum.
            known.today.1 = known.today.1.saturating_add(requests);
            let charges: Vec<Charge> = known
                .buckets
                .iter_mut()
                .filter_map(|(name, bucket)| bucket.take_charge(name))
                .collect();
            let mut usage = Usage { requests, scores: 0 };
            let mut charges = charges.into_iter().peekable();
            while charges.peek().is_some() || usage != Usage::default() {
                reports.push(UsageReport {
                    tenant: tenant.clone(),
                    charge_request: ChargeRequest {
                        charges: charges.by_ref().take(MAX_CHARGES).collect(),
                        usage: std::mem::take(&mut usage),
                        max_requests_per_day: None,
                    },
                });
            }
        }
        reports
    }

    /// Updates the tenant's buckets from the store's decision about `charges`, and adds the units that are still pending.
    pub fn update_from_store(
        &self,
        tenant: &TenantId,
        charges: &[Charge],
        decision: &RateLimitDecision,
        now_us: u64,
    ) {
        let mut tenants = self.tenants.borrow_mut();
        let Some(known) = tenants.get_mut(tenant) else {
            return;
        };
        for (charge, ahead_us) in charges.iter().zip(&decision.ahead_us) {
            if let Some(bucket) = known.buckets.get_mut(&charge.bucket) {
                let pending_us = bucket.interval_us.saturating_mul(bucket.pending);
                bucket.full_at_us = now_us.saturating_add(*ahead_us).saturating_add(pending_us);
            }
        }
        if decision.requests_today > 0 {
            known.today = (now_us / DAY_US, decision.requests_today);
        }
    }

    /// Returns whether this instance has the tenant's number of requests of the current day (UTC).
    pub fn knows_day(&self, tenant: &TenantId, now_us: u64) -> bool {
        let tenants = self.tenants.borrow();
        tenants
            .get(tenant)
            .is_some_and(|known| known.today.0 == now_us / DAY_US)
    }

    /// Raises the tenant's number of requests of the current day to at least `requests`. If `day` is another day, the number
    /// stays as it is; [`BucketStates::knows_day`] returns true in any case.
    pub fn raise_day_usage(&self, tenant: &TenantId, day: u64, requests: u64, now_us: u64) {
        let today = now_us / DAY_US;
        self.update_tenant(tenant, |known| {
            if known.today.0 != today {
                known.today = (today, 0);
            }
            if day == today {
                known.today.1 = known.today.1.max(requests);
            }
        });
    }

    /// Returns the usage of these buckets and of the tenant's quota that other instances should know and that this instance has
    /// not shared yet.
    pub fn take_usage_to_share(
        &self,
        tenant: &TenantId,
        charges: &[Charge],
        now_us: u64,
    ) -> Vec<SharedUsage> {
        let mut tenants = self.tenants.borrow_mut();
        tenants.get_mut(tenant).map_or_else(Vec::new, |known| {
            known.take_usage_to_share(tenant, charges, now_us)
        })
    }

    fn read_tenant<T>(&self, tenant: &TenantId, read: impl FnOnce(&TenantBuckets) -> T) -> T {
        match self.tenants.borrow().get(tenant) {
            Some(known) => read(known),
            None => read(&TenantBuckets::default()),
        }
    }

    fn update_tenant(&self, tenant: &TenantId, update: impl FnOnce(&mut TenantBuckets)) {
        let mut tenants = self.tenants.borrow_mut();
        // `entry` alone would clone the tenant's id for every request.
        if let Some(known) = tenants.get_mut(tenant) {
            update(known);
        } else {
            update(tenants.entry(tenant.clone()).or_default());
        }
    }

    fn update_bucket(&self, tenant: &TenantId, limit: &AppliedLimit, update: impl FnOnce(&mut BucketState)) {
        self.update_tenant(tenant, |known| {
            let name = limit.bucket.as_str();
            if !known.buckets.contains_key(name) {
                self.count.set(self.count.get().saturating_add(1));
                known.buckets.insert(name.into(), BucketState::default());
            }
            if let Some(bucket) = known.buckets.get_mut(name) {
                self.uses.set(self.uses.get().saturating_add(1));
                bucket.last_use = self.uses.get();
                bucket.interval_us = limit.policy.interval_us();
                bucket.burst = limit.policy.burst.into();
                bucket.owner = limit.owner;
                update(bucket);
            }
        });
    }

    /// If there are too many buckets, removes the less recently used half of those that have been reported to the store. The
    /// store still has their state.
    fn make_room(&self) {
        let mut tenants = self.tenants.borrow_mut();
        if self.count.get() < MAX_BUCKETS && tenants.len() < MAX_TENANTS {
            return;
        }
        let buckets = tenants.values().flat_map(|known| known.buckets.values());
        let mut uses: Vec<u64> = buckets
            .filter(|bucket| bucket.pending == 0)
            .map(|bucket| bucket.last_use)
            .collect();
        uses.sort_unstable();
        let kept_from = uses.get(uses.len().div_ceil(2)).copied().unwrap_or(u64::MAX);
        for known in tenants.values_mut() {
            known
                .buckets
                .retain(|_, bucket| bucket.pending > 0 || bucket.last_use >= kept_from);
        }
        tenants.retain(|_, known| known.pending > 0 || !known.buckets.is_empty());
        self.count
            .set(tenants.values().map(|known| known.buckets.len()).sum());
    }
}

#[cfg(test)]
mod tests;
