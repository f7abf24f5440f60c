//! Where messages go that could not be applied.

use crate::{StoreError, TenantId, Timestamp};

/// How many dead letters of one tenant are kept, and how many that name no tenant; the oldest go first.
pub const MAX_DEAD_LETTERS: u64 = 10_000;
/// How many dead letters of all tenants are kept; the oldest go first.
pub const MAX_DEAD_LETTERS_IN_ALL: u64 = 100_000;

/// A message that could not be applied, on its way into the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// When it was given up.
    pub at: Timestamp,
    /// Why, in words.
    pub reason: String,
    /// The message, complete unless it is longer than its producer states.
    pub payload: Vec<u8>,
}

/// A dead letter in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredDeadLetter {
    /// Names it. A later letter has a larger one, and none is used twice.
    pub id: u64,
    /// Whose message it is; `None` for one that names no tenant.
    pub tenant: Option<TenantId>,
    /// The letter.
    pub letter: DeadLetter,
}

/// Dead letters, those of each tenant bounded by [`MAX_DEAD_LETTERS`].
pub trait DeadLetters {
    /// Adds letters of one tenant in their order, in one command. While a letter is in the store, one of the same tenant, reason
    /// and payload within [`crate::ports::IDEMPOTENCY_MS`] is not added again: every region receives every message.
    ///
    /// # Errors
    /// [`StoreError`]; a repeat is safe.
    async fn push_dead_letters(
        &self,
        tenant: Option<&TenantId>,
        letters: &[DeadLetter],
    ) -> Result<(), StoreError>;

    /// Up to `limit` letters, newest first: of one tenant, or with `None` all there are. With `before`, those older than the letter
    /// of that id, whether it is still there or not.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn list_dead_letters(
        &self,
        tenant: Option<&TenantId>,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<StoredDeadLetter>, StoreError>;

    /// One letter.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn read_dead_letter(&self, id: u64) -> Result<Option<StoredDeadLetter>, StoreError>;

    /// Deletes a letter. Whether there was one.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn delete_dead_letter(&self, id: u64) -> Result<bool, StoreError>;
}
