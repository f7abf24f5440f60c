//! Views that are made before anybody asks.

use std::rc::Rc;

use leaderboard_core::access::Caller;
use leaderboard_core::{CachePolicy, LeaderboardId, TenantId};

use super::Question;
use super::serve::{Urgency, made};
use crate::environment::Environment;

/// Makes the warm views of a leaderboard now, and once more when its mark is over.
pub(super) async fn twice<E: Environment>(
    env: &E,
    tenant: &TenantId,
    leaderboard: &LeaderboardId,
    policy: &CachePolicy,
    until: i64,
) {
    if policy.lifetime_ms == 0 {
        return;
    }
    make_all(env, tenant, leaderboard, policy).await;
    let left = until - env.clock().as_unix_ms();
    env.pause(left.max(0).unsigned_abs()).await;
    make_all(env, tenant, leaderboard, policy).await;
}

async fn make_all<E: Environment>(
    env: &E,
    tenant: &TenantId,
    leaderboard: &LeaderboardId,
    policy: &CachePolicy,
) {
    for view in &policy.warm {
        let question = Rc::new(Question::warm(tenant, leaderboard, *view));
        let name = question.name();
        // What could not be made is made when it is asked for.
        let _ = made(env, &question, &name, &Caller::Reader, (None, Urgency::Ahead)).await;
    }
}
