//! What delivery runs keep of a webhook.

use std::collections::BTreeMap;

use leaderboard_api::webhook_record::{AttemptRecord, WebhookRecord};
use leaderboard_core::ports::{Documents, Expected};
use leaderboard_core::{StoreError, TenantId, Versioned};
use leaderboard_pipeline::PipelineEnvironment;
use serde::{Deserialize, Serialize};

use crate::names::state_name;

/// How many attempts the delivery log of a webhook keeps.
const MAX_ATTEMPTS_KEPT: usize = 100;
/// The most messages that administrators can change before the next run.
const MAX_CHANGED: usize = 1_000;
/// How often a change is tried again because another call changed the document first.
const MAX_TRIES: u32 = 8;

/// A message that waits for its next attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PendingMessage {
    pub id: String,
    pub due_ms: i64,
}

/// The state of a webhook. Only the run that has claimed the webhook changes it, except [`WebhookState::changed`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct WebhookState {
    /// When the webhook that this state belongs to was created. An id can come back.
    pub created_at_ms: i64,
    /// The version of the webhook's document to which the receiver answered 410. With another version, messages are sent again.
    pub gone_at_version: Option<u64>,
    /// How many attempts failed one after another.
    pub failures: u32,
    /// Until when no attempt is made.
    pub open_until_ms: i64,
    /// The messages that wait for their next attempt.
    pub pending: Vec<PendingMessage>,
    /// The messages that were given up, oldest first.
    pub dead: Vec<String>,
    /// The messages that an administrator wants to send again, or has deleted. A run moves them to `pending`, and forgets those that are
    /// deleted.
    pub changed: Vec<String>,
    /// The leaderboard after which the next run continues; `None` to begin with the first.
    pub board_after: Option<String>,
    /// How far the bans of the tenant were read: the instant and the player of the last one.
    pub bans_seen: (i64, String),
    /// The version of the document of bans that was seen last.
    pub bans_version: u64,
    /// Until when the bans are read although that document does not change.
    pub bans_read_until_ms: i64,
    /// When the quotas were checked last.
    pub quotas_checked_ms: i64,
    /// The quotas that were reported as nearly used: the day for requests, 0 for others.
    pub quotas_reported: BTreeMap<String, u32>,
    /// How many events the logs did not keep until they were read.
    pub missed_events: u64,
    /// The last attempts, oldest first.
    pub attempts: Vec<AttemptRecord>,
}

impl WebhookState {
    /// Returns the state of a new webhook.
    pub(crate) fn new(record: &WebhookRecord) -> Self {
        let created_at_ms = record.created_at().as_unix_ms();
        Self {
            created_at_ms,
            bans_seen: (created_at_ms, String::new()),
            ..Self::default()
        }
    }

    /// Returns whether a message is known: it waits or was given up.
    pub(crate) fn has_message(&self, id: &str) -> bool {
        self.pending.iter().any(|pending| pending.id == id) || self.dead.iter().any(|dead| dead == id)
    }

    /// Removes a message.
    pub(crate) fn forget_message(&mut self, id: &str) {
        self.pending.retain(|pending| pending.id != id);
        self.dead.retain(|dead| dead != id);
    }

    /// Adds an attempt to the delivery log.
    pub(crate) fn add_attempt(&mut self, attempt: AttemptRecord) {
        self.attempts.push(attempt);
        let surplus = self.attempts.len().saturating_sub(MAX_ATTEMPTS_KEPT);
        self.attempts.drain(..surplus);
    }

    fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads a document of the store.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`].
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, StoreError> {
        serde_json::from_slice(bytes).map_err(|_| StoreError::Corrupt("the state of a webhook".to_owned()))
    }
}

/// The state of a webhook, as a run keeps and stores it.
#[derive(Debug)]
pub(crate) struct StoredState {
    pub state: WebhookState,
    expected: Expected,
    /// The changed messages that this run has taken from the state.
    taken: Vec<String>,
}

impl StoredState {
    /// Creates the state from the stored document. Takes the messages that administrators have changed.
    pub(crate) fn new(state: WebhookState, version: Option<u64>) -> Self {
        let mut state = state;
        Self {
            taken: std::mem::take(&mut state.changed),
            state,
            expected: version.map_or(Expected::Absent, Expected::Version),
        }
    }

    /// Returns the messages that administrators have changed before this run.
    pub(crate) fn changed_messages(&self) -> Vec<String> {
        self.taken.clone()
    }

    /// Stores the state. Keeps the messages that administrators have changed in the meantime.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) async fn save<E: PipelineEnvironment>(
        &mut self,
        env: &E,
        tenant: &TenantId,
        webhook: &str,
    ) -> Result<(), StoreError> {
        let name = state_name(tenant, webhook);
        for _ in 0..MAX_TRIES {
            let body = self.state.encode();
            let stored = env.store().put_document(&name, &body, self.expected).await?;
            match stored {
                Ok((version, _)) => {
                    self.expected = Expected::Version(version);
                    return Ok(());
                }
                Err(mismatch) => {
                    self.expected = mismatch.current.map_or(Expected::Absent, Expected::Version);
                    if let Some(found) = read(env, tenant, webhook).await? {
                        self.expected = Expected::Version(found.version);
                        let mut changed = found.value.changed;
                        changed.retain(|id| !self.taken.contains(id));
                        self.state.changed = changed;
                    }
                }
            }
        }
        Err(changes_too_fast())
    }
}

fn changes_too_fast() -> StoreError {
    StoreError::Unavailable("the state of a webhook changes faster than it can be stored".to_owned())
}

/// Reads the state of a webhook; `None` if no run has stored it yet.
///
/// # Errors
/// [`StoreError`].
pub(crate) async fn read<E: PipelineEnvironment>(
    env: &E,
    tenant: &TenantId,
    webhook: &str,
) -> Result<Option<Versioned<WebhookState>>, StoreError> {
    let stored = env.store().read_document(&state_name(tenant, webhook)).await?;
    let decoded = stored.map(|stored| stored.try_map(|body| WebhookState::decode(&body)));
    decoded.transpose()
}

/// Notes for the next run that an administrator has changed a message. Returns whether there is room for one more.
///
/// # Errors
/// [`StoreError`].
pub(crate) async fn note_change<E: PipelineEnvironment>(
    env: &E,
    tenant: &TenantId,
    webhook: &str,
    message: &str,
) -> Result<bool, StoreError> {
    for _ in 0..MAX_TRIES {
        let Some(found) = read(env, tenant, webhook).await? else {
            return Ok(false);
        };
        let mut state = found.value;
        if state.changed.iter().any(|id| id == message) {
            return Ok(true);
        }
        if state.changed.len() >= MAX_CHANGED {
            return Ok(false);
        }
        state.changed.push(message.to_owned());
        let name = state_name(tenant, webhook);
        let expected = Expected::Version(found.version);
        if env
            .store()
            .put_document(&name, &state.encode(), expected)
            .await?
            .is_ok()
        {
            return Ok(true);
        }
    }
    Err(changes_too_fast())
}
