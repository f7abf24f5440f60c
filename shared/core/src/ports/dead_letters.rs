//! Dead letters: messages that could not be applied.

use crate::{StoreError, TenantId, Timestamp};

/// The most dead letters of one tenant, and the most dead letters without a tenant. The oldest are deleted first.
pub const MAX_DEAD_LETTERS: u64 = 10_000;
/// The most dead letters of all tenants together. The oldest are deleted first.
pub const MAX_DEAD_LETTERS_IN_ALL: u64 = 100_000;

/// A message that could not be applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// When the message arrived, or was appended to the queue.
    pub at: Timestamp,
    /// Why the message could not be applied, as a sentence.
    pub reason: String,
    /// The message. A message that is longer than the size limit is cut.
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

/// The dead letters of all tenants. Each tenant has at most [`MAX_DEAD_LETTERS`].
pub trait DeadLetters {
    /// Adds dead letters of one tenant in their order, in one command. Every region receives every message, so the store skips a
    /// letter if it has one of the same tenant, reason and payload that is less than [`crate::ports::IDEMPOTENCY_MS`] older or
    /// newer.
    ///
    /// # Errors
    /// [`StoreError`]. The call can be repeated safely.
    async fn push_dead_letters(
        &self,
        tenant: Option<&TenantId>,
        letters: &[DeadLetter],
    ) -> Result<(), StoreError>;

    /// Returns up to `limit` dead letters, newest first, of one tenant or (with `None`) of all. With `before`, returns only
    /// letters with a smaller id; a letter with this id need not exist.
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
