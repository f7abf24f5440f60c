//! What a handler does with the cache after it has written to a leaderboard.

use std::collections::BTreeMap;

use http::HeaderName;
use leaderboard_core::ports::{AnnouncedChange, Announcements, Replica};
use leaderboard_core::{CacheStrategy, LeaderboardId, Outcome, Status, Submission, TenantId};

use super::{invalidation, key_value_tier, replica, warm};
use crate::ResponseEnvironment;
use leaderboard_api::{Problem, ProblemType, Response};

/// The header that names the groups whose responses a cache invalidates when it sees this response (RFC 9875, section 3).
const CACHE_GROUP_INVALIDATION: HeaderName = HeaderName::from_static("cache-group-invalidation");
/// The most groups in `Cache-Group-Invalidation`. A cache must understand 32 (RFC 9875, section 2).
const MAX_GROUPS: usize = 32;
/// The most leaderboards that one request invalidates one by one. A request that changes more invalidates the tenant.
const MAX_INVALIDATIONS: usize = 32;

/// Invalidates the leaderboards whose entries changed, after the response. Other regions learn of the change from the store. A
/// repeated submission counts as a change: its sender may have missed the first response, and the first invalidation may have
/// failed.
pub fn invalidate_submitted<'o, E: ResponseEnvironment>(
    env: &E,
    tenant: &TenantId,
    outcomes: impl Iterator<Item = &'o Outcome>,
) {
    let positions = newest_versions(outcomes.filter(|outcome| outcome.status != Status::Kept));
    if positions.len() > MAX_INVALIDATIONS {
        invalidate_tenant_later(env, tenant);
        return;
    }
    for (leaderboard, position) in positions {
        if env.store().has_replica() {
            replica::note_position(env, tenant, leaderboard, position);
            // Each position is put, so that the other instances of the region do not read less from the replica.
            invalidation::announce_invalidation(env, tenant, Some(leaderboard));
            write_tombstone_later(env, tenant, leaderboard, Change::Positioned);
        } else {
            invalidate_later(env, tenant, leaderboard);
        }
    }
}

/// Invalidates the leaderboards of submissions when the store did not say whether it accepted them. Skips a leaderboard if this
/// instance has not seen its configuration. A submission needs the configuration, so such a leaderboard cannot have changed; and
/// a client cannot create tombstones for names that it invents.
pub fn invalidate_if_submitted<'s, E: ResponseEnvironment>(
    env: &E,
    tenant: &TenantId,
    submissions: impl Iterator<Item = &'s Submission>,
) {
    for leaderboard in submissions.flat_map(|submission| &submission.leaderboards) {
        if has_seen_leaderboard(env, tenant, leaderboard) {
            invalidate_later(env, tenant, leaderboard);
        }
    }
}

/// Returns whether this instance has the configuration of a leaderboard in memory.
pub fn has_seen_leaderboard<E: ResponseEnvironment>(
    env: &E,
    tenant: &TenantId,
    leaderboard: &LeaderboardId,
) -> bool {
    env.leaderboard_memory().find(tenant, leaderboard).is_some()
}

/// Purges a leaderboard, or all leaderboards of a tenant, and tells other regions, after the response. A handler calls this for
/// every change other than a submission, and when such a change may have happened.
pub fn purge_and_announce<E: ResponseEnvironment>(
    env: &E,
    tenant: &TenantId,
    leaderboard: Option<&LeaderboardId>,
) {
    match leaderboard {
        Some(leaderboard) => write_tombstone_later(env, tenant, leaderboard, Change::Purge),
        None => {
            let (own_env, tenant) = (env.clone(), tenant.clone());
            env.later(async move {
                invalidation::purge(&own_env, &tenant, None).await;
            });
        }
    }
    announce_later(env, tenant, leaderboard);
}

/// Purges a leaderboard that has become private, and tells other regions, before the response.
///
/// # Errors
/// 503 if the purge or the announcement fails: caches would then continue to show the leaderboard to everybody.
pub async fn purge_made_private<E: ResponseEnvironment>(
    env: &E,
    tenant: &TenantId,
    leaderboard: &LeaderboardId,
) -> Result<(), Problem> {
    let failed = |cause: String| {
        let detail = "The leaderboard is private now, and cached responses of it could not be invalidated: \
                      send the request again.";
        Problem::new(ProblemType::Unavailable)
            .with_detail(detail)
            .with_cause(cause)
    };
    if !invalidation::purge(env, tenant, Some(leaderboard)).await.written {
        return Err(failed(
            "the key-value store did not accept the invalidation".to_owned(),
        ));
    }
    let Some(channel) = env.changes_channel() else {
        return Ok(());
    };
    let announced = env
        .store()
        .announce(channel, tenant, AnnouncedChange::Leaderboard(leaderboard))
        .await;
    match announced {
        Ok(true) => Ok(()),
        Ok(false) => Err(failed("the store refused to announce the change".to_owned())),
        Err(error) => Err(failed(format!("the change was not announced: {error}"))),
    }
}

