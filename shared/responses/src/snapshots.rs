//! Takes snapshots of leaderboards after writes and long reads, so that no replay of their history has far to go.
//!
//! Nothing runs between requests, so an instance that wrote to a leaderboard looks, after the response, whether a snapshot is due. It
//! looks with its first write, and then only when the log has become long enough.

use leaderboard_cache::hash_fnv;
use leaderboard_core::ports::Cache;
use leaderboard_core::usecase::{SnapshotPlan, UnsavedSnapshot};
use leaderboard_core::{LeaderboardId, Outcome, TenantId, usecase};

use crate::after_write::newest_versions;
use crate::invalidation::format_scope;
use crate::{ResponseEnvironment, build_deps, sweep_later};

/// The most leaderboards for which one request looks.
const MAX_LEADERBOARDS: usize = 4;
/// While a log has fewer events than this, an instance looks only after every eighth event.
const SHORT_LOG: u64 = 100;
const LOOK_INTERVAL_OF_SHORT_LOG: u64 = 8;
/// After another instance began to take a snapshot, an instance looks again after this many events.
const EVENTS_BETWEEN_LOOKS: u64 = 50;
/// How long no other instance of the region takes a snapshot of the leaderboard: while one is taken, and after one could not be stored,
/// in milliseconds. A snapshot takes less than two seconds.
const CLAIM_MS: i64 = 10_000;
const FAILED_CLAIM_MS: i64 = 60 * 60 * 1000;
/// The number of keys that the claims of all leaderboards share. A claim that replaces another one costs a second snapshot at most.
const CLAIM_KEYS: u64 = 256;

/// Takes the snapshots that are due of the leaderboards that were written to, after the response.
pub fn take_due_snapshots<'o, E: ResponseEnvironment>(
    env: &E,
    tenant: &TenantId,
    max_log_bytes: u64,
    outcomes: impl Iterator<Item = &'o Outcome>,
) {
    let newest = newest_versions(outcomes.filter(|outcome| !outcome.replayed));
    for (leaderboard, version) in newest.into_iter().take(MAX_LEADERBOARDS) {
        let scope = format_scope(tenant, Some(leaderboard));
        let is_short = version < SHORT_LOG && version % LOOK_INTERVAL_OF_SHORT_LOG != 0;
        if is_short || version <= env.responses().snapshot_due_after(&scope) {
            continue;
        }
        // One task of an instance at a time.
        env.responses().set_snapshot_due_after(&scope, u64::MAX);
        let (own_env, tenant, leaderboard) = (env.clone(), tenant.clone(), leaderboard.clone());
        env.later(async move {
            let due_after = take_if_due(&own_env, &tenant, &leaderboard, &scope, max_log_bytes).await;
            let due_after = due_after.unwrap_or(version.saturating_add(EVENTS_BETWEEN_LOOKS));
            own_env.responses().set_snapshot_due_after(&scope, due_after);
        });
    }
}

/// Stores the snapshot of a long replay after the response, which does not need it.
pub fn save_snapshot_later<E: ResponseEnvironment>(
    env: &E,
    tenant: &TenantId,
    unsaved: UnsavedSnapshot,
    max_log_bytes: u64,
) {
    let (own_env, tenant) = (env.clone(), tenant.clone());
    env.later(async move {
        let deps = build_deps(&own_env, &tenant, own_env.clock());
        // If this fails, the next read of about the same instant replays again.
        let _ = unsaved.save(&deps, Some(max_log_bytes)).await;
    });
}

/// Takes a snapshot of a leaderboard if one is due. Returns the position after which the next one is due, if it is known.
async fn take_if_due<E: ResponseEnvironment>(
    env: &E,
    tenant: &TenantId,
    leaderboard: &LeaderboardId,
    scope: &str,
    max_log_bytes: u64,
) -> Option<u64> {
    // While one instance takes the snapshot, others look often. The claim is near, and the plan takes three calls of the store.
    if is_claimed(env, scope).await {
        return None;
    }
    let deps = build_deps(env, tenant, env.clock());
    let plan = match usecase::plan_snapshot(&deps, leaderboard).await.ok()? {
        SnapshotPlan::Due(plan) => plan,
        SnapshotPlan::Later(due_after) => return Some(due_after),
        SnapshotPlan::Never => return Some(u64::MAX),
    };
    // Another instance may have claimed it during these calls.
    if is_claimed(env, scope).await {
        return None;
    }
    claim(env, scope, CLAIM_MS).await;
    let taken = usecase::take_snapshot(&deps, &plan, Some(max_log_bytes)).await;
    if !matches!(taken, Ok(true)) {
        claim(env, scope, FAILED_CLAIM_MS).await;
        return None;
    }
    // Snapshots are rare, and taken in every tenant that is in use.
    sweep_later(env, tenant);
    // The claim ends, and the next write looks when the next snapshot is due.
    claim(env, scope, 0).await;
    Some(0)
}

fn claim_key(scope: &str) -> String {
    format!("snapshots:{}", hash_fnv(scope.as_bytes()) % CLAIM_KEYS)
}

/// Returns whether an instance of the region takes a snapshot now, or could not store one recently.
async fn is_claimed<E: ResponseEnvironment>(env: &E, scope: &str) -> bool {
    let found = env.key_value_store().get(&claim_key(scope)).await.ok().flatten();
    let Some((until, named)) = found.as_deref().and_then(|value| value.split_first_chunk()) else {
        return false;
    };
    let left_ms = i64::from_be_bytes(*until).saturating_sub(env.clock().as_unix_ms());
    named == scope.as_bytes() && (1..=FAILED_CLAIM_MS).contains(&left_ms)
}

/// Keeps other instances of the region from taking a snapshot for this time.
async fn claim<E: ResponseEnvironment>(env: &E, scope: &str, ms: i64) {
    let until = env.clock().as_unix_ms().saturating_add(ms);
    let value = [until.to_be_bytes().as_slice(), scope.as_bytes()].concat();
    // Without the key-value store, several instances take the same snapshot, and the store keeps one of them.
    let _ = env.key_value_store().put(&claim_key(scope), &value).await;
}
