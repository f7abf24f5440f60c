//! The audit log: who did what, when, from where. Records are appended and read, never changed.

use crate::{StoreError, TenantId, Timestamp};

/// The most records that a scope's log keeps; the oldest go first.
pub const MAX_AUDIT_RECORDS: u64 = 1_000_000;

/// One record on its way into the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRecord {
    /// In whose log it is; `None` is the operator's: acts that are no tenant's, and credentials of unknown tenants.
    pub tenant: Option<TenantId>,
    /// When it happened.
    pub at: Timestamp,
    /// What happened, in the writer's own encoding (the store does not look into it); at most 4 KiB.
    pub body: Vec<u8>,
}

/// A record in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedAudit {
    /// Its place in the scope's log, from 1, without gaps.
    pub position: u64,
    /// As in [`AuditRecord::at`].
    pub at: Timestamp,
    /// As in [`AuditRecord::body`].
    pub body: Vec<u8>,
}

/// The audit log.
pub trait AuditLog {
    /// Appends a record; its position.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn append_audit(&self, record: &AuditRecord) -> Result<u64, StoreError>;

    /// Up to `limit` records before a position (`None`: from the newest), newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn read_audit(
        &self,
        tenant: Option<&TenantId>,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<RecordedAudit>, StoreError>;
}
