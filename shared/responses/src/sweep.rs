//! Deletes the data of a tenant that nobody can reach any more.

use leaderboard_core::ports::Leaderboards as _;
use leaderboard_core::{TenantId, usecase};

use crate::{ResponseEnvironment, build_deps};

/// The most steps in which one request deletes such data.
const MAX_SWEEPS: u32 = 1_000;
/// The pause between two steps, in milliseconds. Other requests can use the store during the pause.
const SWEEP_PAUSE_MS: u64 = 10;

/// Deletes the tenant's abandoned import and the data of its deleted leaderboards, in steps after the response. If the work ends early,
/// the next call continues it.
pub fn sweep_later<E: ResponseEnvironment>(env: &E, tenant: &TenantId) {
    let (own_env, tenant) = (env.clone(), tenant.clone());
    env.later(async move {
        let deps = build_deps(&own_env, &tenant, own_env.clock());
        // If this fails, the next call tries again.
        let _ = usecase::discard_abandoned_import(&deps).await;
        for _ in 0..MAX_SWEEPS {
            if own_env.store().sweep(&tenant).await != Ok(true) {
                return;
            }
            own_env.pause(SWEEP_PAUSE_MS).await;
        }
    });
}
