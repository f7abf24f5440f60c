//! Tells all instances of the region that a leaderboard changed, by tombstones in the key-value store.
//!
//! A tombstone is an instant, stored under a key of a leaderboard or in the slot of a tenant's documents. There are two kinds
//! ([`Tombstone`]):
//!
//! * An invalidation says until when the leaderboard is changing. An entry that was fetched before this instant is fresh only for
//!   a short time. If there are many writes, one invalidation every half second is enough, because an entry that was fetched
//!   after the instant contains all of them. The instant lies further in the future than the clocks of two instances may differ.
//!   So an instance whose clock is ahead cannot give an older entry a time after the change.
//! * A purge says that entries fetched before this instant must not be shown, even while the store is out of reach. A removal, a
//!   ban, and a change of the configuration cause a purge.

use leaderboard_core::ports::Replica;
use leaderboard_core::{LeaderboardId, TenantId, Timestamp};

use leaderboard_cache::MAX_FUTURE_MS;
use leaderboard_cache::freshness::CLOCK_MARGIN_MS;
use leaderboard_cache::slots::{self, SLOT_TTL_MS};
use leaderboard_tenant_config::cache_group;

use super::cache_entry::CacheEntry;
use super::cache_key::{CacheKey, leaderboard_scope};
use super::tombstones::{self, Tombstone, TombstoneValue};
use crate::ResponseEnvironment;

/// How long an invalidation lasts, in milliseconds. A write puts the next invalidation if more than half of this time is over.
pub(crate) const INVALIDATION_MS: i64 = CLOCK_MARGIN_MS;

/// The result of writing a tombstone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WrittenTombstone {
    /// Whether the previous tombstone had not ended.
    pub was_changing: bool,
    /// Whether the key-value store accepted the put.
    pub written: bool,
}

/// Returns until when a key's leaderboard is changing, in milliseconds since the epoch, as this instance read it within the last
/// [`SLOT_TTL_MS`].
pub(crate) async fn find_changing_until<E: ResponseEnvironment>(
    env: &E,
    key: &CacheKey,
    key_text: &str,
    now: i64,
) -> i64 {
    let scope = leaderboard_scope(key_text);
    find_changes(env, &key.tenant, &key.leaderboard, scope, now)
        .await
        .instant
}

/// Does the same as [`find_changing_until`], and also returns what a replica needs to show the changes. `scope` is
/// `tenant:leaderboard`.
pub(crate) async fn find_changes<E: ResponseEnvironment>(
    env: &E,
    tenant: &TenantId,
    leaderboard: &LeaderboardId,
    scope: &str,
    now: i64,
) -> TombstoneValue {
    find_tombstone(env, Tombstone::Invalidation, (tenant, leaderboard), scope, now).await
}

/// Returns the instant before which entries of a leaderboard are purged, in milliseconds since the epoch. `scope` is
/// `tenant:leaderboard`.
pub(crate) async fn find_purged_at<E: ResponseEnvironment>(
    env: &E,
    tenant: &TenantId,
    leaderboard: &LeaderboardId,
    scope: &str,
    now: i64,
) -> i64 {
    find_tombstone(env, Tombstone::Purge, (tenant, leaderboard), scope, now)
        .await
        .instant
}

/// Returns whether an entry that was fetched at `fetched_at` is purged, by a tombstone that this instance read within the last
/// [`SLOT_TTL_MS`]. If the key-value store does not answer, the entry counts as purged.
pub(crate) async fn is_purged<E: ResponseEnvironment>(
    env: &E,
    key: &CacheKey,
    key_text: &str,
    fetched_at: Timestamp,
) -> bool {
    let now = env.clock().as_unix_ms();
    let scope = leaderboard_scope(key_text);
    let purged_at = find_purged_at(env, &key.tenant, &key.leaderboard, scope, now).await;
    // The clock of the instance that fetched the entry may be ahead, so an entry dated shortly after the purge counts as purged.
    fetched_at.as_unix_ms() < purged_at.saturating_add(INVALIDATION_MS)
}

