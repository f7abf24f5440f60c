//! Reports the instance's local charges to the store after the response.
//!
//! An instance sends one report at a time. A report is due when enough requests are pending, when one caller has used a large
//! part of a burst, or after a pause. The task that waits for the pause keeps the instance alive.

use std::cell::Cell;
use std::pin::pin;

use leaderboard_core::ports::{
    ChargeRequest, FIRST_SHARD, RateLimitDecision, RateLimits, ShardNumber, Shards,
};
use leaderboard_core::{StoreError, TenantId};

use super::buckets::{BucketStates, UsageReport};
use super::micros::micros_from_millis;
use super::series::LimitCounts;
use super::usage_slots::UsageSlots;
use super::{series, usage_slots};
use crate::RateLimitEnvironment;
use leaderboard_cache::circuit_breaker;
use leaderboard_cache::circuit_breaker::PATIENCE_MS;

/// The pause between two checks whether a report is due, in milliseconds.
const TICK_MS: u64 = 25;

/// The rate-limit state of the instance.
#[derive(Debug, Default)]
pub struct RateLimitState {
    /// The buckets.
    pub buckets: BucketStates,
    /// What the instance has read from the region's usage slots.
    pub slots: UsageSlots,
    /// Counts for the metrics.
    pub counts: LimitCounts,
    /// Whether a report is being sent.
    reporting: Cell<bool>,
    /// Whether a task is scheduled that sends a report without a pause.
    scheduled: Cell<bool>,
    /// Whether a task is running that waits for the pause and then sends a report.
    waiting: Cell<bool>,
}

/// When reports are due.
struct ReportPace {
    /// A report is due when this many requests are pending.
    pending: u64,
    /// A report is due this many milliseconds after the last report.
    pause_ms: u64,
}

/// When reports to a store in another process are due.
const REMOTE: ReportPace = ReportPace {
    pending: 128,
    pause_ms: 25,
};
/// When reports to the embedded store are due. Each report flushes the disk, so an instance that is busy sends only one report in
/// its life of 128 requests.
const EMBEDDED: ReportPace = ReportPace {
    pending: 128,
    pause_ms: 500,
};

fn select_pace<E: RateLimitEnvironment>(env: &E) -> ReportPace {
    if env.cache().is_some() { REMOTE } else { EMBEDDED }
}

impl RateLimitState {
    fn has_pending(&self) -> bool {
        self.buckets.pending() > 0 || !self.counts.is_empty()
    }
}

/// Schedules a report of everything that is pending, after the response.
pub fn schedule_report<E: RateLimitEnvironment>(env: &E) {
    let state = &env.rate_limit_state();
    if !state.has_pending() {
        return;
    }
    if is_due(env) && !state.reporting.get() && !state.scheduled.replace(true) {
        env.later(report_now(env.clone()));
    } else if !state.waiting.replace(true) {
        env.later(report_after_pause(env.clone()));
    }
}

fn is_due<E: RateLimitEnvironment>(env: &E) -> bool {
    let buckets = &env.rate_limit_state().buckets;
    buckets.is_urgent() || buckets.pending() >= select_pace(env).pending
}

async fn report_now<E: RateLimitEnvironment>(env: E) {
    let state = &env.rate_limit_state();
    state.scheduled.set(false);
    while is_due(&env) && !state.reporting.replace(true) {
        send_reports(&env).await;
        state.reporting.set(false);
    }
    schedule_report(&env);
}

async fn report_after_pause<E: RateLimitEnvironment>(env: E) {
    let state = &env.rate_limit_state();
    let mut waited_ms = 0;
    while state.has_pending() {
        env.pause(TICK_MS).await;
        waited_ms += TICK_MS;
        if waited_ms >= select_pace(&env).pause_ms && state.has_pending() && !state.reporting.replace(true) {
            send_reports(&env).await;
            state.reporting.set(false);
            waited_ms = 0;
        }
    }
    state.waiting.set(false);
}

/// Sends the pending reports, shares high usage with the region, and sends the counts for the metrics.
///
/// A failed report is not repeated, because the store may have applied it. No report is sent while the circuit breaker of its shard is open: a
/// store that hangs would process all waiting reports at once later, and refuse callers because of requests from long ago.
async fn send_reports<E: RateLimitEnvironment>(env: &E) {
    let state = &env.rate_limit_state();
    let mut usage = Vec::new();
    for UsageReport {
        tenant,
        charge_request,
    } in state.buckets.take_reports()
    {
        let shard = env.store().guess_shard(Some(&tenant));
        let answer = if circuit_breaker::is_open(env, shard).await {
            circuit_breaker::probe_later(env, shard);
            Err(StoreError::Unavailable("the circuit breaker is open".to_owned()))
        } else {
            send_report(env, shard, &tenant, &charge_request).await
        };
        let now_us = micros_from_millis(env.clock().as_unix_ms());
        match answer {
            Ok(decision) => {
                state
                    .buckets
                    .update_from_store(&tenant, &charge_request.charges, &decision, now_us);
            }
            Err(_) => state
                .counts
                .add(series::unmetered_series(), charge_request.usage.requests.max(1)),
        }
        usage.extend(
            state
                .buckets
                .take_usage_to_share(&tenant, &charge_request.charges, now_us),
        );
    }
    usage_slots::share_usage(env, &usage).await;
    series::flush_counts(env, !circuit_breaker::is_open(env, FIRST_SHARD).await).await;
}

/// Sends one report. If the report takes too long, opens the circuit breaker at once, so that other instances do not send theirs.
async fn send_report<E: RateLimitEnvironment>(
    env: &E,
    shard: ShardNumber,
    tenant: &TenantId,
    charge_request: &ChargeRequest,
) -> Result<RateLimitDecision, StoreError> {
    let mut sent = pin!(env.store().report(tenant, charge_request));
    let answer = match circuit_breaker::run_within(env, PATIENCE_MS, sent.as_mut()).await {
        Some(answer) => answer,
        None => {
            circuit_breaker::open_as_slow(env, shard);
            sent.await
        }
    };
    match &answer {
        Ok(_) => circuit_breaker::close(env, shard),
        Err(StoreError::Unavailable(cause)) => circuit_breaker::open(env, shard, cause),
        Err(_) => {}
    }
    answer
}
