//! Dead letters: messages that could not be applied.

use crate::{StoreError, TenantId, Timestamp};

/// How many dead letters of one tenant are kept, and how many without a tenant. The oldest are deleted first.
pub const MAX_DEAD_LETTERS: u64 = 10_000;
/// How many dead letters of all tenants are kept. The oldest are deleted first.
pub const MAX_DEAD_LETTERS_IN_ALL: u64 = 100_000;

/// A message that could not be applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// When the service stopped trying to apply the message.
    pub at: Timestamp,
    /// Why the message could not be applied, as a sentence.
    pub reason: String,
    /// The message. A message that exceeds the size limit of its producer is cut.
    pub payload: Vec<u8>,
}

/// A dead letter in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredDeadLetter {
    /// The id of the letter. Ids grow and are never reused.
    pub id: u64,
    /// The tenant of the message; `None` if the message names no tenant.
    pub tenant: Option<TenantId>,
    /// The letter.
    pub letter: DeadLetter,
}

/// Dead letters, those of each tenant bounded by [`MAX_DEAD_LETTERS`].
pub trait DeadLetters {
    /// Adds letters of one tenant in their order, in one command. A letter is skipped if the store has one of the same tenant,
    /// reason and payload from within [`crate::ports::IDEMPOTENCY_MS`], because every region receives every message.
    ///
    /// # Errors
    /// [`StoreError`]. The call can be repeated safely.
    async fn push_dead_letters(
        &self,
        tenant: Option<&TenantId>,
        letters: &[DeadLetter],
    ) -> Result<(), StoreError>;

    /// Returns up to `limit` letters, newest first: of one tenant, or of all with `None`. With `before`, only letters with a smaller
    /// id are returned; no letter needs to have this id.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn list_dead_letters(
        &self,
        tenant: Option<&TenantId>,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<StoredDeadLetter>, StoreError>;

    /// Returns the letter with this id.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn read_dead_letter(&self, id: u64) -> Result<Option<StoredDeadLetter>, StoreError>;

    /// Deletes a letter. Returns whether the letter existed.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn delete_dead_letter(&self, id: u64) -> Result<bool, StoreError>;
}
