//! Shadow bans: whom nobody else sees.

use crate::{PlayerId, StoreError, TenantId, Timestamp};

/// How many bans a tenant may have at once.
pub const MAX_BANS: u64 = 10_000;
/// The longest reason of a ban, in bytes.
pub const MAX_BAN_REASON_BYTES: usize = 500;

/// A shadow ban of a player in every leaderboard of a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ban {
    /// Whose entries nobody else sees.
    pub player: PlayerId,
    /// Why, for those who administer; at most [`MAX_BAN_REASON_BYTES`].
    pub reason: Option<String>,
    /// Since when.
    pub banned_at: Timestamp,
    /// When it ends by itself; `None` is never.
    pub expires_at: Option<Timestamp>,
}

impl Ban {
    /// A ban without a reason that does not end by itself.
    #[must_use]
    pub const fn new(player: PlayerId, banned_at: Timestamp) -> Self {
        Self {
            player,
            reason: None,
            banned_at,
            expires_at: None,
        }
    }

    /// Whether it has ended by itself at `now`.
    #[must_use]
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }
}

/// Why a player was not banned: the tenant has [`MAX_BANS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooManyBans;

/// The shadow bans of a tenant. The record of a ban is the truth, and is written in one command however many leaderboards
/// the tenant has. Whatever is read or submitted after it obeys it: a leaderboard to which it has not been applied yet is
/// brought up to date by the call that finds it so, in steps of bounded work. Each leaderboard has the event in its log
/// by then, with the instant of the ban, and a new version where the player has entries.
///
/// A ban that ends by itself needs no job: every call that brings an instant with it ends the bans that are over by then.
pub trait Bans {
    /// Bans a player, or gives a ban that is there another reason and end; [`Ban::banned_at`] stays then.
    ///
    /// # Errors
    /// [`StoreError`]; [`TooManyBans`] is an inner result.
    async fn ban(&self, tenant: &TenantId, ban: &Ban) -> Result<Result<(), TooManyBans>, StoreError>;

    /// The reverse: every entry is back at the place its score deserves. Does nothing where there is no ban.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn unban(&self, tenant: &TenantId, player: &PlayerId, at: Timestamp) -> Result<(), StoreError>;

    /// The ban of a player that holds at `now`.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn find_ban(
        &self,
        tenant: &TenantId,
        player: &PlayerId,
        now: Timestamp,
    ) -> Result<Option<Ban>, StoreError>;

    /// Up to `limit` bans that hold at `now`, in byte order of their players, after `after`.
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
}
