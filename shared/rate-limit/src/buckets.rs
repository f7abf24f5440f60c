//! What an instance knows of limits: the last state that the store headers, and what it has let through itself since then.
//!
//! A bucket is one instant, as in the store ([`leaderboard_core::ports::Charge`]): when it will be full again. Here it is an
//! instant of the local clock.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};

use leaderboard_core::TenantId;
use leaderboard_core::ports::{
    Charge, ChargeRequest, MAX_CHARGES, MAX_OVERDRAFT_BURSTS, RateLimitDecision, Usage,
};

use super::AppliedLimit;
use super::busy::{BusyBucket, DAY, DAY_US, Owner, Used, owner};

/// The most buckets that an instance remembers. It sees fewer in its life, unless a host lets it live longer than Spin does.
const MAX_BUCKETS: usize = 1024;
/// The most tenants that an instance remembers.
const MAX_TENANTS: usize = 256;
/// A bucket of which this part of a burst is not reported yet is reported at once.
const URGENT_PART: u64 = 4;

/// What is known of one bucket.
#[derive(Debug, Default)]
struct BucketState {
    full_at_us: u64,
    interval_us: u64,
    burst: u64,
    /// Who decides on its limit; `None`: the tenant under which it is counted.
    owner: Option<Owner>,
    /// Units that the store has not been headers of.
    pending: u64,
    /// What the region was headers last.
    published_at_us: u64,
    /// When it was last used, counted in uses of all of them.
    last_use: u64,
}

/// What is known of one tenant.
#[derive(Debug, Default)]
struct TenantBuckets {
    buckets: HashMap<Box<str>, BucketState>,
    /// Requests that the store has not been headers of.
    pending: u64,
    /// The day since 1970 and its requests, those that are pending aside.
    today: (u64, u64),
    /// The quota of the day, if there is one.
    quota: Option<u64>,
    /// The day and its requests as the region was headers last.
    published_today: (u64, u64),
}

/// What an instance knows of limits.
#[derive(Debug, Default)]
pub struct BucketStates {
    tenants: RefCell<BTreeMap<TenantId, TenantBuckets>>,
    count: Cell<usize>,
    pending: Cell<u64>,
    urgent: Cell<bool>,
    /// How often buckets were used so far.
    uses: Cell<u64>,
}

/// What of a tenant's requests is to be headers the store in one call.
#[derive(Debug)]
pub struct UsageReport {
    pub tenant: TenantId,
    pub charge_request: ChargeRequest,
}

/// What one more request needs to be let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Units of each limit. What is not free of them is a debt, as far as it may be ([`super::Policy::needs`]).
    pub units: u64,
    /// The tenant's requests of the day beyond which none is let through.
    pub max_requests_per_day: Option<u64>,
}

impl Cost {
    /// One unit, and no quota.
    pub const ONE: Self = Self {
        units: 1,
        max_requests_per_day: None,
    };
}

impl BucketStates {
    /// Whether a bucket is remembered.
    pub fn knows(&self, tenant: &TenantId, bucket: &str) -> bool {
        let tenants = self.tenants.borrow();
        tenants
            .get(tenant)
            .is_some_and(|known| known.buckets.contains_key(bucket))
    }

    /// Remembers a bucket, which is full no earlier than then; no more than the overdraft is believed.
    pub fn raise(&self, tenant: &TenantId, applied: &AppliedLimit, full_at_us: u64, now_us: u64) {
        self.make_room();
        let most = applied.policy.capacity_us().saturating_mul(MAX_OVERDRAFT_BURSTS);
        self.with(tenant, applied, |bucket| {
            let believed = full_at_us.min(now_us.saturating_add(most));
            bucket.full_at_us = bucket.full_at_us.max(believed);
        });
    }

    /// Remembers buckets, so that [`BucketStates::learn`] takes in what is headers of them.
    pub fn remember(&self, tenant: &TenantId, applied: &[AppliedLimit]) {
        self.make_room();
        self.of_tenant(tenant, |_| ());
        for one in applied {
            self.with(tenant, one, |_| ());
        }
    }

    /// How far each limit is ahead; refused, when there is no room for one more request of that cost under all of them and in
    /// the day's quota.
    pub fn peek(
        &self,
        tenant: &TenantId,
        applied: &[AppliedLimit],
        cost: Cost,
        now_us: u64,
    ) -> RateLimitDecision {
        let tenants = self.tenants.borrow();
        let known = tenants.get(tenant);
        let requests_today = known.map_or(0, |known| known.today(now_us));
        RateLimitDecision {
            ahead_us: applied.iter().map(|one| ahead_us(known, one, now_us)).collect(),
            requests_today,
            refused: !has_room_for_one(known, applied, cost, now_us),
        }
    }

    /// Whether there is room for one more request of that cost under all limits and in the day's quota.
    pub fn has_room(&self, tenant: &TenantId, applied: &[AppliedLimit], cost: Cost, now_us: u64) -> bool {
        let tenants = self.tenants.borrow();
        has_room_for_one(tenants.get(tenant), applied, cost, now_us)
    }

