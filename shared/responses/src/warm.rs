//! Makes the warm entries of a leaderboard: the entries that its configuration lists to be made before a reader asks for them.

use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use leaderboard_core::{CachePolicy, LeaderboardId, TenantId};

use super::cache_key::CacheKey;
use super::fetch::{Urgency, fetch_entry};
use crate::ResponseEnvironment;
use leaderboard_api::ApiVersion;

/// How many times one task makes the warm entries again because the leaderboard has changed again.
const MAX_ROUNDS: u32 = 4;

/// Makes the warm entries of a leaderboard in every version of the API, with 64-bit integers as JSON numbers. Does not fetch an
/// entry again if the key-value tier has one that was fetched at `not_before` (in milliseconds since the epoch) or later.
pub(crate) async fn warm_leaderboard<E: ResponseEnvironment>(
    env: &E,
    tenant: &TenantId,
    leaderboard: &LeaderboardId,
    policy: &CachePolicy,
    not_before: i64,
) {
    if policy.lifetime_ms == 0 {
        return;
    }
    for read in &policy.warm {
        run_concurrently(ApiVersion::ALL.map(|version| async move {
            let key = Rc::new(CacheKey::for_warm_read(tenant, leaderboard, *read, version));
            let key_text = key.to_text();
            // If this fails, the next reader fetches the entry.
            let _ = fetch_entry(env, &key, &key_text, Urgency::Background, not_before).await;
        }))
        .await;
    }
}

/// Runs several tasks at the same time, and returns when the last one ends.
async fn run_concurrently<const N: usize>(tasks: [impl Future<Output = ()>; N]) {
    let mut running: Vec<_> = tasks.into_iter().map(Box::pin).collect();
    poll_fn(|context| {
        running.retain_mut(|task| task.as_mut().poll(context).is_pending());
        if running.is_empty() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
}

/// Makes the warm entries of a leaderboard that has just been invalidated: now, and again each time an invalidation ends. One
/// task of an instance does this at a time, and one instance of a region, which has the lease.
pub(crate) async fn warm_while_changing<E: ResponseEnvironment>(
    env: &E,
    tenant: &TenantId,
    leaderboard: &LeaderboardId,
    policy: &CachePolicy,
) {
    let scope = format!("{tenant}:{leaderboard}");
    let memory_tier = env.responses();
    let Some(_leader) = memory_tier.warming.become_leader(&scope) else {
        return;
    };
    let written_at = env.clock().as_unix_ms();
    warm_leaderboard(env, tenant, leaderboard, policy, written_at).await;
    for _ in 0..MAX_ROUNDS {
        let until = memory_tier.invalidated_until(&scope);
        let left = until - env.clock().as_unix_ms();
        env.pause(left.max(0).unsigned_abs()).await;
        warm_leaderboard(env, tenant, leaderboard, policy, until).await;
        if memory_tier.invalidated_until(&scope) <= until {
            return;
        }
    }
}
