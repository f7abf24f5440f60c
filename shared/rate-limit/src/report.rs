//! Telling the store, after the response, what was let through.
//!
//! One report of an instance is under way at a time. It is due when enough is pending, when one caller took a good part of
//! a burst, or after a pause; the work that waits for it keeps the instance alive.

use std::cell::Cell;
use std::pin::pin;

use leaderboard_core::ports::{ChargeRequest, RateLimitDecision, RateLimits};
use leaderboard_core::{StoreError, TenantId};

use super::buckets::{BucketStates, UsageReport};
use super::counts;
use super::counts::Counts;
use super::slots;
use super::slots::{Slots, micros};
use crate::RateLimitEnvironment;
use leaderboard_cache::circuit_breaker;
use leaderboard_cache::circuit_breaker::PATIENCE_MS;

/// How long the work that waits for a report sleeps at a time, in milliseconds.
const TICK_MS: u64 = 25;

/// What an instance does about limits.
#[derive(Debug, Default)]
pub struct RateLimitState {
    /// What it knows and has let through.
    pub buckets: BucketStates,
    /// What it has read of others.
    pub slots: Slots,
    /// What it has counted.
    pub counts: Counts,
    /// Whether a report is under way.
    reporting: Cell<bool>,
    /// Whether a report is about to begin.
    called: Cell<bool>,
    /// Whether somebody waits for the pause to end.
    waiting: Cell<bool>,
}

/// When reports are due.
struct ReportPace {
    /// So many requests are pending.
    pending: u64,
    /// So many milliseconds have passed.
    pause_ms: u64,
}

/// On a store that is elsewhere.
const REMOTE: ReportPace = ReportPace {
    pending: 128,
    pause_ms: 25,
};
/// On the embedded store, where each report is a flush of the disk: once in an instance's life when it is busy.
const EMBEDDED: ReportPace = ReportPace {
    pending: 128,
    pause_ms: 500,
};

fn pace<E: RateLimitEnvironment>(env: &E) -> ReportPace {
    if env.cache().is_some() { REMOTE } else { EMBEDDED }
}

impl RateLimitState {
    fn has_news(&self) -> bool {
        self.buckets.pending() > 0 || !self.counts.is_empty()
    }
}

/// Sees to it that what is pending gets reported.
pub fn schedule<E: RateLimitEnvironment>(env: &E) {
    let limiter = &env.rate_limit_state();
    if !limiter.has_news() {
        return;
    }
    if is_due(env) && !limiter.reporting.get() && !limiter.called.replace(true) {
        env.later(report_now(env.clone()));
    } else if !limiter.waiting.replace(true) {
        env.later(report_after_a_pause(env.clone()));
    }
}

fn is_due<E: RateLimitEnvironment>(env: &E) -> bool {
    let buckets = &env.rate_limit_state().buckets;
    buckets.urgent() || buckets.pending() >= pace(env).pending
}

async fn report_now<E: RateLimitEnvironment>(env: E) {
    let limiter = &env.rate_limit_state();
    limiter.called.set(false);
    while is_due(&env) && !limiter.reporting.replace(true) {
        report(&env).await;
        limiter.reporting.set(false);
    }
    schedule(&env);
}

async fn report_after_a_pause<E: RateLimitEnvironment>(env: E) {
    let limiter = &env.rate_limit_state();
    let mut waited_ms = 0;
    while limiter.has_news() {
        env.pause(TICK_MS).await;
        waited_ms += TICK_MS;
        if waited_ms >= pace(&env).pause_ms && limiter.has_news() && !limiter.reporting.replace(true) {
            report(&env).await;
            limiter.reporting.set(false);
            waited_ms = 0;
        }
    }
    limiter.waiting.set(false);
}

/// A report that fails is not repeated: the store may have taken it. None is sent while the store is not known to answer: a store
/// that hangs would take in all of them at once when it goes on, as if callers had sent all those requests in that moment.
async fn report<E: RateLimitEnvironment>(env: &E) {
    let limiter = &env.rate_limit_state();
    let mut busy = Vec::new();
    let mut open = circuit_breaker::is_open(env).await;
    if open {
        circuit_breaker::probe_later(env);
    }
    for UsageReport {
        tenant,
        charge_request,
    } in limiter.buckets.take_pending()
    {
        let answer = if open {
            Err(StoreError::Unavailable("the circuit breaker is open".to_owned()))
        } else {
            send(env, &tenant, &charge_request).await
        };
        open |= matches!(answer, Err(StoreError::Unavailable(_)));
        let now_us = micros(env.clock().as_unix_ms());
        match answer {
            Ok(rate_limit_decision) => {
                limiter
                    .buckets
                    .learn(&tenant, &charge_request.charges, &rate_limit_decision, now_us)
            }
            Err(_) => limiter
                .counts
                .add(counts::unmetered(), charge_request.usage.requests.max(1)),
        }
        busy.extend(limiter.buckets.busy(&tenant, &charge_request.charges, now_us));
    }
    slots::publish(env, &busy).await;
    counts::pass_on(env, !open).await;
}

/// One report. The breaker opens as soon as it takes too long: other instances are about to send theirs.
async fn send<E: RateLimitEnvironment>(
    env: &E,
    tenant: &TenantId,
    charge_request: &ChargeRequest,
) -> Result<RateLimitDecision, StoreError> {
    let mut sent = pin!(env.store().report(tenant, charge_request));
    let answer = match circuit_breaker::run_within(env, PATIENCE_MS, sent.as_mut()).await {
        Some(answer) => answer,
        None => {
            circuit_breaker::open_as_slow(env);
            sent.await
        }
    };
    match &answer {
        Ok(_) => circuit_breaker::close(env),
        Err(StoreError::Unavailable(cause)) => circuit_breaker::open(env, cause),
        Err(_) => {}
    }
    answer
}
