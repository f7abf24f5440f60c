//! The audit log: who did what, when and from where. A record changes only when a player in it is erased ([`super::Erasures`]).

use crate::{StoreError, TenantId, Timestamp};

/// The most records of [`AuditKind::Action`] that the log of one tenant (or of the operator) keeps. The oldest are deleted first.
pub const MAX_AUDIT_ACTIONS: u64 = 1_000_000;
/// The most records of [`AuditKind::Authentication`] that one log keeps. The oldest are deleted first.
pub const MAX_AUDIT_AUTHENTICATIONS: u64 = 100_000;

/// The kind of a record. Each kind has its own limit, so that frequent authentication records do not displace actions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AuditKind {
    /// An authorized caller changed something.
    Action,
    /// A credential was refused or a token was issued. Clients decide how often this happens.
    Authentication,
}

impl AuditKind {
    /// All kinds.
    pub const ALL: [Self; 2] = [Self::Action, Self::Authentication];

    /// Returns how many records of this kind one log keeps.
    #[must_use]
    pub const fn max_records(self) -> u64 {
        match self {
            Self::Action => MAX_AUDIT_ACTIONS,
            Self::Authentication => MAX_AUDIT_AUTHENTICATIONS,
        }
    }
}

/// A record to append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRecord {
    /// The tenant whose log gets the record. `None` is the operator's log, which has actions that concern no tenant and
    /// credentials of unknown tenants.
    pub tenant: Option<TenantId>,
    /// The kind of the record.
    pub kind: AuditKind,
    /// When the action or the authentication happened.
    pub at: Timestamp,
    /// What happened, as bytes that the store does not interpret; at most 4 KiB.
    pub body: Vec<u8>,
}

/// A record in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedAudit {
    /// The position in the log, from 1. A log has gaps where records of one kind were deleted and older records of the other kind
    /// remain.
    pub position: u64,
    /// As in [`AuditRecord::at`].
    pub at: Timestamp,
    /// As in [`AuditRecord::body`].
    pub body: Vec<u8>,
}

/// The audit log.
pub trait AuditLog {
    /// Appends a record and returns its position.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn append_audit(&self, record: &AuditRecord) -> Result<u64, StoreError>;

    /// Returns up to `limit` records before a position, newest first. With `None`, starts at the newest record.
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