    /// Charges what a request of that cost takes of each limit, whether there is room or not, to be reported; `requests` are
    /// counted for the day.
    pub fn charge(
        &self,
        tenant: &TenantId,
        applied: &[AppliedLimit],
        cost: Cost,
        requests: u64,
        now_us: u64,
    ) {
        self.make_room();
        for one in applied {
            let units = one.takes(cost.units);
            self.with(tenant, one, |bucket| {
                let ahead_us = bucket.full_at_us.saturating_sub(now_us);
                bucket.full_at_us = now_us.saturating_add(one.after_us(cost.units, ahead_us));
                bucket.pending = bucket.pending.saturating_add(units);
                if bucket.pending.saturating_mul(URGENT_PART) >= bucket.burst {
                    self.urgent.set(true);
                }
            });
        }
        if requests > 0 {
            self.of_tenant(tenant, |known| {
                known.pending = known.pending.saturating_add(requests);
                known.quota = cost.max_requests_per_day;
            });
        }
        // What counts no request is to be reported, too.
        self.pending
            .set(self.pending.get().saturating_add(requests).max(1));
    }

    /// Takes a unit back that was charged and is not needed any more. Whether that was possible: the store may have been headers.
    pub fn take_back(&self, tenant: &TenantId, bucket: &str) -> bool {
        let mut tenants = self.tenants.borrow_mut();
        let known = tenants.get_mut(tenant);
        let bucket = known.and_then(|known| known.buckets.get_mut(bucket));
        let Some(bucket) = bucket.filter(|bucket| bucket.pending > 0) else {
            return false;
        };
        bucket.pending = bucket.pending.saturating_sub(1);
        bucket.full_at_us = bucket.full_at_us.saturating_sub(bucket.interval_us);
        let is_reported = |known: &TenantBuckets| {
            known.pending == 0 && known.buckets.values().all(|bucket| bucket.pending == 0)
        };
        if tenants.values().all(is_reported) {
            self.pending.set(0);
            self.urgent.set(false);
        }
        true
    }

    /// How many requests are to be reported.
    pub fn pending(&self) -> u64 {
        self.pending.get()
    }

    /// Whether a caller took so much that it is to be reported at once.
    pub fn urgent(&self) -> bool {
        self.urgent.get()
    }

    /// What is to be reported, each in a call of its own. It is no longer pending after this.
    pub fn take_pending(&self) -> Vec<UsageReport> {
        self.pending.set(0);
        self.urgent.set(false);
        let mut batches = Vec::new();
        for (tenant, known) in self.tenants.borrow_mut().iter_mut() {
            let requests = std::mem::take(&mut known.pending);
            // Until the store has answered.
            known.today.1 = known.today.1.saturating_add(requests);
            let charges: Vec<Charge> = known
                .buckets
                .iter_mut()
                .filter_map(|(name, bucket)| report_of(name, bucket))
                .collect();
            let mut usage = Usage { requests, scores: 0 };
            let mut charges = charges.into_iter().peekable();
            while charges.peek().is_some() || usage != Usage::default() {
                batches.push(UsageReport {
                    tenant: tenant.clone(),
                    charge_request: ChargeRequest {
                        charges: charges.by_ref().take(MAX_CHARGES).collect(),
                        usage: std::mem::take(&mut usage),
                        max_requests_per_day: None,
                    },
                });
            }
        }
        batches
    }

    /// Takes in what the store says after a call.
    pub fn learn(
        &self,
        tenant: &TenantId,
        charges: &[Charge],
        rate_limit_decision: &RateLimitDecision,
        now_us: u64,
    ) {
        let mut tenants = self.tenants.borrow_mut();
        let Some(known) = tenants.get_mut(tenant) else {
            return;
        };
        for (charge, ahead_us) in charges.iter().zip(&rate_limit_decision.ahead_us) {
            if let Some(bucket) = known.buckets.get_mut(&charge.bucket) {
                let since = bucket.interval_us.saturating_mul(bucket.pending);
                bucket.full_at_us = now_us.saturating_add(*ahead_us).saturating_add(since);
            }
        }
        if rate_limit_decision.requests_today > 0 {
            known.today = (now_us / DAY_US, rate_limit_decision.requests_today);
        }
    }

    /// Whether the requests of the present day are known.
    pub fn knows_day(&self, tenant: &TenantId, now_us: u64) -> bool {
        let tenants = self.tenants.borrow();
        tenants
            .get(tenant)
            .is_some_and(|known| known.today.0 == now_us / DAY_US)
    }

    /// Takes in that there were no fewer requests on a day, and that what there were on the present one is known.
    pub fn raise_day(&self, tenant: &TenantId, day: u64, requests: u64, now_us: u64) {
        let today = now_us / DAY_US;
        self.of_tenant(tenant, |known| {
            if known.today.0 != today {
                known.today = (today, 0);
            }
            if day == today {
                known.today.1 = known.today.1.max(requests);
            }
        });
    }

