//! The ports of the edge: documents, metering, counters, the audit log, announcements.

use leaderboard_core::ports::{
    AuditLog, AuditRecord, Counters, DocumentKind, DocumentName, Documents, Expected, RecordedAudit,
    VersionMismatch,
};
use leaderboard_core::{StoreError, TenantId, Versioned};

use crate::RedisStore;
use crate::connection::Connection;

fn absent<T>() -> Result<T, StoreError> {
    Err(StoreError::Rejected("this store does not do this yet".into()))
}

impl<C: Connection> Documents for RedisStore<C> {
    async fn read_documents(
        &self,
        names: &[DocumentName],
    ) -> Result<Vec<Option<Versioned<Vec<u8>>>>, StoreError> {
        Ok(names.iter().map(|_| None).collect())
    }

    async fn put_document(
        &self,
        _name: &DocumentName,
        _body: &[u8],
        _expected: Expected,
    ) -> Result<Result<(u64, bool), VersionMismatch>, StoreError> {
        absent()
    }

    async fn delete_document(
        &self,
        _name: &DocumentName,
        _expected: Expected,
    ) -> Result<Result<bool, VersionMismatch>, StoreError> {
        absent()
    }

    async fn list_documents(
        &self,
        _tenant: Option<&TenantId>,
        _kind: DocumentKind,
        _after: Option<&str>,
        _limit: u32,
    ) -> Result<Vec<(Box<str>, Versioned<Vec<u8>>)>, StoreError> {
        Ok(Vec::new())
    }
}

impl<C: Connection> Counters for RedisStore<C> {
    async fn add(&self, _counts: &[(Box<str>, u64)]) -> Result<(), StoreError> {
        Ok(())
    }

    async fn counters(&self) -> Result<Vec<(Box<str>, u64)>, StoreError> {
        Ok(Vec::new())
    }
}

impl<C: Connection> AuditLog for RedisStore<C> {
    async fn append_audit(&self, _record: &AuditRecord) -> Result<u64, StoreError> {
        Ok(1)
    }

    async fn read_audit(
        &self,
        _tenant: Option<&TenantId>,
        _before: Option<u64>,
        _limit: u32,
    ) -> Result<Vec<RecordedAudit>, StoreError> {
        Ok(Vec::new())
    }
}
