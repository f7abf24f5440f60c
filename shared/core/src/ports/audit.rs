//! The audit log: who did what, when, from where. Records are appended and read, never changed.

use crate::{StoreError, TenantId, Timestamp};

/// The most acts that a scope's log keeps; the oldest go first.
pub const MAX_AUDIT_ACTIONS: u64 = 1_000_000;
/// The most notices that a scope's log keeps; the oldest go first.
pub const MAX_AUDIT_AUTHENTICATIONS: u64 = 100_000;

/// What a record is of. Each kind has room of its own, so that no number of notices pushes an act out of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AuditKind {
    /// What somebody who may do so has done.
    Action,
    /// What happens as often as clients like: credentials that are refused, tokens that are issued.
    Authentication,
}

impl AuditKind {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Action, Self::Authentication];

    /// How many records of this kind a scope's log keeps.
    #[must_use]
    pub const fn max_records(self) -> u64 {
        match self {
            Self::Action => MAX_AUDIT_ACTIONS,
            Self::Authentication => MAX_AUDIT_AUTHENTICATIONS,
        }
    }
}

/// One record on its way into the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRecord {
    /// In whose log it is; `None` is the operator's: acts that are no tenant's, and credentials of unknown tenants.
    pub tenant: Option<TenantId>,
    /// What it is of.
    pub kind: AuditKind,
    /// When it happened.
    pub at: Timestamp,
    /// What happened, in the writer's own encoding (the store does not look into it); at most 4 KiB.
    pub body: Vec<u8>,
}

/// A record in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedAudit {
    /// Its place in the scope's log, from 1, without gaps until records of one kind go before older ones of the other.
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