/// Does the same as [`is_purged`], but always reads the tombstone from the key-value store and adds no margin for clocks.
pub(crate) async fn is_purged_now<E: ResponseEnvironment>(
    env: &E,
    tenant: &TenantId,
    leaderboard: &LeaderboardId,
    fetched_at: Timestamp,
) -> bool {
    let of_leaderboard = read_tombstone(env, Tombstone::Purge, tenant, leaderboard).await;
    let of_tenant = slots::read_changes(env, &cache_group(tenant)).await;
    let of_tenant = of_tenant.map_or_else(|| env.clock().as_unix_ms(), |changes| changes.purged_at);
    fetched_at.as_unix_ms() <= of_leaderboard.instant.max(of_tenant)
}

/// Returns the tombstone of a leaderboard or the tombstone of its tenant, whichever is later. Uses the tombstone in memory if it
/// was read within the last [`SLOT_TTL_MS`], and reads the key-value store otherwise. Returns the current time if the
/// key-value store does not answer.
async fn find_tombstone<E: ResponseEnvironment>(
    env: &E,
    tombstone: Tombstone,
    (tenant, leaderboard): (&TenantId, &LeaderboardId),
    scope: &str,
    now: i64,
) -> TombstoneValue {
    let recent = env.responses().tombstones(tombstone);
    if let Some((value, _)) = recent.find(scope, SLOT_TTL_MS, now) {
        return value;
    }
    let of_tenant = slots::find_changes(env, &cache_group(tenant)).await;
    let (of_tenant, tenant_read_at) = of_tenant.map_or((now, now), |(changes, read_at)| {
        (tombstone.of_group(changes), read_at)
    });
    let read_at = env.clock().as_unix_ms();
    let of_leaderboard = read_tombstone(env, tombstone, tenant, leaderboard).await;
    let value = of_leaderboard.with_tenant(of_tenant);
    recent.insert(scope, value, read_at.min(tenant_read_at));
    value
}

/// Reads a leaderboard's tombstone. Returns the current time if the key-value store does not answer.
async fn read_tombstone<E: ResponseEnvironment>(
    env: &E,
    tombstone: Tombstone,
    tenant: &TenantId,
    leaderboard: &LeaderboardId,
) -> TombstoneValue {
    let now = env.clock().as_unix_ms();
    let found = tombstones::read_tombstone(env, tombstone, tenant, leaderboard).await;
    let found = found.unwrap_or(TombstoneValue::new(now, 0));
    // Only a wrong clock can have written a later instant.
    TombstoneValue::new(found.instant.min(now + MAX_FUTURE_MS), found.position)
}

/// Reads the position of a leaderboard's invalidation. Returns `None` if the key-value store does not answer.
pub(crate) async fn read_position<E: ResponseEnvironment>(
    env: &E,
    tenant: &TenantId,
    leaderboard: &LeaderboardId,
) -> Option<u64> {
    let found = tombstones::read_tombstone(env, Tombstone::Invalidation, tenant, leaderboard).await;
    found.map(|found| found.position)
}

/// Returns until when an entry may be used before the tombstones must be read again; at most `left_ms` milliseconds from now.
pub(crate) fn find_reuse_end<E: ResponseEnvironment>(
    env: &E,
    entry: &CacheEntry,
    left_ms: i64,
) -> Option<Timestamp> {
    let scope = leaderboard_scope(&entry.metadata.key_text);
    let recent = env.responses().tombstones(Tombstone::Invalidation);
    let (_, read_at) = recent.find(scope, SLOT_TTL_MS, env.clock().as_unix_ms())?;
    let end = env.now().as_unix_ms().saturating_add(left_ms);
    Timestamp::from_unix_ms(end.min(read_at + SLOT_TTL_MS))
}

/// Returns whether a write must write a new tombstone. False while the last tombstone that this instance wrote is valid for at
/// least half of its lifetime.
pub(crate) fn is_invalidation_due<E: ResponseEnvironment>(
    env: &E,
    tenant: &TenantId,
    leaderboard: Option<&LeaderboardId>,
) -> bool {
    let until = env
        .responses()
        .invalidated_until(&format_scope(tenant, leaderboard));
    let left = until.saturating_sub(env.clock().as_unix_ms());
    // If more than a whole invalidation is left, the clock was set back, and the instant is wrong.
    !(INVALIDATION_MS / 2..=INVALIDATION_MS).contains(&left)
}

