//! What it costs to hold a request open while its body is waited for.

use std::pin::pin;

use leaderboard_core::TenantId;

use super::RateLimiter;
use crate::Charging;
use crate::RateLimitEnvironment;
use crate::refusals::now_us;
use crate::{Cost, schedule};
use leaderboard_api::Problem;
use leaderboard_cache::circuit_breaker::run_within;

/// How long a body of a request that is charged later may take to come before it is held to cost something, in milliseconds.
const FREE_BODY_WAIT_MS: i64 = 25;

impl RateLimiter {
    /// Waits for the request's body. While one that does not come at once is waited for, a request that is charged later is
    /// charged one unit here, and reported: a body that never comes is not free, and a caller holds no more requests open than its
    /// limits let through.
    ///
    /// # Errors
    /// 429.
    pub async fn wait_for<E: RateLimitEnvironment, B>(
        &mut self,
        env: &E,
        tenant: &TenantId,
        reading: impl Future<Output = B>,
    ) -> Result<B, Problem> {
        let mut reading = pin!(reading);
        if !matches!(self.charging, Charging::Before | Charging::InCall) || self.applied.is_empty() {
            return Ok(reading.await);
        }
        if let Some(body) = run_within(env, FREE_BODY_WAIT_MS, reading.as_mut()).await {
            return Ok(body);
        }
        self.look(env, tenant).await;
        if !self.has_room(env, tenant) {
            return Err(self.refused(env, &self.peek(env, tenant)));
        }
        let buckets = &env.rate_limit_state().buckets;
        buckets.charge(tenant, &self.applied, Cost::ONE, 0, now_us(env));
        schedule(env);
        let body = reading.await;
        for one in &mut self.applied {
            // What the store was headers of is taken off what the request is charged with.
            one.paid = u64::from(!buckets.take_back(tenant, &one.bucket));
        }
        Ok(body)
    }
}
