//! Documents, rate limits, counters, audit log and announcements; each call is one transaction.

use leaderboard_core::ports::{
    AnnouncedChange, Announcements, AuditLog, AuditRecord, ChargeRequest, Counters, DayUsage, DocumentKind,
    DocumentName, Documents, EntryQuota, Expected, Overdraft, RateLimitDecision, RateLimits, RecordedAudit,
    VersionMismatch,
};
use leaderboard_core::{StoreError, TenantId, Versioned};

use crate::connection::Connection;
use crate::session::Session;
use crate::{SqliteStore, audit, counters, documents, rate_limits, usage};

impl<C: Connection> Documents for SqliteStore<C> {
    async fn read_documents(
        &self,
        names: &[DocumentName],
    ) -> Result<Vec<Option<Versioned<Vec<u8>>>>, StoreError> {
        let work = |session: &Session<'_>| documents::read(session, names);
        if names.is_empty() {
            Ok(Vec::new())
        } else if names.len() <= documents::READ_AT_ONCE {
            self.single(work)
        } else {
            self.read(work)
        }
    }

    async fn put_document(
        &self,
        name: &DocumentName,
        body: &[u8],
        expected: Expected,
    ) -> Result<Result<(u64, bool), VersionMismatch>, StoreError> {
        self.write(|session| documents::put(session, name, body, expected))
            .await
    }

    async fn delete_document(
        &self,
        name: &DocumentName,
        expected: Expected,
    ) -> Result<Result<bool, VersionMismatch>, StoreError> {
        self.write(|session| documents::delete(session, name, expected))
            .await
    }

    async fn list_documents(
        &self,
        tenant: Option<&TenantId>,
        kind: DocumentKind,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<(Box<str>, Versioned<Vec<u8>>)>, StoreError> {
        self.single(|session| documents::list(session, tenant, kind, after, limit))
    }
}

impl<C: Connection> SqliteStore<C> {
    /// Charges a call. A call that only reads the state does not wait for writers.
    async fn meter(
        &self,
        tenant: &TenantId,
        charge_request: &ChargeRequest,
        overdraft: Overdraft,
    ) -> Result<RateLimitDecision, StoreError> {
        let work = |session: &Session<'_>| rate_limits::charge(session, tenant, charge_request, overdraft);
        if rate_limits::changes_anything(charge_request) {
            self.write(work).await
        } else {
            self.single(work)
        }
    }
}

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

impl<C: Connection> Counters for SqliteStore<C> {
    async fn add(&self, counts: &[(Box<str>, u64)]) -> Result<(), StoreError> {
        if counts.is_empty() {
            return Ok(());
        }
        self.write(|session| counters::add(session, counts)).await
    }

    async fn counters(&self) -> Result<Vec<(Box<str>, u64)>, StoreError> {
        self.single(counters::list)
    }
}

impl<C: Connection> AuditLog for SqliteStore<C> {
    async fn append_audit(&self, record: &AuditRecord) -> Result<u64, StoreError> {
        self.write(|session| audit::append(session, record)).await
    }

    async fn read_audit(
        &self,
        tenant: Option<&TenantId>,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<RecordedAudit>, StoreError> {
        self.single(|session| audit::read(session, tenant, before, limit))
    }
}

/// Does nothing: a file serves only one region, so there is no other region to tell.
impl<C: Connection> Announcements for SqliteStore<C> {
    async fn announce(
        &self,
        _channel: &str,
        _tenant: &TenantId,
        _change: AnnouncedChange<'_>,
    ) -> Result<bool, StoreError> {
        Ok(true)
    }
}
