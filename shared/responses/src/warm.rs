//! Entries that are made before anybody asks.

use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use leaderboard_core::{CachePolicy, LeaderboardId, TenantId};

use super::CacheKey;
use super::fetch::{Urgency, fetch};
use crate::ResponseEnvironment;
use leaderboard_api::ApiVersion;

/// How often one who warms goes on because the leaderboard changed again.
const MAX_ROUNDS: u32 = 4;

/// Makes the warm views of a leaderboard in every version of the API, with numbers as JSON's own, unless the region has views that
/// were made at `not_before` (in milliseconds since the epoch) or later.
pub(crate) async fn once<E: ResponseEnvironment>(
    env: &E,
    tenant: &TenantId,
    leaderboard: &LeaderboardId,
    policy: &CachePolicy,
    not_before: i64,
) {
    if policy.lifetime_ms == 0 {
        return;
    }
    for entry in &policy.warm {
        together(ApiVersion::ALL.map(|version| async move {
            let key = Rc::new(CacheKey::warm(tenant, leaderboard, *entry, version));
            let name = key.name();
            // What could not be made is made when it is request for.
            let _ = fetch(env, &key, &name, Urgency::Ahead, not_before).await;
        }))
        .await;
    }
}

/// Does several things at once, so that all of them wait no longer than one.
async fn together<const N: usize>(works: [impl Future<Output = ()>; N]) {
    let mut open: Vec<_> = works.into_iter().map(Box::pin).collect();
    poll_fn(|context| {
        open.retain_mut(|work| work.as_mut().poll(context).is_pending());
        if open.is_empty() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
}

/// Makes the warm views of a leaderboard that has just been marked: now, and when it does not change any more. One task of an
/// instance does so, and the lease sees to it that one instance of the region does.
pub(crate) async fn through<E: ResponseEnvironment>(
    env: &E,
    tenant: &TenantId,
    leaderboard: &LeaderboardId,
    policy: &CachePolicy,
) {
    let place = format!("{tenant}:{leaderboard}");
    let memory_tier = &env.responses();
    let Some(_turn) = memory_tier.warming.begin(&place) else {
        return;
    };
    let written_at = env.clock().as_unix_ms();
    once(env, tenant, leaderboard, policy, written_at).await;
    for _ in 0..MAX_ROUNDS {
        let until = memory_tier.marked_until(&place);
        let left = until - env.clock().as_unix_ms();
        env.pause(left.max(0).unsigned_abs()).await;
        once(env, tenant, leaderboard, policy, until).await;
        if memory_tier.marked_until(&place) <= until {
            return;
        }
    }
}
