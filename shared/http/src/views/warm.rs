//! Views that are made before anybody asks.

use std::rc::Rc;

use leaderboard_core::{CachePolicy, LeaderboardId, TenantId};

use super::fetch::{Urgency, fetch};
use super::{Question, region};
use crate::environment::Environment;
use crate::version::ApiVersion;

/// How often one who warms goes on because the leaderboard changed again.
const MAX_ROUNDS: u32 = 4;

/// Makes the warm views of a leaderboard, unless the region has views that were made at `not_before` (in milliseconds since the
/// epoch) or later: in the first version of the API, and in others where the region knows such a view.
pub(super) async fn once<E: Environment>(
    env: &E,
    tenant: &TenantId,
    leaderboard: &LeaderboardId,
    policy: &CachePolicy,
    not_before: i64,
) {
    if policy.lifetime_ms == 0 {
        return;
    }
    for view in &policy.warm {
        for version in ApiVersion::ALL {
            let question = Rc::new(Question::warm(tenant, leaderboard, *view, version));
            let name = question.name();
            if version == ApiVersion::V1 || region::find(env, &question, &name).await.is_some() {
                // What could not be made is made when it is asked for.
                let _ = fetch(env, &question, &name, Urgency::Ahead, not_before).await;
            }
        }
    }
}

/// Makes the warm views of a leaderboard that has just been marked: now, and when it does not change any more. One task of an
/// instance does so, and the lease sees to it that one instance of the region does.
pub(super) async fn through<E: Environment>(
    env: &E,
    tenant: &TenantId,
    leaderboard: &LeaderboardId,
    policy: &CachePolicy,
) {
    let place = format!("{tenant}:{leaderboard}");
    let shelf = &env.memory().shelf;
    let Some(_turn) = shelf.warming.begin(&place) else {
        return;
    };
    let written_at = env.clock().as_unix_ms();
    once(env, tenant, leaderboard, policy, written_at).await;
    for _ in 0..MAX_ROUNDS {
        let until = shelf.marked_until(&place);
        let left = until - env.clock().as_unix_ms();
        env.pause(left.max(0).unsigned_abs()).await;
        once(env, tenant, leaderboard, policy, until).await;
        if shelf.marked_until(&place) <= until {
            return;
        }
    }
}