/// Records in memory that this instance is about to put an invalidation, so that the next write does not put another one.
pub(crate) fn announce_invalidation<E: ResponseEnvironment>(
    env: &E,
    tenant: &TenantId,
    leaderboard: Option<&LeaderboardId>,
) {
    let until = env.clock().as_unix_ms() + INVALIDATION_MS;
    env.responses()
        .set_invalidated_until(&format_scope(tenant, leaderboard), until);
}

/// Invalidates a leaderboard, or all leaderboards of a tenant. `position` is that of the change in the leaderboard's log, 0 if the caller
/// does not know it. Only a region with a replica needs it.
pub(crate) async fn invalidate<E: ResponseEnvironment>(
    env: &E,
    tenant: &TenantId,
    leaderboard: Option<&LeaderboardId>,
    position: u64,
) -> WrittenTombstone {
    announce_invalidation(env, tenant, leaderboard);
    match leaderboard {
        Some(leaderboard) => {
            let position = if env.store().has_replica() { position } else { 0 };
            write_tombstone(env, Tombstone::Invalidation, tenant, leaderboard, position).await
        }
        None => change_tenant(env, tenant, false).await,
    }
}

/// Purges a leaderboard, or all leaderboards of a tenant, and invalidates them.
pub(crate) async fn purge<E: ResponseEnvironment>(
    env: &E,
    tenant: &TenantId,
    leaderboard: Option<&LeaderboardId>,
) -> WrittenTombstone {
    let Some(id) = leaderboard else {
        announce_invalidation(env, tenant, None);
        return change_tenant(env, tenant, true).await;
    };
    let purge = write_tombstone(env, Tombstone::Purge, tenant, id, 0).await;
    let invalidation = invalidate(env, tenant, leaderboard, 0).await;
    WrittenTombstone {
        written: purge.written && invalidation.written,
        ..invalidation
    }
}

/// Invalidates, and on request purges, all leaderboards of a tenant by the slot of its documents.
async fn change_tenant<E: ResponseEnvironment>(env: &E, tenant: &TenantId, purges: bool) -> WrittenTombstone {
    let now = env.clock().as_unix_ms();
    let purged_at = if purges { now } else { i64::MIN };
    let change = slots::change_responses(env, &cache_group(tenant), now + INVALIDATION_MS, purged_at).await;
    let written = WrittenTombstone {
        was_changing: change.before().changing_until > now,
        written: change.accepted,
    };
    if !change.accepted {
        // So the next write puts an invalidation.
        env.responses()
            .set_invalidated_until(&format_scope(tenant, None), i64::MIN);
    }
    slots::confirm_later(env, change);
    written
}

/// Puts a leaderboard's tombstone. A later instant or position that is there stays.
async fn write_tombstone<E: ResponseEnvironment>(
    env: &E,
    tombstone: Tombstone,
    tenant: &TenantId,
    leaderboard: &LeaderboardId,
    position: u64,
) -> WrittenTombstone {
    let found = tombstones::read_tombstone(env, tombstone, tenant, leaderboard).await;
    let now = env.clock().as_unix_ms();
    let found = found
        .filter(|found| found.instant <= now + MAX_FUTURE_MS)
        .unwrap_or(TombstoneValue::NONE);
    let value = match tombstone {
        Tombstone::Invalidation => found.invalidate(now, now + INVALIDATION_MS, position),
        Tombstone::Purge => TombstoneValue::new(found.instant.max(now), 0),
    };
    let written = tombstones::write_tombstone(env, tombstone, tenant, leaderboard, value).await;
    if !written {
        // So the next write puts an invalidation.
        env.responses()
            .set_invalidated_until(&format_scope(tenant, Some(leaderboard)), i64::MIN);
    }
    WrittenTombstone {
        was_changing: found.instant > now,
        written,
    }
}

pub(crate) fn format_scope(tenant: &TenantId, leaderboard: Option<&LeaderboardId>) -> String {
    match leaderboard {
        Some(leaderboard) => format!("{tenant}:{leaderboard}"),
        None => tenant.to_string(),
    }
}
