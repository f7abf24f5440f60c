//! Rate limits and usage.
//!
//! Rates are limited by GCRA, the generic cell rate algorithm (ITU-T I.371). A bucket stores one instant, the theoretical arrival
//! time `tat`. A charge sets `tat` to `max(tat, now) + interval * cost`. A call is refused if `max(tat, now) + interval * needs`
//! is more than `interval * burst` ahead of now.
//!
//! Usually `needs` equals `cost`. If `needs` is smaller, the call leaves a debt: a call that costs more than a burst can be
//! admitted, and the average rate stays exact. The store's clock decides, so that regions with different clocks share one limit.
//! Results contain how far `tat` is ahead of now instead of the instant.

use crate::{StoreError, TenantId};

/// The longest name of a bucket, in bytes.
pub const MAX_BUCKET_BYTES: usize = 256;
/// The most charges in one call.
pub const MAX_CHARGES: usize = 64;
/// How far [`RateLimits::report`] can overdraw a bucket, in bursts. A cost beyond that is dropped, so that a peak does not block
/// a caller for long.
pub const MAX_OVERDRAFT_BURSTS: u64 = 2;
/// How far [`RateLimits::take`] can overdraw a bucket, in microseconds, unless [`MAX_OVERDRAFT_BURSTS`] is more: a week, the
/// longest time in which a whole burst may be refilled. A cost beyond that is dropped.
pub const MAX_DEBT_US: u64 = 7 * 24 * 60 * 60 * 1_000_000;

/// A charge on one rate limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    /// The name of the bucket within the tenant: text without control characters. The name contains the policy and the caller
    /// that it counts.
    pub bucket: Box<str>,
    /// The time in which the bucket regains one unit, in microseconds; at least 1.
    pub interval_us: u64,
    /// The number of units that can be taken at once; at least 1.
    pub burst: u64,
    /// The number of units that must be free; with `None`, the call is never refused.
    pub needs: Option<u64>,
    /// The number of units to take; 0 only reads the bucket.
    pub cost: u64,
}

impl Charge {
    /// Returns whether a bucket that is `ahead_us` ahead of now has enough free units.
    #[must_use]
    pub fn has_room(&self, ahead_us: u64) -> bool {
        self.needs.is_none_or(|needs| {
            let needed_us = self.interval_us.saturating_mul(needs);
            ahead_us.saturating_add(needed_us) <= self.interval_us.saturating_mul(self.burst)
        })
    }

    /// Returns how far ahead of now the bucket is after the charge, in microseconds; at most the larger of `overdraft` and
    /// `ahead_us`.
    #[must_use]
    pub fn after(&self, ahead_us: u64, overdraft: Overdraft) -> u64 {
        let capacity_us = self.interval_us.saturating_mul(self.burst);
        let bursts_us = capacity_us.saturating_mul(MAX_OVERDRAFT_BURSTS);
        let most_us = bursts_us.max(overdraft.least_us()).max(ahead_us);
        let taken_us = self.interval_us.saturating_mul(self.cost);
        ahead_us.saturating_add(taken_us).min(most_us)
    }
}

/// How far a call may overdraw buckets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overdraft {
    /// As far as [`RateLimits::report`] may: [`MAX_OVERDRAFT_BURSTS`].
    ByReport,
    /// As far as [`RateLimits::take`] may: [`MAX_OVERDRAFT_BURSTS`], and at least [`MAX_DEBT_US`].
    ByTake,
}

impl Overdraft {
    /// Returns how far any bucket can be overdrawn, even with the smallest burst, in microseconds.
    #[must_use]
    pub const fn least_us(self) -> u64 {
        match self {
            Self::ByReport => 0,
            Self::ByTake => MAX_DEBT_US,
        }
    }
}

/// The charges and the usage of one call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChargeRequest {
    /// The charges. The store makes all of them or none.
    pub charges: Vec<Charge>,
    /// The usage to add to the tenant's day.
    pub usage: Usage,
    /// The tenant's quota of requests in a day; a call that would exceed this number is refused.
    pub max_requests_per_day: Option<u64>,
}

/// The usage of a tenant on one day (UTC, by the store's clock).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// The number of requests, both reads and writes.
    pub requests: u64,
    /// The number of submitted scores, including refused and replayed ones.
    pub scores: u64,
}

/// A day's usage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayUsage {
    /// The day, as days since 1970-01-01 (UTC).
    pub day: u32,
    /// The usage of the day.
    pub usage: Usage,
}

/// What a tenant has stored, to compare with its quotas.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EntryQuota {
    /// The number of leaderboards.
    pub leaderboards: u64,
    /// The number of entries in all kept periods, including entries of banned players.
    pub entries: u64,
    /// The weight of logs and idempotency records, in bytes. An event weighs its own bytes and [`crate::EVENT_OVERHEAD_BYTES`]. A
    /// record weighs [`crate::Target::record_weight`]. Time is divided into spans of [`super::IDEMPOTENCY_MS`] since 1970, and a
    /// record counts until the end of the span that follows the span of its creation.
    pub log_bytes: u64,
}

/// The decision about a call, and the state of its buckets after the call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RateLimitDecision {
    /// For each charge, how far the theoretical arrival time is ahead of now, in microseconds; at least 0.
    pub ahead_us: Vec<u64>,
    /// The number of the tenant's requests of the day. A call that was not refused is included.
    pub requests_today: u64,
    /// Whether the call was refused because a rate limit or the quota of the day is used up. A refused call charges nothing. A
    /// report is not refused.
    pub refused: bool,
}

/// How many days of usage a store keeps.
pub const USAGE_DAYS: u32 = 400;

/// Rate limits and usage.
pub trait RateLimits {
    /// Charges a call, or refuses it and charges nothing.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn take(
        &self,
        tenant: &TenantId,
        charge_request: &ChargeRequest,
    ) -> Result<RateLimitDecision, StoreError>;

    /// Charges a call that was served already. This is never refused.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn report(
        &self,
        tenant: &TenantId,
        charge_request: &ChargeRequest,
    ) -> Result<RateLimitDecision, StoreError>;

    /// Returns the usage of the last `days` days on which the tenant had usage, newest first, and what the tenant has stored now.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn usage(&self, tenant: &TenantId, days: u32) -> Result<(Vec<DayUsage>, EntryQuota), StoreError>;
}

/// Counters of the whole installation, for metrics. The name of a counter is its series: the metric and its labels, e.g.
/// `requests{family="ranks",status="2xx"}`.
pub trait Counters {
    /// Adds to several counters in one command.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn add(&self, counts: &[(Box<str>, u64)]) -> Result<(), StoreError>;

    /// Returns all counters, in byte order of their names.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn counters(&self) -> Result<Vec<(Box<str>, u64)>, StoreError>;
}
