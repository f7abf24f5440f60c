//! When webhooks are served, and by whom.

use leaderboard_core::ports::{DocumentKind, Documents, Expected};
use leaderboard_core::{StoreError, TenantId};
use leaderboard_pipeline::PipelineEnvironment;
use serde::{Deserialize, Serialize};

use crate::names::{parse_turn_id, start_name, turn_name};

/// How long a webhook belongs to the run that claimed it, in milliseconds. It is longer than a run and its last attempt take.
const LEASE_MS: i64 = 60_000;
/// How many turns one command lists.
const TURNS_AT_ONCE: u32 = 200;
/// The most turns that a run looks at. The next run continues after them.
const MAX_TURNS: usize = 10_000;
/// How long a webhook counts as busy after it was served, in milliseconds.
const BUSY_MS: i64 = 60_000;

/// The document of a turn.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Turn {
    /// When the webhook was created, in milliseconds since the epoch.
    pub created_at_ms: i64,
    /// When the webhook is served next.
    pub next_ms: i64,
    /// Until when the webhook belongs to the run that claimed it.
    lease_until_ms: i64,
}

impl Turn {
    fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    fn is_due(&self, now_ms: i64) -> bool {
        self.next_ms <= now_ms && self.lease_until_ms <= now_ms
    }
}

/// A webhook that is due.
#[derive(Debug, Clone)]
pub(crate) struct DueWebhook {
    pub tenant: TenantId,
    pub webhook: Box<str>,
    pub turn: Turn,
    version: u64,
}

/// Where the next run begins in the list of turns: after the turn with this id. There is such a document only if one run cannot look at
/// all turns.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Start {
    after: Option<Box<str>>,
}

/// Returns webhooks of all tenants that are due, in the order in which a run serves them: in turn one that was served lately, those that
/// have waited longest first, and one of the others, from a random one on. Most of the others are idle, and a run can take long to
/// look at all of them; neither they nor the busy ones keep the others waiting.
///
/// # Errors
/// [`StoreError`].
pub(crate) async fn list_due<E: PipelineEnvironment>(env: &E) -> Result<Vec<DueWebhook>, StoreError> {
    let stored = env.store().read_document(&start_name()).await?;
    let start = stored
        .and_then(|stored| serde_json::from_slice::<Start>(&stored.value).ok())
        .unwrap_or_default();
    let (due, next) = list_due_after(env, start.after.clone()).await?;
    if next != start.after {
        let body = serde_json::to_vec(&Start { after: next }).unwrap_or_default();
        // Another run may have begun at the same place; then it looks at the same turns.
        let _ = env
            .store()
            .put_document(&start_name(), &body, Expected::Any)
            .await?;
    }
    let random = env.random()?.first_chunk().copied().map(u32::from_be_bytes);
    Ok(interleave(
        due,
        env.clock().as_unix_ms(),
        random.unwrap_or_default(),
    ))
}

/// Returns the webhooks that are due among up to [`MAX_TURNS`] turns after the one with this id, and where the next run begins: at the
/// first turn after the last one of the list.
async fn list_due_after<E: PipelineEnvironment>(
    env: &E,
    mut after: Option<Box<str>>,
) -> Result<(Vec<DueWebhook>, Option<Box<str>>), StoreError> {
    let now_ms = env.clock().as_unix_ms();
    let mut due = Vec::new();
    let mut seen = 0;
    loop {
        let kind = DocumentKind::WebhookTurn;
        let page = env
            .store()
            .list_documents(None, kind, after.as_deref(), TURNS_AT_ONCE)
            .await?;
        seen += page.len();
        let is_last = u32::try_from(page.len()).unwrap_or(u32::MAX) < TURNS_AT_ONCE;
        after = page.last().map(|(id, _)| id.clone());
        due.extend(page.into_iter().filter_map(|(id, document)| {
            let (tenant, webhook) = parse_turn_id(&id)?;
            let turn: Turn = serde_json::from_slice(&document.value).ok()?;
            turn.is_due(now_ms).then_some(DueWebhook {
                tenant,
                webhook,
                turn,
                version: document.version,
            })
        }));
        if is_last {
            return Ok((due, None));
        }
        if seen >= MAX_TURNS {
            return Ok((due, after));
        }
    }
}

