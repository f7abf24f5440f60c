//! The shards of a store: servers of which each holds some of the tenants.

use crate::{StoreError, TenantId};

/// The number of a shard, from 1.
pub type ShardNumber = u8;

/// The shard of a store that is not divided, and the one that holds the operator's data.
pub const FIRST_SHARD: ShardNumber = 1;

/// The maximum number of shards.
pub const MAX_SHARDS: ShardNumber = 4;

/// How far the move of a tenant to another shard is, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MoveProgress {
    /// The target is prepared, or the queue still has requests of the tenant. The queue refuses new ones; other writes are accepted.
    Draining,
    /// The data is being copied. The tenant can be read, and writes are refused as [`StoreError::TenantUnavailable`].
    Copying,
    /// The tenant lives on the target. What another shard still has is being deleted, or a shard that may have something does not answer.
    Cleaning,
    /// The tenant lives on the target, and no other shard has data of the tenant.
    Done,
}

/// Where a tenant lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TenantPlace {
    /// The shard.
    pub shard: ShardNumber,
    /// How far the tenant's move is; [`MoveProgress::Done`] without a move.
    pub progress: MoveProgress,
}

/// Why a tenant is not moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MoveRefusal {
    /// The store has no shard with this number.
    NoSuchShard,
    /// The tenant is being moved to another shard, this one.
    MovingTo(ShardNumber),
}

/// The shards of a store. The default methods are those of a store that is not divided.
pub trait Shards {
    /// Returns the number of shards.
    fn count_shards(&self) -> ShardNumber {
        FIRST_SHARD
    }

    /// Returns on which shard a tenant lives as far as this instance knows, without asking a server. For `None`, returns the shard
    /// of the operator.
    fn guess_shard(&self, _tenant: Option<&TenantId>) -> ShardNumber {
        FIRST_SHARD
    }

    /// Asks the shards other than that of [`Shards::guess_shard`] whether a tenant lives on one of them. If so, that one is the guess from
    /// then on. Returns false if none of them has the tenant; a shard that does not answer counts as having no tenants.
    async fn find_on_other_shards(&self, _tenant: &TenantId) -> bool {
        false
    }

    /// Checks that a shard answers.
    ///
    /// # Errors
    /// [`StoreError`] if it does not.
    async fn check_shard(&self, shard: ShardNumber) -> Result<(), StoreError>;

    /// Returns where a tenant lives; `None` if no shard has data of the tenant.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn find_shard(&self, _tenant: &TenantId) -> Result<Option<TenantPlace>, StoreError> {
        Ok(Some(TenantPlace {
            shard: FIRST_SHARD,
            progress: MoveProgress::Done,
        }))
    }

    /// Does the next step of the move of a tenant to a shard. The first call begins the move. A call with the shard where the tenant
    /// lives ends a move that has not come to [`MoveProgress::Cleaning`]. Every acknowledged write stays, and the tenant can be read
    /// during the whole move.
    ///
    /// # Errors
    /// [`StoreError`]; the next call continues. [`MoveRefusal`] is an inner result.
    async fn move_tenant(
        &self,
        _tenant: &TenantId,
        to: ShardNumber,
    ) -> Result<Result<MoveProgress, MoveRefusal>, StoreError> {
        Ok(match to {
            FIRST_SHARD => Ok(MoveProgress::Done),
            _ => Err(MoveRefusal::NoSuchShard),
        })
    }
}
