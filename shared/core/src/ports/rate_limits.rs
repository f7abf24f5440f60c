//! Rate limits and usage: what a call costs, and whether there is room for it.
//!
//! Rates are limited by GCRA, the generic cell rate algorithm (ITU-T I.371): a limit remembers one instant, the
//! theoretical arrival time `tat`. A charge moves it from `max(tat, now)` on by `interval * cost`, and is refused when
//! moving it by `interval * needs` would leave it more than `interval * burst` ahead of now. Mostly a call needs what it
//! costs. One that needs less leaves a debt, so that what costs more than a burst gets through, and the rate stays exact.
//! The store's clock decides, so that regions whose clocks differ share one limit; answers say how far `tat` is ahead,
//! not when it is.

use crate::{StoreError, TenantId};

/// The longest name of a bucket, in bytes.
pub const MAX_BUCKET_BYTES: usize = 256;
/// The most charges in one call.
pub const MAX_CHARGES: usize = 64;
/// How far a bucket can be overdrawn by [`RateLimits::report`]: this many times its burst. What was let through
/// beyond that is forgiven, so that a burst never shuts a caller out for long.
pub const MAX_OVERDRAFT_BURSTS: u64 = 2;
/// How far a bucket can be overdrawn by [`RateLimits::take`], unless [`MAX_OVERDRAFT_BURSTS`] are more: a week, in
/// microseconds. That is the longest time in which a whole burst may grow back. What a call costs beyond that is forgiven.
pub const MAX_DEBT_US: u64 = 7 * 24 * 60 * 60 * 1_000_000;

/// A charge on one rate limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    /// Which bucket: the policy's name, and whom it counts. Free text without control characters; stores scope it by the tenant.
    pub bucket: Box<str>,
    /// The time in which one unit grows back, in microseconds; at least 1.
    pub interval_us: u64,
    /// How many units can be taken at once; at least 1.
    pub burst: u64,
    /// How many units must be free for the call to be let through; `None`: it is let through whatever is free.
    pub needs: Option<u64>,
    /// How many units are taken; 0 takes nothing.
    pub cost: u64,
}

impl Charge {
    /// Whether a call is let through by a bucket that is so far ahead of now.
    #[must_use]
    pub fn has_room(&self, ahead_us: u64) -> bool {
        self.needs.is_none_or(|needs| {
            let needed_us = self.interval_us.saturating_mul(needs);
            ahead_us.saturating_add(needed_us) <= self.interval_us.saturating_mul(self.burst)
        })
    }

    /// How far ahead of now the bucket is after the charge: no farther than what may be overdrawn, unless it was already.
    /// `overdraft` tells of what kind the call is.
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
    /// As a report: [`MAX_OVERDRAFT_BURSTS`].
    ByReport,
    /// As a call that could have been refused: as many bursts, and at least [`MAX_DEBT_US`].
    ByTake,
}

impl Overdraft {
    /// How far a bucket can be overdrawn however small its burst is, in microseconds.
    #[must_use]
    pub const fn least_us(self) -> u64 {
        match self {
            Self::ByReport => 0,
            Self::ByTake => MAX_DEBT_US,
        }
    }
}

/// What one call uses up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChargeRequest {
    /// The limits that are charged together: all of them or none.
    pub charges: Vec<Charge>,
    /// What is counted for the tenant and the day.
    pub usage: Usage,
    /// The day's count of requests beyond which calls are refused.
    pub max_requests_per_day: Option<u64>,
}

/// What a tenant used, of the things that are counted for each day (UTC, by the store's clock).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Requests, writes and reads.
    pub requests: u64,
    /// Scores that were submitted, as they were asked for (refused and replayed ones included).
    pub scores: u64,
}

/// A day's usage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayUsage {
    /// The day, as days since 1970-01-01 (UTC).
    pub day: u32,
    /// What was used.
    pub usage: Usage,
}

/// What a tenant holds now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EntryQuota {
    /// Leaderboards.
    pub leaderboards: u64,
    /// Entries in all periods that are kept, hidden ones included.
    pub entries: u64,
    /// What its logs and idempotency records weigh, in bytes: each event its own bytes and
    /// [`crate::EVENT_OVERHEAD_BYTES`], each record [`crate::Target::record_weight`] from when it is made to the end
    /// of the next span of [`super::IDEMPOTENCY_MS`] since 1970.
    pub log_bytes: u64,
}

/// How much room limits have after a call, whether it was let through or not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RateLimitDecision {
    /// For each charge, how far the theoretical arrival time is ahead of now, in microseconds; never below 0.
    pub ahead_us: Vec<u64>,
    /// The tenant's requests of the day so far, this one included when it was let through.
    pub requests_today: u64,
    /// Whether nothing was charged because a limit or the day's quota is used up. Reports are never refused.
    pub refused: bool,
}

/// How many days of usage are kept.
pub const USAGE_DAYS: u32 = 400;

/// Takes from several limits at once, all or nothing.
pub trait RateLimits {
    /// Charges a call that has not been let through yet.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn take(
        &self,
        tenant: &TenantId,
        charge_request: &ChargeRequest,
    ) -> Result<RateLimitDecision, StoreError>;

    /// Adds what has been let through already. Never refuses.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn report(
        &self,
        tenant: &TenantId,
        charge_request: &ChargeRequest,
    ) -> Result<RateLimitDecision, StoreError>;

    /// The tenant's usage of the last `days` days that have any, newest first, and what it holds now.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn usage(&self, tenant: &TenantId, days: u32) -> Result<(Vec<DayUsage>, EntryQuota), StoreError>;
}

/// Counters of the whole installation, for metrics. A counter is named by its series: the name of the metric and its
/// labels, e.g. `requests{family="ranks",status="2xx"}`.
pub trait Counters {
    /// Adds to many counters in one command.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn add(&self, counts: &[(Box<str>, u64)]) -> Result<(), StoreError>;

    /// All counters, in byte order of their names.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn counters(&self) -> Result<Vec<(Box<str>, u64)>, StoreError>;
}