    /// What other instances should know of these buckets and of the tenant's quota, as far as they do not yet.
    pub fn busy(&self, tenant: &TenantId, charges: &[Charge], now_us: u64) -> Vec<BusyBucket> {
        let mut tenants = self.tenants.borrow_mut();
        let Some(known) = tenants.get_mut(tenant) else {
            return Vec::new();
        };
        let mut busy = Vec::new();
        for charge in charges {
            let Some(bucket) = known.buckets.get_mut(&charge.bucket) else {
                continue;
            };
            let capacity_us = bucket.interval_us.saturating_mul(bucket.burst);
            let half_used = bucket.full_at_us.saturating_sub(now_us) >= capacity_us / 2;
            let news = bucket.full_at_us.saturating_sub(bucket.published_at_us) >= capacity_us / 8;
            if half_used && news {
                bucket.published_at_us = bucket.full_at_us;
                busy.push(BusyBucket {
                    tenant: tenant.clone(),
                    name: charge.bucket.clone(),
                    owner: bucket.owner.unwrap_or_else(|| owner(tenant)),
                    used: Used::Bucket {
                        full_at_us: bucket.full_at_us,
                        capacity_us,
                    },
                });
            }
        }
        busy.extend(known.busy_quota(now_us).map(|used| BusyBucket {
            tenant: tenant.clone(),
            name: DAY.into(),
            owner: owner(tenant),
            used,
        }));
        busy
    }

    fn with(&self, tenant: &TenantId, applied: &AppliedLimit, change: impl FnOnce(&mut BucketState)) {
        self.of_tenant(tenant, |known| {
            if !known.buckets.contains_key(applied.bucket.as_str()) {
                self.count.set(self.count.get().saturating_add(1));
                known
                    .buckets
                    .insert(applied.bucket.as_str().into(), BucketState::default());
            }
            if let Some(bucket) = known.buckets.get_mut(applied.bucket.as_str()) {
                self.uses.set(self.uses.get().saturating_add(1));
                bucket.last_use = self.uses.get();
                bucket.interval_us = applied.policy.interval_us();
                bucket.burst = applied.policy.burst.into();
                bucket.owner = applied.owner;
                change(bucket);
            }
        });
    }

    fn of_tenant(&self, tenant: &TenantId, change: impl FnOnce(&mut TenantBuckets)) {
        let mut tenants = self.tenants.borrow_mut();
        if let Some(known) = tenants.get_mut(tenant) {
            change(known);
        } else {
            change(tenants.entry(tenant.clone()).or_default());
        }
    }

    /// Forgets half of what is reported already when too much is remembered: what was used least recently. The store knows it.
    fn make_room(&self) {
        let mut tenants = self.tenants.borrow_mut();
        if self.count.get() < MAX_BUCKETS && tenants.len() < MAX_TENANTS {
            return;
        }
        let reported = tenants.values().flat_map(|known| known.buckets.values());
        let mut uses: Vec<u64> = reported
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

impl TenantBuckets {
    /// The quota of the day, when half of it is used and the region was headers of clearly less.
    fn busy_quota(&mut self, now_us: u64) -> Option<Used> {
        let (most, day) = (self.quota?, now_us / DAY_US);
        let requests = self.today(now_us);
        let published = match self.published_today {
            (of, published) if of == day => published,
            _ => 0,
        };
        let news = requests.saturating_sub(published) >= (most / 8).max(1);
        let used_up = requests >= most && published < most;
        if requests < most / 2 || !(news || used_up) {
            return None;
        }
        self.published_today = (day, requests);
        Some(Used::Quota { day, requests, most })
    }

    fn today(&self, now_us: u64) -> u64 {
        let (day, requests) = self.today;
        let reported = if day == now_us / DAY_US { requests } else { 0 };
        reported.saturating_add(self.pending)
    }
}

/// How far ahead of now a bucket will be full again; one that is not known is.
fn ahead_us(known: Option<&TenantBuckets>, one: &AppliedLimit, now_us: u64) -> u64 {
    let bucket = known.and_then(|known| known.buckets.get(one.bucket.as_str()));
    bucket.map_or(0, |bucket| bucket.full_at_us.saturating_sub(now_us))
}

fn has_room_for_one(
    known: Option<&TenantBuckets>,
    applied: &[AppliedLimit],
    cost: Cost,
    now_us: u64,
) -> bool {
    let today = || known.map_or(0, |known| known.today(now_us));
    cost.max_requests_per_day.is_none_or(|most| today() < most)
        && applied
            .iter()
            .all(|one| one.has_room(cost.units, ahead_us(known, one, now_us)))
}

fn report_of(name: &str, bucket: &mut BucketState) -> Option<Charge> {
    let cost = std::mem::take(&mut bucket.pending);
    (cost > 0).then(|| Charge {
        bucket: name.into(),
        interval_us: bucket.interval_us,
        burst: bucket.burst,
        needs: None,
        cost,
    })
}

#[cfg(test)]
mod tests;
