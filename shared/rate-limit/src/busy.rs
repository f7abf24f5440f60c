//! What instances of a region tell each other of limits.

use leaderboard_core::TenantId;

/// Microseconds in a day.
pub(crate) const DAY_US: u64 = 86_400 * 1_000_000;

/// What other instances should know of a bucket, or of a tenant's quota of the day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BusyBucket {
    /// The tenant under which it is counted.
    pub tenant: TenantId,
    /// The name of the bucket, or [`DAY`].
    pub name: Box<str>,
    /// Whose space it takes.
    pub owner: Owner,
    pub used: Used,
}

/// How much of something is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Used {
    /// A bucket: when it is full again, and how long a whole one takes to grow back, in microseconds.
    Bucket { full_at_us: u64, capacity_us: u64 },
    /// The quota of a day since 1970: how many requests there were, of how many.
    Quota { day: u64, requests: u64, most: u64 },
}

/// Who decides on a limit, and so whose space its buckets take: a digest of the tenant.
pub(crate) type Owner = u32;

/// The digest of a tenant. Two tenants of one digest share their space.
pub fn owner(tenant: &TenantId) -> Owner {
    // FNV-1a
    tenant.as_str().bytes().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}

/// What names the quota of the day; no bucket is called so.
pub(crate) const DAY: &str = "day";
