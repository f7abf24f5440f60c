//! Views, notes and leases in the region's key-value store. A store that fails costs a question to the store of record, never
//! an answer.
//!
//! Every key begins with what it is for: an id holds no colon, so that no name can be mistaken for another's.

use leaderboard_core::ports::Cache;
use leaderboard_core::{LeaderboardId, TenantId};

use super::changes;
use super::question::{Question, SLOTS};
use super::view::View;
use crate::ResponseEnvironment;

/// The most bytes of an answer that few ask for, for the region to keep it. It has many such places.
const MAX_RARE_BYTES: usize = 64 << 10;

/// What is noted of a leaderboard, or of a whole tenant: an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Note {
    /// Until when it goes on changing.
    Changing,
    /// What was made before that may not be shown any more, not even without the store.
    Void,
}

/// The region's copy of an answer.
pub(crate) async fn find<E: ResponseEnvironment>(env: &E, question: &Question, name: &str) -> Option<View> {
    for slot in question.slots(name) {
        if let Some(view) = at(env, question, slot)
            .await
            .filter(|view| *view.facts.name == *name)
        {
            return Some(view);
        }
    }
    None
}

/// Keeps an answer for the region, unless there is a later one to the same question. Where both its places are taken by others,
/// the older one makes way.
pub(crate) async fn keep<E: ResponseEnvironment>(env: &E, question: &Question, view: &View) {
    if !question.is_common() && view.body.len() > MAX_RARE_BYTES {
        return;
    }
    let mut place = None;
    for slot in question.slots(&view.facts.name) {
        let there = at(env, question, slot).await;
        let (same, made_at) = there.map_or((false, None), |there| {
            (there.facts.name == view.facts.name, Some(there.facts.made_at))
        });
        if same {
            if made_at > Some(view.facts.made_at) {
                return;
            }
            place = Some((slot, None));
            break;
        }
        if place.is_none_or(|(_, oldest)| made_at < oldest) {
            place = Some((slot, made_at));
        }
    }
    let Some((slot, _)) = place else { return };
    let key = slot_key(question, "view", slot);
    let _ = env.region().put(&key, &view.to_bytes()).await;
    // Whoever forbade it has noted that before deleting what was there: either saw the other.
    let (tenant, leaderboard) = (&question.tenant, &question.leaderboard);
    if changes::is_void_now(env, tenant, leaderboard, view.facts.made_at).await {
        let _ = env.region().delete(&key).await;
    }
}

/// Keeps an answer again, with codings of its body that it did not have, if it is still the region's.
pub(crate) async fn complete<E: ResponseEnvironment>(env: &E, question: &Question, view: &View) {
    let there = find(env, question, &view.facts.name).await;
    if there.is_some_and(|there| there.facts.made_at == view.facts.made_at) {
        keep(env, question, view).await;
    }
}

/// Deletes the region's copy of an answer that is none any more.
pub(crate) async fn forget<E: ResponseEnvironment>(env: &E, question: &Question, name: &str) {
    for slot in question.slots(name) {
        let there = at(env, question, slot).await;
        if there.is_some_and(|view| *view.facts.name == *name) {
            let _ = env.region().delete(&slot_key(question, "view", slot)).await;
        }
    }
}

/// The instant that is noted, in milliseconds since the epoch, or `i64::MIN`; `None` when the region cannot tell.
pub(crate) async fn noted<E: ResponseEnvironment>(
    env: &E,
    note: Note,
    tenant: &TenantId,
    leaderboard: Option<&LeaderboardId>,
) -> Option<i64> {
    let Some(bytes) = env
        .region()
        .get(&note_key(note, tenant, leaderboard))
        .await
        .ok()?
    else {
        return Some(i64::MIN);
    };
    Some(i64::from_be_bytes(bytes.try_into().ok()?))
}

/// Notes an instant. Whether the region took it.
pub(crate) async fn note<E: ResponseEnvironment>(
    env: &E,
    note: Note,
    tenant: &TenantId,
    leaderboard: Option<&LeaderboardId>,
    instant: i64,
) -> bool {
    let key = note_key(note, tenant, leaderboard);
    env.region().put(&key, &instant.to_be_bytes()).await.is_ok()
}

/// Deletes all there is of a leaderboard.
pub(crate) async fn clear<E: ResponseEnvironment>(env: &E, tenant: &TenantId, leaderboard: &LeaderboardId) {
    for note in [Note::Changing, Note::Void] {
        let key = note_key(note, tenant, Some(leaderboard));
        let _ = env.region().delete(&key).await;
    }
    for slot in 0..SLOTS {
        for kind in ["view", "lease"] {
            let _ = env.region().delete(&key(kind, tenant, leaderboard, slot)).await;
        }
    }
}

async fn at<E: ResponseEnvironment>(env: &E, question: &Question, slot: u64) -> Option<View> {
    let bytes = env.region().get(&slot_key(question, "view", slot)).await.ok()??;
    View::from_bytes(&bytes)
}

/// The key of the lease to make an answer.
pub(crate) fn lease_key(question: &Question, name: &str) -> String {
    let [slot, _] = question.places(name);
    slot_key(question, "lease", slot)
}

fn slot_key(question: &Question, kind: &str, slot: u64) -> String {
    key(kind, &question.tenant, &question.leaderboard, slot)
}

fn key(kind: &str, tenant: &TenantId, leaderboard: &LeaderboardId, slot: u64) -> String {
    format!("{kind}:{tenant}:{leaderboard}:{slot}")
}

fn note_key(note: Note, tenant: &TenantId, leaderboard: Option<&LeaderboardId>) -> String {
    let kind = match note {
        Note::Changing => "changed",
        Note::Void => "void",
    };
    match leaderboard {
        Some(leaderboard) => format!("{kind}:{tenant}:{leaderboard}"),
        None => format!("{kind}:{tenant}"),
    }
}
