//! The usage of limits that the instances of a region share.

use leaderboard_core::TenantId;

/// Microseconds in a day.
pub(crate) const DAY_US: u64 = 86_400 * 1_000_000;

/// The usage of a bucket, or of a tenant's daily quota, that other instances should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedUsage {
    /// The tenant under which the usage is counted.
    pub tenant: TenantId,
    /// The name of the bucket, or [`DAY`].
    pub name: Box<str>,
    /// The owner of the limit. Each owner has a share of the entries in a usage slot.
    pub owner: LimitOwner,
    /// How much is used.
    pub level: UsageLevel,
}

/// How much of a bucket or a quota is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UsageLevel {
    /// A bucket: the instant at which it is full again, and the time in which an empty one fills, in microseconds.
    Bucket {
        /// When the bucket is full again, in microseconds since the epoch.
        full_at_us: u64,
        /// The time in which an empty bucket becomes full, in microseconds.
        capacity_us: u64,
    },
    /// The quota of a day.
    Quota {
        /// Days since 1970.
        day: u64,
        /// Requests on that day.
        requests: u64,
        /// The quota.
        most: u64,
    },
}

/// The digest of the tenant whose document sets a limit. Two tenants with the same digest share their space in the slots.
pub(crate) type LimitOwner = u32;

/// Returns the digest of a tenant (FNV-1a).
pub(crate) fn hash_owner(tenant: &TenantId) -> LimitOwner {
    tenant.as_str().bytes().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}

/// The name of the daily quota. The name of a bucket always has an `@`, so no bucket has this name.
pub(crate) const DAY: &str = "day";
