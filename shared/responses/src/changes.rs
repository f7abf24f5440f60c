//! That a leaderboard changed, told to the whole region by a mark in its key-value store.
//!
//! A mark says until when a leaderboard goes on changing, not that it changed: under many writes one mark in a while is enough,
//! and a entry that was made after it has seen them all. It reaches further ahead than clocks differ, so that a entry of another
//! instance's clock is not taken for a later one.
//!
//! A removal, a ban, another configuration also void what was made before: it is not shown without the store either.

use leaderboard_core::{LeaderboardId, TenantId, Timestamp};

use super::cache_entry::CacheEntry;
use super::cache_key::place_of;
use super::memory_tier::ReadMark;
use super::region;
use super::region::Mark;
use super::{CacheKey, MEMORY_TRUST_MS};
use crate::ResponseEnvironment;
use leaderboard_cache::documents::CLOCK_MARGIN_MS;

/// How long a mark holds, in milliseconds. It is put anew after half of that, so that what follows it is covered, too.
const MARK_MS: i64 = CLOCK_MARGIN_MS;
/// How far ahead of this clock a mark is believed to reach, in milliseconds.
const MAX_MARK_MS: i64 = 2 * MARK_MS;

/// What was noted, and what there was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WrittenMark {
    /// Until when the leaderboard goes on changing, in milliseconds since the epoch.
    pub until: i64,
    /// Whether that was known already.
    pub was_changing: bool,
    /// Whether the region took it.
    pub written: bool,
}

/// Until when the leaderboard of a key is known to change, in milliseconds since the epoch: as this instance saw it within
/// [`MEMORY_TRUST_MS`], or as the region has it now.
pub(crate) async fn changed_until<E: ResponseEnvironment>(
    env: &E,
    key: &CacheKey,
    name: &str,
    now: i64,
) -> i64 {
    let memory_tier = &env.responses();
    let place = place_of(name);
    if let Some(instant) = memory_tier
        .seen(place)
        .and_then(|seen| seen.within(MEMORY_TRUST_MS, now))
    {
        return instant;
    }
    let (tenant, leaderboard) = (&key.tenant, &key.leaderboard);
    let seen = look(env, Mark::Changing, tenant, leaderboard).await;
    memory_tier.see(place, seen);
    seen.instant
}

/// Whether an answer may not be shown any more, not even without the store, as far as this instance saw within
/// [`MEMORY_TRUST_MS`]. Where nobody can tell, it may not.
pub(crate) async fn is_void<E: ResponseEnvironment>(
    env: &E,
    key: &CacheKey,
    name: &str,
    made_at: Timestamp,
) -> bool {
    let memory_tier = &env.responses();
    let (place, now) = (place_of(name), env.clock().as_unix_ms());
    let known = memory_tier
        .void(place)
        .and_then(|seen| seen.within(MEMORY_TRUST_MS, now));
    let before = match known {
        Some(instant) => instant,
        None => {
            let (tenant, leaderboard) = (&key.tenant, &key.leaderboard);
            let seen = look(env, Mark::Purged, tenant, leaderboard).await;
            memory_tier.see_void(place, seen);
            seen.instant
        }
    };
    // What was made just after it may have been made before it, by a clock that is ahead.
    made_at.as_unix_ms() < before.saturating_add(MARK_MS)
}

/// Whether an answer was made before all such answers were forbidden, as the region has it now.
pub(crate) async fn is_void_now<E: ResponseEnvironment>(
    env: &E,
    tenant: &TenantId,
    leaderboard: &LeaderboardId,
    made_at: Timestamp,
) -> bool {
    made_at.as_unix_ms() <= look(env, Mark::Purged, tenant, leaderboard).await.instant
}

