//! That a leaderboard changed, told to the whole region by a mark in its key-value store.
//!
//! A mark says until when a leaderboard goes on changing, not that it changed: under many writes one mark in a window is enough,
//! and a view that was made after it has seen them all.

use leaderboard_core::{LeaderboardId, TenantId};

use super::question::place_of;
use super::shelf::Seen;
use super::standing::CHANGING_MS;
use super::{MEMORY_TRUST_MS, Question, region};
use crate::environment::Environment;

/// How long a mark holds, in milliseconds. It is put anew after half of that, so that one which arrives late and overwrites a
/// newer one still covers what the newer one was put for.
const MARK_MS: i64 = 2 * CHANGING_MS;

/// Until when the leaderboard of a question is known to change, in milliseconds since the epoch: as this instance saw it within
/// [`MEMORY_TRUST_MS`], or as the region has it now.
pub(super) async fn changed_until<E: Environment>(env: &E, question: &Question, name: &str, now: i64) -> i64 {
    let shelf = &env.memory().shelf;
    let place = place_of(name);
    if let Some(seen) = shelf.seen(place)
        && now - seen.checked_at < MEMORY_TRUST_MS
    {
        return seen.changed_until;
    }
    let checked_at = env.clock().as_unix_ms();
    let own = region::changed_until(env, &question.tenant, Some(&question.leaderboard)).await;
    let tenants = region::changed_until(env, &question.tenant, None).await;
    // Where nobody can tell, everything may have changed just now.
    let changed_until = own
        .zip(tenants)
        .map_or(checked_at, |(own, tenants)| own.max(tenants));
    shelf.see(
        place,
        Seen {
            checked_at,
            changed_until,
        },
    );
    changed_until
}

/// Whether the last mark of this instance will be over within a window.
pub(super) fn is_due<E: Environment>(
    env: &E,
    tenant: &TenantId,
    leaderboard: Option<&LeaderboardId>,
) -> bool {
    let until = env.memory().shelf.marked_until(&place(tenant, leaderboard));
    until.saturating_sub(env.clock().as_unix_ms()) < CHANGING_MS
}

/// Notes that a mark is on its way, so that it is put once.
pub(super) fn expect<E: Environment>(env: &E, tenant: &TenantId, leaderboard: Option<&LeaderboardId>) {
    let until = env.clock().as_unix_ms() + MARK_MS;
    env.memory().shelf.mark(&place(tenant, leaderboard), until);
}

/// Marks a leaderboard, or a whole tenant, as changing from now on. Gives until when.
pub(super) async fn mark<E: Environment>(
    env: &E,
    tenant: &TenantId,
    leaderboard: Option<&LeaderboardId>,
) -> i64 {
    let until = env.clock().as_unix_ms() + MARK_MS;
    env.memory().shelf.mark(&place(tenant, leaderboard), until);
    region::mark(env, tenant, leaderboard, until).await;
    until
}

fn place(tenant: &TenantId, leaderboard: Option<&LeaderboardId>) -> String {
    match leaderboard {
        Some(leaderboard) => format!("{tenant}:{leaderboard}"),
        None => tenant.to_string(),
    }
}
