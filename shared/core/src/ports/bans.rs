//! Shadow bans: only the banned player and servers see the player's entries.

use std::collections::BTreeSet;

use crate::{PlayerId, StoreError, TenantId, Timestamp};

/// How many bans a tenant may have at once.
pub const MAX_BANS: u64 = 10_000;
/// The longest reason of a ban, in bytes.
pub const MAX_BAN_REASON_BYTES: usize = 500;
/// The most players that one call of [`Bans::find_banned`] looks up. The store does little else during the call.
pub const MAX_PLAYERS_LOOKED_UP: usize = 500;

/// A shadow ban of a player in every leaderboard of a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ban {
    /// The banned player.
    pub player: PlayerId,
    /// The reason, for administrators; at most [`MAX_BAN_REASON_BYTES`].
    pub reason: Option<String>,
    /// When the player was banned.
    pub banned_at: Timestamp,
    /// When the ban ends; `None` if it never ends.
    pub expires_at: Option<Timestamp>,
}

impl Ban {
    /// Creates a ban without a reason and without an end.
    #[must_use]
    pub const fn new(player: PlayerId, banned_at: Timestamp) -> Self {
        Self {
            player,
            reason: None,
            banned_at,
            expires_at: None,
        }
    }

    /// Returns whether the ban has ended at `now`.
    #[must_use]
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }
}

/// Which of some players are banned.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BannedPlayers {
    /// Those who are banned.
    pub players: BTreeSet<PlayerId>,
    /// How many bans of the tenant have ever begun or ended. So two calls with the same number saw the same bans.
    pub changes: u64,
}

/// A player was not banned because the tenant has [`MAX_BANS`] bans already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooManyBans;

/// The shadow bans of a tenant.
///
/// A ban is one record, written in one command, regardless of the number of leaderboards. It applies to all later reads and
/// submissions: if a call finds a leaderboard to which the ban has not been applied yet, the call applies it first, in steps of
/// bounded work. Applying a ban adds an event with the instant of the ban to the leaderboard's log, and gives each period that
/// has an entry of the player a new version.
///
/// There is no background job that ends bans: every call with an instant ends the bans that are over at this instant.
pub trait Bans {
    /// Bans a player. If the player is banned already, replaces the reason and the end, and keeps [`Ban::banned_at`].
    ///
    /// # Errors
    /// [`StoreError`]; [`TooManyBans`] is an inner result.
    async fn ban(&self, tenant: &TenantId, ban: &Ban) -> Result<Result<(), TooManyBans>, StoreError>;

    /// Ends a ban, so that the player's entries are visible and ranked again. Does nothing if the player is not banned.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn unban(&self, tenant: &TenantId, player: &PlayerId, at: Timestamp) -> Result<(), StoreError>;

    /// Returns the player's ban, or `None` if the player has no ban or the ban has ended at `now`.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn find_ban(
        &self,
        tenant: &TenantId,
        player: &PlayerId,
        now: Timestamp,
    ) -> Result<Option<Ban>, StoreError>;

    /// Returns up to `limit` bans in byte order of the player ids, beginning after the player `after`. Leaves out bans that ended
    /// at or before `now`.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn list_bans(
        &self,
        tenant: &TenantId,
        after: Option<&PlayerId>,
        limit: u32,
        now: Timestamp,
    ) -> Result<Vec<Ban>, StoreError>;

    /// Returns which of up to [`MAX_PLAYERS_LOOKED_UP`] players are banned at `now`.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn find_banned(
        &self,
        tenant: &TenantId,
        players: &[PlayerId],
        now: Timestamp,
    ) -> Result<BannedPlayers, StoreError>;
}
