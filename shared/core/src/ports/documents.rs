//! Versioned documents other than leaderboards: tenants, keys, issuers, rate limits, flags, bans, regions, erasures, projections,
//! webhooks.

use super::{Expected, VersionMismatch};
use crate::{StoreError, TenantId, Versioned};

/// The longest id of a document, in bytes of visible ASCII.
pub const MAX_DOCUMENT_ID_BYTES: usize = 128;

/// The kind of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DocumentKind {
    /// A tenant. The document has the tenant's id and belongs to the operator.
    Tenant,
    /// The record of an API key. The record belongs to the key's tenant. The text of a key names the tenant, so one read finds
    /// the record.
    Key,
    /// An issuer of tokens. It belongs to a tenant or to the operator.
    Issuer,
    /// Rate limits: one document of each tenant and one of the operator.
    Limits,
    /// Feature flags: one document of each tenant and one of the operator.
    Flags,
    /// A digest of the banned players of a tenant.
    Bans,
    /// What a region last reported of itself. The document has the region's name and belongs to the operator.
    Region,
    /// How far the erasure of a player is. The document belongs to the player's tenant, and its id is a digest of the player.
    Erasure,
    /// A named projection of a leaderboard's log. The document belongs to the leaderboard's tenant.
    Projection,
    /// A webhook of a tenant.
    Webhook,
    /// When a webhook is served next, and until when a delivery run serves it. It belongs to the operator, so that a run finds the
    /// webhooks of all tenants in one list.
    WebhookTurn,
    /// What delivery runs keep of a webhook: its state, and how far they have read each leaderboard's log.
    WebhookState,
    /// A message to a webhook that waits for its next attempt, or was given up.
    WebhookDelivery,
}

impl DocumentKind {
    /// All kinds.
    pub const ALL: [Self; 13] = [
        Self::Tenant,
        Self::Key,
        Self::Issuer,
        Self::Limits,
        Self::Flags,
        Self::Bans,
        Self::Region,
        Self::Erasure,
        Self::Projection,
        Self::Webhook,
        Self::WebhookTurn,
        Self::WebhookState,
        Self::WebhookDelivery,
    ];

    /// Returns the name of the kind in storage.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tenant => "tenant",
            Self::Key => "key",
            Self::Issuer => "issuer",
            Self::Limits => "limits",
            Self::Flags => "flags",
            Self::Bans => "bans",
            Self::Region => "region",
            Self::Erasure => "erasure",
            Self::Projection => "projection",
            Self::Webhook => "webhook",
            Self::WebhookTurn => "webhook-turn",
            Self::WebhookState => "webhook-state",
            Self::WebhookDelivery => "webhook-delivery",
        }
    }
}

/// The full name of a document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DocumentName {
    /// The tenant that the document belongs to. `None` is the operator, whose documents apply to all tenants.
    pub tenant: Option<TenantId>,
    /// The kind.
    pub kind: DocumentKind,
    /// The id within the kind: visible ASCII without `:`, at most [`MAX_DOCUMENT_ID_BYTES`].
    pub id: Box<str>,
}

/// Documents with versions.
///
/// Each version is used once within a tenant (or the operator). The version grows with every change, also when a document is
/// deleted and created again. A version is the time of the store's clock in microseconds, or the last version plus one if that is
/// larger. So a store that lost writes or was restored from a backup does not use a version twice.
pub trait Documents {
    /// Returns the documents with these names, in this order, with one command.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn read_documents(
        &self,
        names: &[DocumentName],
    ) -> Result<Vec<Option<Versioned<Vec<u8>>>>, StoreError>;

    /// Returns the document with this name, if it exists.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn read_document(&self, name: &DocumentName) -> Result<Option<Versioned<Vec<u8>>>, StoreError> {
        let found = self.read_documents(std::slice::from_ref(name)).await?;
        Ok(found.into_iter().next().flatten())
    }

    /// Creates or replaces a document. Returns the new version and whether the document is new. An unchanged document keeps its
    /// version.
    ///
    /// # Errors
    /// [`StoreError`]; a version mismatch is an inner result. [`StoreError::OutOfMemory`] occurs only if the document is new or
    /// becomes longer: a full store can still shorten and delete documents.
    async fn put_document(
        &self,
        name: &DocumentName,
        body: &[u8],
        expected: Expected,
    ) -> Result<Result<(u64, bool), VersionMismatch>, StoreError>;

    /// Deletes a document. Returns whether it existed.
    ///
    /// # Errors
    /// [`StoreError`]; a version mismatch is an inner result.
    async fn delete_document(
        &self,
        name: &DocumentName,
        expected: Expected,
    ) -> Result<Result<bool, VersionMismatch>, StoreError>;

    /// Returns up to `limit` documents of one kind and owner in byte order of their ids, beginning after the id `after`.
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
