//! Versioned documents that are not leaderboards: tenants, keys, issuers, rate limits, flags.

use super::{Expected, VersionMismatch};
use crate::{StoreError, TenantId, Versioned};

/// The longest id of a document, in bytes of visible ASCII.
pub const MAX_DOCUMENT_ID_BYTES: usize = 128;

/// What a document is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DocumentKind {
    /// A tenant; its id is the tenant's, its scope the operator's.
    Tenant,
    /// An API key's record, in the scope of its tenant: the text of a key names the tenant, so that one read finds it.
    Key,
    /// Who may issue tokens, in the scope of its tenant or the operator's.
    Issuer,
    /// Rate limits; one for each scope.
    Limits,
    /// Feature flags; one set for each scope.
    Flags,
    /// Which players of a tenant are banned, in short, for the edge.
    Bans,
}

impl DocumentKind {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Tenant,
        Self::Key,
        Self::Issuer,
        Self::Limits,
        Self::Flags,
        Self::Bans,
    ];

    /// Its name in storage.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tenant => "tenant",
            Self::Key => "key",
            Self::Issuer => "issuer",
            Self::Limits => "limits",
            Self::Flags => "flags",
            Self::Bans => "bans",
        }
    }
}

/// Which document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DocumentName {
    /// Whose it is; `None` is the operator's, which holds for all tenants.
    pub tenant: Option<TenantId>,
    /// What it is about.
    pub kind: DocumentKind,
    /// Its name within the kind: visible ASCII without `:`, at most [`MAX_DOCUMENT_ID_BYTES`].
    pub id: Box<str>,
}

/// Documents with versions. A version is given once in a scope (a tenant, or the operator) and grows with every
/// change, also across a delete and a re-creation. It is the store's clock in microseconds, or one more than the last
/// version where the clock is not ahead of that, so that it is not given again by a store that lost writes or was
/// restored from a backup.
pub trait Documents {
    /// These documents, in their order; one command however many there are.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn read_documents(
        &self,
        names: &[DocumentName],
    ) -> Result<Vec<Option<Versioned<Vec<u8>>>>, StoreError>;

    /// Creates or replaces. Gives the new version and whether it was created. An unchanged document keeps its version.
    ///
    /// # Errors
    /// [`StoreError`]; a mismatch is an inner result. [`StoreError::OutOfMemory`] only for a document that is new, or longer
    /// than it was: to shorten one, as to delete one, works when the store is full.
    async fn put_document(
        &self,
        name: &DocumentName,
        body: &[u8],
        expected: Expected,
    ) -> Result<Result<(u64, bool), VersionMismatch>, StoreError>;

    /// Deletes. Whether there was one.
    ///
    /// # Errors
    /// [`StoreError`]; a mismatch is an inner result.
    async fn delete_document(
        &self,
        name: &DocumentName,
        expected: Expected,
    ) -> Result<Result<bool, VersionMismatch>, StoreError>;

    /// Up to `limit` documents of one kind and scope in byte order of their ids, after `after`.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn list_documents(
        &self,
        tenant: Option<&TenantId>,
        kind: DocumentKind,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<(Box<str>, Versioned<Vec<u8>>)>, StoreError>;
}
