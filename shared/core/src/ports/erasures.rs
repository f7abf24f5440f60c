//! Erasing a player from the data of a tenant.

use crate::{LeaderboardId, PlayerErasure, StoreError, TenantId, Timestamp, UnreplacedEvent};

impl From<UnreplacedEvent> for StoreError {
    fn from(reason: UnreplacedEvent) -> Self {
        match reason {
            UnreplacedEvent::Unknown => Self::Unavailable(
                "the log has an event of a newer version that may be about the player".into(),
            ),
            UnreplacedEvent::Malformed(error) => Self::Corrupt(error.to_string()),
        }
    }
}

/// Returns a record with the pseudonym in place of the player; `None` if the record does not name the player.
pub type ReplaceRecord<'a> = &'a dyn Fn(&[u8]) -> Option<Vec<u8>>;

/// Erases players. Each call does a bounded step, and a step that was done before does nothing: so a caller that stopped half-way
/// begins again with the same pseudonym.
///
/// What a player sends during an erasure is the data of a new player with the same id. Each leaderboard has a position that separates
/// both ([`Erasures::erase_entries`]).
pub trait Erasures {
    /// Erases the player's entries and claims in all periods of a leaderboard, in one atomic step. Returns the position of the last
    /// event then: up to this event, the log is about the erased player. `None` if there is no such leaderboard.
    ///
    /// A visible entry of a period whose standings are final keeps its place, without metadata, under the pseudonym. Any other entry
    /// is removed with an event, as [`super::Scores::remove`] does. A claim gets the pseudonym. The copies of a rebuild are dropped.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn erase_entries(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
        erasure: &PlayerErasure,
        at: Timestamp,
    ) -> Result<Option<u64>, StoreError>;

    /// Replaces the player's events up to a position ([`PlayerErasure::replace_event`]), all of them at once, and deletes the
    /// idempotency records of their submissions. Returns whether it is done: if it is not, the same call continues.
    ///
    /// # Errors
    /// [`StoreError`]; [`StoreError::Unavailable`] if the log has an event of a newer format that may be about the player.
    async fn erase_events(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
        erasure: &PlayerErasure,
        up_to: u64,
    ) -> Result<bool, StoreError>;

    /// Replaces the records of a tenant's audit log that have the bytes `mention` and that `replace` replaces. Their positions stay.
    /// Returns whether it is done: if it is not, the same call continues.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn replace_audit(
        &self,
        tenant: &TenantId,
        erasure: &PlayerErasure,
        mention: &[u8],
        replace: ReplaceRecord<'_>,
    ) -> Result<bool, StoreError>;

    /// Deletes the record of the player's ban, and applies the pending changes of bans, which name players. Returns whether no change is
    /// pending.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn erase_ban(
        &self,
        tenant: &TenantId,
        erasure: &PlayerErasure,
        at: Timestamp,
    ) -> Result<bool, StoreError>;
}