/// Returns webhooks in the order in which a run serves them.
fn interleave(due: Vec<DueWebhook>, now_ms: i64, random: u32) -> Vec<DueWebhook> {
    let busy_from_ms = now_ms.saturating_sub(BUSY_MS);
    let (mut busy, mut others): (Vec<_>, Vec<_>) =
        due.into_iter().partition(|due| due.turn.next_ms > busy_from_ms);
    busy.sort_by_key(|due| due.turn.next_ms);
    let first = usize::try_from(random).unwrap_or_default();
    let first = first.checked_rem(others.len()).unwrap_or_default();
    others.rotate_left(first);
    let mut ordered = Vec::with_capacity(busy.len() + others.len());
    let (mut busy, mut others) = (busy.into_iter(), others.into_iter());
    loop {
        let pair = [busy.next(), others.next()];
        if pair.iter().all(Option::is_none) {
            return ordered;
        }
        ordered.extend(pair.into_iter().flatten());
    }
}

/// Claims a webhook for this run. Returns whether no other run claimed it first.
///
/// # Errors
/// [`StoreError`].
pub(crate) async fn claim<E: PipelineEnvironment>(env: &E, due: &mut DueWebhook) -> Result<bool, StoreError> {
    due.turn.lease_until_ms = env.clock().as_unix_ms().saturating_add(LEASE_MS);
    put(env, due).await
}

/// Ends the claim of a webhook. It is served again at `next_ms`, in milliseconds since the epoch.
///
/// # Errors
/// [`StoreError`].
pub(crate) async fn release<E: PipelineEnvironment>(
    env: &E,
    mut due: DueWebhook,
    next_ms: i64,
) -> Result<(), StoreError> {
    due.turn.lease_until_ms = 0;
    due.turn.next_ms = next_ms;
    // Where the lease has ended, the webhook belongs to another run now.
    put(env, &mut due).await.map(|_| ())
}

async fn put<E: PipelineEnvironment>(env: &E, due: &mut DueWebhook) -> Result<bool, StoreError> {
    let name = turn_name(&due.tenant, &due.webhook);
    let expected = Expected::Version(due.version);
    let stored = env
        .store()
        .put_document(&name, &due.turn.encode(), expected)
        .await?;
    if let Ok((version, _)) = stored {
        due.version = version;
    }
    Ok(stored.is_ok())
}

/// Deletes the turn of a webhook that no longer exists.
///
/// # Errors
/// [`StoreError`].
pub(crate) async fn delete<E: PipelineEnvironment>(env: &E, due: &DueWebhook) -> Result<(), StoreError> {
    let name = turn_name(&due.tenant, &due.webhook);
    let expected = Expected::Version(due.version);
    // A webhook with the same name may have been created in the meantime.
    let _ = env.store().delete_document(&name, expected).await?;
    Ok(())
}

/// Makes a webhook due now, and creates its turn if it has none. Leaves a webhook alone that a run is serving: that run reads what
/// changed, or the next one does.
///
/// # Errors
/// [`StoreError`].
pub(crate) async fn make_due<E: PipelineEnvironment>(
    env: &E,
    tenant: &TenantId,
    webhook: &str,
    created_at_ms: i64,
) -> Result<(), StoreError> {
    let name = turn_name(tenant, webhook);
    let stored = env.store().read_document(&name).await?;
    let earlier = stored
        .as_ref()
        .and_then(|stored| serde_json::from_slice::<Turn>(&stored.value).ok());
    let turn = Turn {
        created_at_ms,
        next_ms: 0,
        lease_until_ms: earlier.map_or(0, |turn| turn.lease_until_ms),
    };
    let expected = stored.map_or(Expected::Absent, |stored| Expected::Version(stored.version));
    // Where the document changed, a run has just claimed or released the webhook.
    let _ = env.store().put_document(&name, &turn.encode(), expected).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_webhooks_and_busy_ones_take_turns() {
        let now_ms = 1_000_000;
        let due = |webhook: &str, next_ms| DueWebhook {
            tenant: TenantId::new("acme").unwrap(),
            webhook: webhook.into(),
            turn: Turn {
                next_ms,
                ..Turn::default()
            },
            version: 1,
        };
        let all = [
            due("idle-1", 5),
            due("idle-2", 7),
            due("busy-1", now_ms - 1),
            due("idle-3", 6),
            due("busy-2", now_ms - 2),
        ];
        let names = |random| {
            let ordered = interleave(all.to_vec(), now_ms, random);
            ordered
                .iter()
                .map(|due| due.webhook.to_string())
                .collect::<Vec<_>>()
        };
        assert_eq!(names(3), ["busy-2", "idle-1", "busy-1", "idle-2", "idle-3"]);
        assert_eq!(names(1), ["busy-2", "idle-2", "busy-1", "idle-3", "idle-1"]);
        assert_eq!(interleave(Vec::new(), now_ms, 7).len(), 0);
    }
}
