//! The ports of the store for rate limits, counters, the audit log, announcements and readiness.

use leaderboard_core::ports::{
    AnnouncedChange, Announcements, AuditLog, AuditRecord, ChargeRequest, Counters, DayUsage, EntryQuota,
    RateLimitDecision, RateLimits, Readiness, RecordedAudit, Replica, SettingCheck, ShardNumber, Shards,
};
use leaderboard_core::{StoreError, TenantId};

use super::key_value::turn;
use super::store::Store;

impl RateLimits for Store {
    async fn take(
        &self,
        tenant: &TenantId,
        charge_request: &ChargeRequest,
    ) -> Result<RateLimitDecision, StoreError> {
        self.takes.set(self.takes.get() + 1);
        self.model_if_room()?.take(tenant, charge_request).await
    }

    async fn report(
        &self,
        tenant: &TenantId,
        charge_request: &ChargeRequest,
    ) -> Result<RateLimitDecision, StoreError> {
        self.reports.set(self.reports.get() + 1);
        self.wait_while_hanging().await?;
        self.model_if_room()?.report(tenant, charge_request).await
    }

    async fn usage(&self, tenant: &TenantId, days: u32) -> Result<(Vec<DayUsage>, EntryQuota), StoreError> {
        self.model_if_up()?.usage(tenant, days).await
    }
}

impl Counters for Store {
    async fn add(&self, counts: &[(Box<str>, u64)]) -> Result<(), StoreError> {
        self.model_if_room()?.add(counts).await
    }

    async fn counters(&self) -> Result<Vec<(Box<str>, u64)>, StoreError> {
        self.model_if_up()?.counters().await
    }
}

impl AuditLog for Store {
    async fn append_audit(&self, record: &AuditRecord) -> Result<u64, StoreError> {
        if self.log_is_closed.get() {
            return Err(StoreError::Unavailable("the log is closed".into()));
        }
        let (records, bytes) = self.audited.get();
        self.audited.set((records + 1, bytes + record.body.len()));
        self.model_if_room()?.append_audit(record).await
    }

    async fn read_audit(
        &self,
        tenant: Option<&TenantId>,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<RecordedAudit>, StoreError> {
        self.model_if_up()?.read_audit(tenant, before, limit).await
    }
}

impl Announcements for Store {
    async fn announce(
        &self,
        channel: &str,
        tenant: &TenantId,
        change: AnnouncedChange<'_>,
    ) -> Result<bool, StoreError> {
        self.announcements.set(self.announcements.get() + 1);
        let is_announced = self.model_if_up()?.announce(channel, tenant, change).await?;
        Ok(is_announced && !self.refuses_announcements.get())
    }
}

impl Replica for Store {}

impl Shards for Store {
    async fn check_shard(&self, _shard: ShardNumber) -> Result<(), StoreError> {
        self.check_ready().await
    }
}

impl Readiness for Store {
    async fn check_ready(&self) -> Result<(), StoreError> {
        self.probes.set(self.probes.get() + 1);
        turn().await;
        self.wait_while_hanging().await?;
        self.model_if_up().map(|_| ())
    }

    async fn check_settings(&self) -> Result<Vec<SettingCheck>, StoreError> {
        self.settings_checks.set(self.settings_checks.get() + 1);
        self.model_if_up()?;
        Ok(self.settings.borrow().clone())
    }
}