/// The later of what is noted of a leaderboard and of its tenant. Where nobody can tell, it may have been just now.
async fn look<E: ResponseEnvironment>(
    env: &E,
    note: Mark,
    tenant: &TenantId,
    leaderboard: &LeaderboardId,
) -> ReadMark {
    let checked_at = env.clock().as_unix_ms();
    let own = region::noted(env, note, tenant, Some(leaderboard)).await;
    let tenants = region::noted(env, note, tenant, None).await;
    let instant = own
        .zip(tenants)
        .map_or(checked_at, |(own, tenants)| own.max(tenants));
    ReadMark {
        checked_at,
        instant: instant.min(checked_at + MAX_MARK_MS),
    }
}

/// Until when a entry that has `left_ms` of its time may be given without looking for a change.
pub(crate) fn trusted_until<E: ResponseEnvironment>(
    env: &E,
    entry: &CacheEntry,
    left_ms: i64,
) -> Option<Timestamp> {
    let seen = env.responses().seen(place_of(&entry.metadata.name))?;
    let end = env.now().as_unix_ms().saturating_add(left_ms);
    Timestamp::from_unix_ms(end.min(seen.checked_at + MEMORY_TRUST_MS))
}

/// Whether half of the last mark of this instance is over.
pub(crate) fn is_due<E: ResponseEnvironment>(
    env: &E,
    tenant: &TenantId,
    leaderboard: Option<&LeaderboardId>,
) -> bool {
    let until = env.responses().marked_until(&place(tenant, leaderboard));
    let left = until.saturating_sub(env.clock().as_unix_ms());
    // A clock that was set back has not put a mark that reaches further.
    !(MARK_MS / 2..=MARK_MS).contains(&left)
}

/// Notes that a mark is on its way, so that it is put once.
pub(crate) fn expect<E: ResponseEnvironment>(
    env: &E,
    tenant: &TenantId,
    leaderboard: Option<&LeaderboardId>,
) {
    let until = env.clock().as_unix_ms() + MARK_MS;
    env.responses().mark(&place(tenant, leaderboard), until);
}

/// Marks a leaderboard, or a whole tenant, as changing from now on.
pub(crate) async fn mark<E: ResponseEnvironment>(
    env: &E,
    tenant: &TenantId,
    leaderboard: Option<&LeaderboardId>,
) -> WrittenMark {
    expect(env, tenant, leaderboard);
    note(env, Mark::Changing, tenant, leaderboard).await
}

/// Marks a leaderboard, or a whole tenant, as changing from now on, and voids what was made before.
pub(crate) async fn void<E: ResponseEnvironment>(
    env: &E,
    tenant: &TenantId,
    leaderboard: Option<&LeaderboardId>,
) -> WrittenMark {
    let void = note(env, Mark::Purged, tenant, leaderboard).await;
    let mark = mark(env, tenant, leaderboard).await;
    WrittenMark {
        written: void.written && mark.written,
        ..mark
    }
}

/// Notes an instant, unless a later one is there.
async fn note<E: ResponseEnvironment>(
    env: &E,
    note: Mark,
    tenant: &TenantId,
    leaderboard: Option<&LeaderboardId>,
) -> WrittenMark {
    let there = region::noted(env, note, tenant, leaderboard).await;
    let now = env.clock().as_unix_ms();
    let there = there.unwrap_or(i64::MIN);
    let believed = if there <= now + MAX_MARK_MS {
        there
    } else {
        i64::MIN
    };
    let until = believed.max(match note {
        Mark::Changing => now + MARK_MS,
        Mark::Purged => now,
    });
    let written = region::note(env, note, tenant, leaderboard, until).await;
    if !written {
        // The next write tries again.
        env.responses().mark(&place(tenant, leaderboard), i64::MIN);
    }
    WrittenMark {
        until,
        was_changing: believed > now,
        written,
    }
}

fn place(tenant: &TenantId, leaderboard: Option<&LeaderboardId>) -> String {
    match leaderboard {
        Some(leaderboard) => format!("{tenant}:{leaderboard}"),
        None => tenant.to_string(),
    }
}
