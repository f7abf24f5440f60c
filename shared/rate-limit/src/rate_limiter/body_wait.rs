//! Charges a request for the time that it waits for its body.

use std::pin::pin;

use leaderboard_core::TenantId;

use super::RateLimiter;
use crate::micros::now_us;
use crate::{Charging, RateLimitEnvironment, RequestCost, schedule_report};
use leaderboard_api::Problem;
use leaderboard_cache::circuit_breaker::run_within;

/// How long a request may wait for its body without a charge, in milliseconds.
const FREE_BODY_WAIT_MS: i64 = 25;

impl RateLimiter {
    /// Waits for the request's body and returns it.
    ///
    /// If the store will charge the request later and its body takes longer than [`FREE_BODY_WAIT_MS`], charges the request one
    /// unit here. So a caller cannot hold more requests open than its limits allow, even if a body never arrives. When the body
    /// has arrived, the unit is refunded or counted as paid.
    ///
    /// # Errors
    /// 429 if a limit has no room for the unit.
    pub async fn wait_for_body<E: RateLimitEnvironment, B>(
        &mut self,
        env: &E,
        tenant: &TenantId,
        reading: impl Future<Output = B>,
    ) -> Result<B, Problem> {
        let mut reading = pin!(reading);
        let charged_later = matches!(self.charging, Charging::BeforeHandler | Charging::InCall);
        if !charged_later || self.limits.is_empty() {
            return Ok(reading.await);
        }
        if let Some(body) = run_within(env, FREE_BODY_WAIT_MS, reading.as_mut()).await {
            return Ok(body);
        }
        self.load_usage(env, tenant).await;
        self.check_room(env, tenant)?;
        let buckets = &env.rate_limit_state().buckets;
        buckets.charge(tenant, &self.limits, RequestCost::ONE, 0, now_us(env));
        schedule_report(env);
        let body = reading.await;
        for limit in &mut self.limits {
            // A unit that was reported to the store already cannot be refunded; the request's own charge is one unit less.
            limit.paid = u64::from(!buckets.refund_unit(tenant, &limit.bucket));
        }
        Ok(body)
    }
}
