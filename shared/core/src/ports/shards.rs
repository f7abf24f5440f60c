//! The shards of a store: servers of which each holds some of the tenants.

/// The number of a shard, from 1.
pub type ShardNumber = u8;

/// The shard of a store that is not divided, and the one that holds the operator's data.
pub const FIRST_SHARD: ShardNumber = 1;
