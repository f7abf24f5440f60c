//! Views, marks and leases in the region's key-value store. A store that fails costs a question to the store of record, never
//! an answer.

use leaderboard_core::ports::Cache;
use leaderboard_core::{LeaderboardId, TenantId};

use super::question::{Question, SLOTS};
use super::view::View;
use crate::environment::Environment;

/// The region's copy of an answer.
pub(super) async fn find<E: Environment>(env: &E, question: &Question, name: &str) -> Option<View> {
    let bytes = env.region().get(&view_key(question, name)).await.ok()??;
    View::from_bytes(&bytes).filter(|view| *view.facts.name == *name)
}

/// Keeps an answer for the region.
pub(super) async fn keep<E: Environment>(env: &E, question: &Question, view: &View) {
    let key = view_key(question, &view.facts.name);
    let _ = env.region().put(&key, &view.to_bytes()).await;
}

/// Until when a leaderboard (or, without one, the whole tenant) is marked as changing; `None` when the region cannot tell.
pub(super) async fn changed_until<E: Environment>(
    env: &E,
    tenant: &TenantId,
    leaderboard: Option<&LeaderboardId>,
) -> Option<i64> {
    let found = env.region().get(&changed_key(tenant, leaderboard)).await.ok()?;
    let until = found.and_then(|bytes| Some(i64::from_be_bytes(*bytes.first_chunk()?)));
    Some(until.unwrap_or(i64::MIN))
}

/// Marks a leaderboard, or the whole tenant, as changing until then.
pub(super) async fn mark<E: Environment>(
    env: &E,
    tenant: &TenantId,
    leaderboard: Option<&LeaderboardId>,
    until: i64,
) {
    let _ = env
        .region()
        .put(&changed_key(tenant, leaderboard), &until.to_be_bytes())
        .await;
}

/// Deletes all there is of a leaderboard.
pub(super) async fn clear<E: Environment>(env: &E, tenant: &TenantId, leaderboard: &LeaderboardId) {
    let _ = env.region().delete(&changed_key(tenant, Some(leaderboard))).await;
    for slot in 0..SLOTS {
        for kind in ["view", "lease"] {
            let _ = env
                .region()
                .delete(&slot_key(tenant, leaderboard, kind, slot))
                .await;
        }
    }
}

fn view_key(question: &Question, name: &str) -> String {
    slot_key(
        &question.tenant,
        &question.leaderboard,
        "view",
        question.slot(name),
    )
}

/// The key of the lease to make an answer.
pub(super) fn lease_key(question: &Question, name: &str) -> String {
    slot_key(
        &question.tenant,
        &question.leaderboard,
        "lease",
        question.slot(name),
    )
}

fn slot_key(tenant: &TenantId, leaderboard: &LeaderboardId, kind: &str, slot: u64) -> String {
    format!("{tenant}:{leaderboard}:{kind}:{slot}")
}

fn changed_key(tenant: &TenantId, leaderboard: Option<&LeaderboardId>) -> String {
    match leaderboard {
        Some(leaderboard) => format!("{tenant}:{leaderboard}:changed"),
        None => format!("{tenant}:changed"),
    }
}
