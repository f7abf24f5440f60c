//! The port [`RateLimits`].

use leaderboard_core::ports::{
    ChargeRequest, DayUsage, EntryQuota, Overdraft, RateLimitDecision, RateLimits,
};
use leaderboard_core::{StoreError, TenantId};

use crate::connection::Connection;
use crate::rate_limits::{changes_anything, charge_all};
use crate::row::corrupt;
use crate::session::Session;
use crate::writes::PendingWrites;
use crate::{SqliteStore, usage};

impl<C: Connection> RateLimits for SqliteStore<C> {
    async fn take(
        &self,
        tenant: &TenantId,
        charge_request: &ChargeRequest,
    ) -> Result<RateLimitDecision, StoreError> {
        self.meter(tenant, charge_request, Overdraft::ByTake).await
    }

    async fn report(
        &self,
        tenant: &TenantId,
        charge_request: &ChargeRequest,
    ) -> Result<RateLimitDecision, StoreError> {
        self.meter(tenant, charge_request, Overdraft::ByReport).await
    }

    async fn usage(&self, tenant: &TenantId, days: u32) -> Result<(Vec<DayUsage>, EntryQuota), StoreError> {
        self.read(|session| usage::read(session, tenant, days))
    }
}

impl<C: Connection> SqliteStore<C> {
    /// Makes all charges of a request, or refuses it and makes none. A report is never refused. A call that only reads the state does
    /// not wait for writers.
    async fn meter(
        &self,
        tenant: &TenantId,
        charge_request: &ChargeRequest,
        overdraft: Overdraft,
    ) -> Result<RateLimitDecision, StoreError> {
        let work = |session: &Session<'_>| {
            let mut writes = PendingWrites::default();
            let decisions = charge_all(session, &mut writes, tenant, &[charge_request], overdraft)?;
            writes.apply(session)?;
            decisions.into_iter().next().ok_or_else(|| corrupt("decision"))
        };
        if changes_anything(charge_request) {
            self.write(work).await
        } else {
            self.single(work)
        }
    }
}
