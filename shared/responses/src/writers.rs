//! What a writer does for views, after its response.

use std::collections::BTreeSet;

use http::HeaderName;
use leaderboard_core::ports::{AnnouncedChange, Announcements};
use leaderboard_core::{CacheStrategy, LeaderboardId, Outcome, Status, Submission, TenantId};

use super::{changes, region, warm};
use crate::ResponseEnvironment;
use leaderboard_api::Response;
use leaderboard_api::{Problem, ProblemType};

/// RFC 9875: what caches drop when they see this answer.
const CACHE_GROUP_INVALIDATION: HeaderName = HeaderName::from_static("cache-group-invalidation");
/// The most groups that one answer names: as many as a cache must understand (RFC 9875, section 2).
const MAX_GROUPS: usize = 32;
/// The most leaderboards that one call of scores marks one by one; of more, the tenant is marked.
const MAX_MARKS: usize = 32;

/// Scores were taken in: marks the leaderboards whose entries changed. Other regions hear of them from the store. What was
/// taken in before counts as well: whoever sends it again may have missed the answer, and its mark may be missing.
pub fn submitted<'o, E: ResponseEnvironment>(
    env: &E,
    tenant: &TenantId,
    outcomes: impl Iterator<Item = &'o Outcome>,
) {
    let changed = outcomes.filter(|outcome| outcome.status != Status::Kept);
    let changed: BTreeSet<&LeaderboardId> = changed.map(|outcome| &outcome.leaderboard).collect();
    if changed.len() > MAX_MARKS {
        mark_tenant_soon(env, tenant);
        return;
    }
    for leaderboard in changed {
        mark_soon(env, tenant, leaderboard);
    }
}

/// Nobody knows whether scores were taken in, since the store's answer is missing: marks the leaderboards they are for, as far
/// as these are known to exist. Submissions are settled by configurations that this instance remembers, so nothing was taken
/// in on others, and names that somebody invented leave no marks.
pub fn invalidate_if_submitted<'s, E: ResponseEnvironment>(
    env: &E,
    tenant: &TenantId,
    submissions: impl Iterator<Item = &'s Submission>,
) {
    for leaderboard in submissions.flat_map(|submission| &submission.leaderboards) {
        if exists(env, tenant, leaderboard) {
            mark_soon(env, tenant, leaderboard);
        }
    }
}

/// Whether this instance has seen the configuration of a leaderboard.
pub fn exists<E: ResponseEnvironment>(env: &E, tenant: &TenantId, leaderboard: &LeaderboardId) -> bool {
    env.boards().find(tenant, leaderboard).is_some()
}

/// A leaderboard, or without one all leaderboards of a tenant, changed otherwise, or may have: marks it, voids what was made
/// before, and tells other regions.
pub fn changed<E: ResponseEnvironment>(env: &E, tenant: &TenantId, leaderboard: Option<&LeaderboardId>) {
    match leaderboard {
        Some(leaderboard) => mark_later(env, tenant, leaderboard, true),
        None => {
            let (own, tenant) = (env.clone(), tenant.clone());
            env.later(async move {
                changes::void(&own, &tenant, None).await;
            });
        }
    }
    announce(env, tenant, leaderboard);
}

/// A leaderboard is private now: voids what was made before, and tells other regions, before the response.
///
/// # Errors
/// 503 when either could not be done: what everybody could read would go on being shown.
pub async fn made_private<E: ResponseEnvironment>(
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
    if !changes::void(env, tenant, Some(leaderboard)).await.written {
        return Err(failed("the region's cache took no invalidation".to_owned()));
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

/// A leaderboard is gone, or may be: takes away what the region keeps of it. The tenant is marked rather than the leaderboard,
/// since marks of leaderboards that are gone would pile up.
pub fn deleted<E: ResponseEnvironment>(env: &E, tenant: &TenantId, leaderboard: &LeaderboardId) {
    let (own, of, gone) = (env.clone(), tenant.clone(), leaderboard.clone());
    env.later(async move {
        changes::void(&own, &of, None).await;
        region::clear(&own, &of, &gone).await;
    });
    announce(env, tenant, Some(leaderboard));
}

/// The answer to a write, with what caches drop by it: these leaderboards, or without any all of the tenant's.
pub fn invalidating<'i>(
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

/// Marks a leaderboard, unless that is under way.
fn mark_soon<E: ResponseEnvironment>(env: &E, tenant: &TenantId, leaderboard: &LeaderboardId) {
    if changes::is_due(env, tenant, Some(leaderboard)) {
        // Counted from now, so that the next write does not mark it as well.
        changes::expect(env, tenant, Some(leaderboard));
        mark_later(env, tenant, leaderboard, false);
    }
}

/// Marks all leaderboards of a tenant, unless that is under way. Their readers make what they need.
fn mark_tenant_soon<E: ResponseEnvironment>(env: &E, tenant: &TenantId) {
    if !changes::is_due(env, tenant, None) {
        return;
    }
    changes::expect(env, tenant, None);
    let (own, tenant) = (env.clone(), tenant.clone());
    env.later(async move {
        changes::mark(&own, &tenant, None).await;
    });
}

/// Marks a leaderboard and, where it says `write_through`, makes its warm views anew.
fn mark_later<E: ResponseEnvironment>(env: &E, tenant: &TenantId, leaderboard: &LeaderboardId, void: bool) {
    let known = env.boards().find(tenant, leaderboard);
    let board = known.filter(|board| board.value.cache.strategy == CacheStrategy::WriteThrough);
    let (own, tenant, leaderboard) = (env.clone(), tenant.clone(), leaderboard.clone());
    env.later(async move {
        if void {
            changes::void(&own, &tenant, Some(&leaderboard)).await;
        } else {
            changes::mark(&own, &tenant, Some(&leaderboard)).await;
        }
        if let Some(board) = board {
            warm::through(&own, &tenant, &leaderboard, &board.value.cache).await;
        }
    });
}

fn announce<E: ResponseEnvironment>(env: &E, tenant: &TenantId, leaderboard: Option<&LeaderboardId>) {
    let Some(channel) = env.changes_channel().cloned() else {
        return;
    };
    let (own, tenant, leaderboard) = (env.clone(), tenant.clone(), leaderboard.cloned());
    env.later(async move {
        let change = leaderboard
            .as_ref()
            .map_or(AnnouncedChange::Leaderboards, AnnouncedChange::Leaderboard);
        // A message may be lost: the views' lifetime makes it good.
        let _ = own.store().announce(&channel, &tenant, change).await;
    });
}