/// Returns the newest version of each leaderboard in these outcomes.
pub(crate) fn newest_versions<'o>(
    outcomes: impl Iterator<Item = &'o Outcome>,
) -> BTreeMap<&'o LeaderboardId, u64> {
    let mut versions = BTreeMap::new();
    for outcome in outcomes {
        let newest: &mut u64 = versions.entry(&outcome.leaderboard).or_default();
        *newest = outcome.version.max(*newest);
    }
    versions
}

/// Deletes the cached responses of a leaderboard that has been deleted, or may have been, and tells other regions, after the
/// response. Purges the whole tenant: nothing would ever delete the tombstone of a deleted leaderboard.
pub fn purge_deleted<E: ResponseEnvironment>(env: &E, tenant: &TenantId, leaderboard: &LeaderboardId) {
    let (own_env, owner, deleted) = (env.clone(), tenant.clone(), leaderboard.clone());
    env.later(async move {
        invalidation::purge(&own_env, &owner, None).await;
        key_value_tier::delete_leaderboard(&own_env, &owner, &deleted).await;
    });
    announce_later(env, tenant, Some(leaderboard));
}

/// Adds `Cache-Group-Invalidation` to the response to a write: the groups of these leaderboards, or the tenant's group if there are
/// none or too many.
pub fn with_invalidated_groups<'i>(
    response: Response,
    tenant: &TenantId,
    leaderboards: impl IntoIterator<Item = &'i LeaderboardId>,
) -> Response {
    let mut groups: Vec<String> = Vec::new();
    for leaderboard in leaderboards {
        let group = format!("\"{tenant}/{leaderboard}\"");
        if !groups.contains(&group) {
            groups.push(group);
        }
    }
    if groups.is_empty() || groups.len() > MAX_GROUPS {
        groups = vec![format!("\"{tenant}\"")];
    }
    response.with_text(CACHE_GROUP_INVALIDATION, &groups.join(", "))
}

/// Invalidates a leaderboard after the response, unless this instance's last invalidation is recent enough.
fn invalidate_later<E: ResponseEnvironment>(env: &E, tenant: &TenantId, leaderboard: &LeaderboardId) {
    if invalidation::is_invalidation_due(env, tenant, Some(leaderboard)) {
        // Recorded now rather than after the response, so that a write in between does not put an invalidation as well.
        invalidation::announce_invalidation(env, tenant, Some(leaderboard));
        write_tombstone_later(env, tenant, leaderboard, Change::Unpositioned);
    }
}

/// Invalidates all leaderboards of a tenant after the response, unless this instance's last invalidation is recent enough. Does
/// not make warm entries: readers fetch what they need.
fn invalidate_tenant_later<E: ResponseEnvironment>(env: &E, tenant: &TenantId) {
    if !invalidation::is_invalidation_due(env, tenant, None) {
        return;
    }
    invalidation::announce_invalidation(env, tenant, None);
    let (own_env, tenant) = (env.clone(), tenant.clone());
    env.later(async move {
        invalidation::invalidate(&own_env, &tenant, None, 0).await;
    });
}

/// What a tombstone says about a change of a leaderboard.
#[derive(Debug, Clone, Copy)]
enum Change {
    /// The region has a replica, and [`replica::note_position`] has the position of the change.
    Positioned,
    /// The position of the change is not known, or the region needs no position.
    Unpositioned,
    /// Responses from before the change must not be shown.
    Purge,
}

/// Purges or invalidates a leaderboard after the response, and makes its warm entries if its strategy is `write_through`.
fn write_tombstone_later<E: ResponseEnvironment>(
    env: &E,
    tenant: &TenantId,
    leaderboard: &LeaderboardId,
    change: Change,
) {
    let known = env.leaderboard_memory().find(tenant, leaderboard);
    let board = known.filter(|board| board.value.cache.strategy == CacheStrategy::WriteThrough);
    let (own_env, tenant, leaderboard) = (env.clone(), tenant.clone(), leaderboard.clone());
    env.later(async move {
        match change {
            Change::Positioned => replica::put_position(&own_env, &tenant, &leaderboard).await,
            Change::Unpositioned => {
                invalidation::invalidate(&own_env, &tenant, Some(&leaderboard), 0).await;
            }
            Change::Purge => {
                invalidation::purge(&own_env, &tenant, Some(&leaderboard)).await;
            }
        }
        if let Some(board) = board {
            warm::warm_while_changing(&own_env, &tenant, &leaderboard, &board.value.cache).await;
        }
    });
}

/// Tells other regions of a change, after the response.
fn announce_later<E: ResponseEnvironment>(env: &E, tenant: &TenantId, leaderboard: Option<&LeaderboardId>) {
    let Some(channel) = env.changes_channel().cloned() else {
        return;
    };
    let (own_env, tenant, leaderboard) = (env.clone(), tenant.clone(), leaderboard.cloned());
    env.later(async move {
        let change = leaderboard
            .as_ref()
            .map_or(AnnouncedChange::Leaderboards, AnnouncedChange::Leaderboard);
        // If the message is lost, other regions show the old responses until the lifetime of these ends.
        let _ = own_env.store().announce(&channel, &tenant, change).await;
    });
}
