//! What a writer does for views, after its response.

use std::rc::Rc;

use leaderboard_core::ports::Announcements;
use leaderboard_core::{CacheStrategy, LeaderboardId, Outcome, Status, TenantId};

use super::{changes, region, warm};
use crate::environment::Environment;

/// Scores were taken in: marks the leaderboards whose entries changed. Other regions hear of them from the store.
pub(crate) fn submitted<'o, E: Environment>(
    env: &E,
    tenant: &TenantId,
    outcomes: impl Iterator<Item = &'o Outcome>,
) {
    for outcome in outcomes {
        let changed = !outcome.replayed && outcome.status != Status::Kept;
        if changed && changes::is_due(env, tenant, Some(&outcome.leaderboard)) {
            // Counted from now, so that the next write does not mark it as well.
            changes::expect(env, tenant, Some(&outcome.leaderboard));
            mark_later(env, tenant, &outcome.leaderboard);
        }
    }
}

/// A leaderboard, or without one all leaderboards of a tenant, changed otherwise: marks it, and tells other regions.
pub(crate) fn changed<E: Environment>(env: &E, tenant: &TenantId, leaderboard: Option<&LeaderboardId>) {
    match leaderboard {
        Some(leaderboard) => mark_later(env, tenant, leaderboard),
        None => {
            let (own, tenant) = (env.clone(), tenant.clone());
            env.later(async move {
                changes::mark(&own, &tenant, None).await;
            });
        }
    }
    announce(env, tenant, leaderboard);
}

/// A leaderboard is gone: takes away what the region keeps of it. The tenant is marked rather than the leaderboard, since marks
/// of leaderboards that are gone would pile up.
pub(crate) fn deleted<E: Environment>(env: &E, tenant: &TenantId, leaderboard: &LeaderboardId) {
    let (own, of, gone) = (env.clone(), tenant.clone(), leaderboard.clone());
    env.later(async move {
        changes::mark(&own, &of, None).await;
        region::clear(&own, &of, &gone).await;
    });
    announce(env, tenant, Some(leaderboard));
}

/// Marks a leaderboard and, where it says `write_through`, makes its warm views anew: at once, and once more when the mark is
/// over, which covers the writes in between.
fn mark_later<E: Environment>(env: &E, tenant: &TenantId, leaderboard: &LeaderboardId) {
    let known = env.boards().find(tenant, leaderboard);
    let board = known.filter(|board| board.value.cache.strategy == CacheStrategy::WriteThrough);
    let (own, tenant, leaderboard) = (env.clone(), tenant.clone(), leaderboard.clone());
    env.later(async move {
        let until = changes::mark(&own, &tenant, Some(&leaderboard)).await;
        if let Some(board) = board {
            warm::twice(&own, &tenant, &leaderboard, &board.value.cache, until).await;
        }
    });
}

fn announce<E: Environment>(env: &E, tenant: &TenantId, leaderboard: Option<&LeaderboardId>) {
    let Some(channel) = env.settings().changes_channel.as_ref().map(Rc::clone) else {
        return;
    };
    let (own, tenant) = (env.clone(), tenant.clone());
    let leaderboards: Vec<LeaderboardId> = leaderboard.into_iter().cloned().collect();
    env.later(async move {
        // A message may be lost: the views' lifetime makes it good.
        let _ = own.store().announce(&channel, &tenant, &leaderboards).await;
    });
}
