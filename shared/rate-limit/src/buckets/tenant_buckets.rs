//! The buckets and the daily quota of one tenant.

use std::collections::HashMap;

use leaderboard_core::TenantId;
use leaderboard_core::ports::{Charge, RateLimitDecision};

use crate::shared_usage::{DAY, DAY_US, LimitOwner, SharedUsage, UsageLevel, hash_owner};
use crate::{AppliedLimit, RequestCost};

/// One bucket, as the instant at which it will be full again.
#[derive(Debug, Default)]
pub(super) struct BucketState {
    /// Microseconds since the epoch, by the local clock.
    pub full_at_us: u64,
    pub interval_us: u64,
    pub burst: u64,
    /// The owner of the limit; `None` means the tenant under which the bucket is counted.
    pub owner: Option<LimitOwner>,
    /// Units that are not reported to the store yet.
    pub pending: u64,
    /// The last `full_at_us` that this instance shared with the region.
    pub shared_full_at_us: u64,
    /// The number of the last use of the bucket. All uses of all buckets have ascending numbers.
    pub last_use: u64,
}

impl BucketState {
    /// Returns a charge with the pending units, and sets the pending units to 0.
    pub(super) fn take_charge(&mut self, name: &str) -> Option<Charge> {
        let cost = std::mem::take(&mut self.pending);
        (cost > 0).then(|| Charge {
            bucket: name.into(),
            interval_us: self.interval_us,
            burst: self.burst,
            needs: None,
            cost,
        })
    }

    /// Returns the usage that other instances should know, when half of the bucket is used, and again after each further eighth.
    fn take_level_to_share(&mut self, now_us: u64) -> Option<UsageLevel> {
        let capacity_us = self.interval_us.saturating_mul(self.burst);
        let half_used = self.full_at_us.saturating_sub(now_us) >= capacity_us / 2;
        let changed = self.full_at_us.saturating_sub(self.shared_full_at_us) >= capacity_us / 8;
        if !(half_used && changed) {
            return None;
        }
        self.shared_full_at_us = self.full_at_us;
        Some(UsageLevel::Bucket {
            full_at_us: self.full_at_us,
            capacity_us,
        })
    }
}

/// The buckets and the daily quota of one tenant.
#[derive(Debug, Default)]
pub(super) struct TenantBuckets {
    pub buckets: HashMap<Box<str>, BucketState>,
    /// Requests that are not reported to the store yet.
    pub pending: u64,
    /// The current day (days since 1970) and the number of its requests, without the pending ones.
    pub today: (u64, u64),
    /// The quota of the day; `None` when the tenant has no quota.
    pub quota: Option<u64>,
    /// The last day and number of requests that this instance shared with the region.
    pub shared_today: (u64, u64),
}

impl TenantBuckets {
    /// Returns the number of requests of the current day, including the pending ones.
    pub(super) fn requests_today(&self, now_us: u64) -> u64 {
        let (day, requests) = self.today;
        let reported = if day == now_us / DAY_US { requests } else { 0 };
        reported.saturating_add(self.pending)
    }

    /// Returns how far ahead of now the limit's bucket is full again, in microseconds; 0 for an unknown bucket.
    pub(super) fn ahead_us(&self, limit: &AppliedLimit, now_us: u64) -> u64 {
        let bucket = self.buckets.get(limit.bucket.as_str());
        bucket.map_or(0, |bucket| bucket.full_at_us.saturating_sub(now_us))
    }

    /// Returns whether there is room for one more request under all limits and in the day's quota.
    pub(super) fn has_room(&self, limits: &[AppliedLimit], cost: RequestCost, now_us: u64) -> bool {
        cost.max_requests_per_day
            .is_none_or(|most| self.requests_today(now_us) < most)
            && limits
                .iter()
                .all(|limit| limit.has_room(cost.units, self.ahead_us(limit, now_us)))
    }

    /// Returns the decision about one more request.
    pub(super) fn read_decision(
        &self,
        limits: &[AppliedLimit],
        cost: RequestCost,
        now_us: u64,
    ) -> RateLimitDecision {
        let ahead_us = |limit| self.ahead_us(limit, now_us);
        RateLimitDecision {
            ahead_us: limits.iter().map(ahead_us).collect(),
            requests_today: self.requests_today(now_us),
            refused: !self.has_room(limits, cost, now_us),
        }
    }

    /// Returns whether all usage has been reported to the store.
    pub(super) fn is_reported(&self) -> bool {
        self.pending == 0 && self.buckets.values().all(|bucket| bucket.pending == 0)
    }

    /// Returns the usage of these buckets and of the quota that other instances should know and that this instance has not shared
    /// yet.
    pub(super) fn take_usage_to_share(
        &mut self,
        tenant: &TenantId,
        charges: &[Charge],
        now_us: u64,
    ) -> Vec<SharedUsage> {
        let mut usage = Vec::new();
        for charge in charges {
            let Some(bucket) = self.buckets.get_mut(&charge.bucket) else {
                continue;
            };
            if let Some(level) = bucket.take_level_to_share(now_us) {
                usage.push(SharedUsage {
                    tenant: tenant.clone(),
                    name: charge.bucket.clone(),
                    owner: bucket.owner.unwrap_or_else(|| hash_owner(tenant)),
                    level,
                });
            }
        }
        usage.extend(self.take_quota_to_share(now_us).map(|level| SharedUsage {
            tenant: tenant.clone(),
            name: DAY.into(),
            owner: hash_owner(tenant),
            level,
        }));
        usage
    }

    /// Returns the day's usage if other instances must learn it now, and records it as shared: at half of the quota, after each
    /// further eighth, and when the quota is used up.
    fn take_quota_to_share(&mut self, now_us: u64) -> Option<UsageLevel> {
        let (most, day) = (self.quota?, now_us / DAY_US);
        let requests = self.requests_today(now_us);
        let shared = match self.shared_today {
            (shared_day, shared) if shared_day == day => shared,
            _ => 0,
        };
        let changed = requests.saturating_sub(shared) >= (most / 8).max(1);
        let used_up = requests >= most && shared < most;
        if requests < most / 2 || !(changed || used_up) {
            return None;
        }
        self.shared_today = (day, requests);
        Some(UsageLevel::Quota { day, requests, most })
    }
}
