//! What administrators do with webhooks and messages.

use leaderboard_api::webhook_record::{
    AttemptRecord, DeliveryRecord, DeliveryState, WebhookCondition, WebhookEvent, WebhookRecord,
    WebhookStatus,
};
use leaderboard_api::wire::webhook_message;
use leaderboard_core::ports::{DocumentKind, Documents, Expected};
use leaderboard_core::{StoreError, TenantId, Timestamp, Versioned};
use leaderboard_identity::hex;
use leaderboard_pipeline::PipelineEnvironment;

use crate::message::{About, Message, of_problem};
use crate::names::{
    document_name, id_prefix, is_about_webhooks_alone, message_name, parse_message_id, webhook_name,
};
use crate::{attempt, board, state, turn};

/// When a test message without a response is answered, in milliseconds: after the time in which a receiver can answer. An earlier answer
/// would tell a closed port in a private network from one that is blocked, or that nobody answers.
const UNANSWERED_PING_MS: i64 = 11_000;

/// What came of the request to send a message again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replay {
    /// The next run sends the message.
    Accepted(Box<DeliveryRecord>),
    /// The webhook has no such message.
    Unknown,
    /// Too many messages wait to be sent again. The message is unchanged.
    Full,
    /// This version cannot read the message. It is unchanged.
    Unreadable,
}

/// Returns a webhook; `None` if the tenant has none with this id.
///
/// # Errors
/// [`StoreError`].
pub async fn find_webhook<E: PipelineEnvironment>(
    env: &E,
    tenant: &TenantId,
    webhook: &str,
) -> Result<Option<Versioned<WebhookRecord>>, StoreError> {
    let stored = env.store().read_document(&webhook_name(tenant, webhook)).await?;
    let decoded = stored.map(|stored| stored.try_map(|body| WebhookRecord::decode(&body)));
    decoded.transpose()
}

/// Returns up to `limit` webhooks in the order of their ids, from after `after`.
///
/// # Errors
/// [`StoreError`].
pub async fn list_webhooks<E: PipelineEnvironment>(
    env: &E,
    tenant: &TenantId,
    after: Option<&str>,
    limit: u32,
) -> Result<Vec<(Box<str>, WebhookRecord)>, StoreError> {
    let kind = DocumentKind::Webhook;
    let found = env
        .store()
        .list_documents(Some(tenant), kind, after, limit)
        .await?;
    found
        .into_iter()
        .map(|(id, document)| Ok((id, WebhookRecord::decode(&document.value)?)))
        .collect()
}

/// Stores a new webhook, and where it begins in the logs. Returns its version; `None` if a webhook with this id was created meanwhile.
///
/// # Errors
/// [`StoreError`].
pub async fn create_webhook<E: PipelineEnvironment>(
    env: &E,
    tenant: &TenantId,
    webhook: &str,
    record: &WebhookRecord,
) -> Result<Option<u64>, StoreError> {
    // A run ignores a turn without a webhook for some time, so nothing is lost if this call ends in between.
    turn::make_due(env, tenant, webhook, record.created_at().as_unix_ms()).await?;
    board::start_cursors(env, tenant, webhook, record).await?;
    let name = webhook_name(tenant, webhook);
    let stored = env
        .store()
        .put_document(&name, &record.encode(), Expected::Absent)
        .await?;
    Ok(stored.ok().map(|(version, _)| version))
}

/// Lets the next run serve a webhook, because it was changed.
///
/// # Errors
/// [`StoreError`].
pub async fn wake<E: PipelineEnvironment>(
    env: &E,
    tenant: &TenantId,
    webhook: &str,
    record: &WebhookRecord,
) -> Result<(), StoreError> {
    turn::make_due(env, tenant, webhook, record.created_at().as_unix_ms()).await
}

/// Returns what delivery runs know of a webhook.
///
/// # Errors
/// [`StoreError`].
pub async fn read_status<E: PipelineEnvironment>(
    env: &E,
    tenant: &TenantId,
    webhook: &str,
    record: &Versioned<WebhookRecord>,
) -> Result<WebhookStatus, StoreError> {
    let now_ms = env.clock().as_unix_ms();
    let found = state::read(env, tenant, webhook).await?;
    let created_at_ms = record.value.created_at().as_unix_ms();
    let found = found.map(|found| found.value);
    let state = found
        .filter(|state| state.created_at_ms == created_at_ms)
        .unwrap_or_default();
    let retry_at =
        (state.open_until_ms > now_ms).then(|| Timestamp::saturating_from_unix_ms(state.open_until_ms));
    let condition = if !record.value.settings.active {
        WebhookCondition::Paused
    } else if state.gone_at_version == Some(record.version) {
        WebhookCondition::Gone
    } else if retry_at.is_some() {
        WebhookCondition::Failing
    } else {
        WebhookCondition::Active
    };
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    Ok(WebhookStatus {
        condition,
        pending: count(state.pending.len()),
        dead: count(state.dead.len()),
        failures: state.failures,
        retry_at,
        missed_events: state.missed_events,
        attempts: state.attempts.into_iter().rev().collect(),
    })
}

/// Returns up to `limit` messages of a webhook that were not delivered, oldest first, from after `after`; `None` in place of a message
/// that this version cannot read.
///
/// # Errors
/// [`StoreError`].
pub async fn list_messages<E: PipelineEnvironment>(
    env: &E,
    tenant: &TenantId,
    webhook: &str,
    after: Option<&str>,
    limit: u32,
) -> Result<Vec<(Box<str>, Option<DeliveryRecord>)>, StoreError> {
    let prefix = id_prefix(webhook);
    let after = format!("{prefix}{}", after.unwrap_or_default());
    let kind = DocumentKind::WebhookDelivery;
    let found = env
        .store()
        .list_documents(Some(tenant), kind, Some(&after), limit)
        .await?;
    let own = found
        .into_iter()
        .map_while(|(id, document)| Some((Box::<str>::from(id.strip_prefix(&prefix)?), document)));
    Ok(own
        .map(|(id, document)| (id, DeliveryRecord::decode(&document.value).ok()))
        .collect())
}

/// Lets the next run send a message again, with all its attempts. A message that waits for its next attempt is due at once.
///
/// # Errors
/// [`StoreError`].
pub async fn replay_message<E: PipelineEnvironment>(
    env: &E,
    tenant: &TenantId,
    webhook: &str,
    message: &str,
    created_at: Timestamp,
) -> Result<Replay, StoreError> {
    let name = message_name(tenant, webhook, message);
    let Some(stored) = env.store().read_document(&name).await? else {
        return Ok(Replay::Unknown);
    };
    let Ok(mut record) = DeliveryRecord::decode(&stored.value) else {
        return Ok(Replay::Unreadable);
    };
    // A run that begins before the document is changed sends the message, too.
    if !state::note_change(env, tenant, webhook, message).await? {
        return Ok(Replay::Full);
    }
    record.state = DeliveryState::Pending;
    record.attempts = 0;
    record.due_ms = env.clock().as_unix_ms();
    let expected = Expected::Version(stored.version);
    let changed = env
        .store()
        .put_document(&name, &record.encode(), expected)
        .await?;
    // A run has just delivered the message, or tried it again.
    if changed.is_err() {
        return Ok(Replay::Unknown);
    }
    turn::make_due(env, tenant, webhook, created_at.as_unix_ms()).await?;
    Ok(Replay::Accepted(Box::new(record)))
}

/// Deletes a message that was not delivered. Returns whether it existed.
///
/// # Errors
/// [`StoreError`].
pub async fn delete_message<E: PipelineEnvironment>(
    env: &E,
    tenant: &TenantId,
    webhook: &str,
    message: &str,
) -> Result<bool, StoreError> {
    let name = message_name(tenant, webhook, message);
    let deleted = env.store().delete_document(&name, Expected::Any).await?;
    let existed = deleted.unwrap_or(false);
    if existed {
        // Without it, the message is counted until its next attempt would be due.
        state::note_change(env, tenant, webhook, message).await?;
    }
    Ok(existed)
}

/// Erases a text from the documents of a tenant's webhooks, among up to `limit` documents of a kind after `after`: deletes the messages
/// that contain it and were not delivered, and replaces it in what delivery runs keep, for example in the top of a leaderboard that a
/// webhook was told of last. Returns the last document that was looked at; `None` if there were none.
///
/// # Errors
/// [`StoreError`].
pub async fn erase_text<E: PipelineEnvironment>(
    env: &E,
    tenant: &TenantId,
    kind: DocumentKind,
    (text, replacement): (&str, &str),
    after: Option<&str>,
    limit: u32,
) -> Result<Option<Box<str>>, StoreError> {
    let store = env.store();
    let listed = store.list_documents(Some(tenant), kind, after, limit).await?;
    for (id, document) in &listed {
        let body = String::from_utf8_lossy(&document.value);
        if kind == DocumentKind::WebhookDelivery {
            let found = parse_message_id(id).filter(|_| is_message_about(&body, text));
            if let Some((webhook, message)) = found {
                delete_message(env, tenant, webhook, message).await?;
            }
        } else if !is_about_webhooks_alone(id) && body.contains(text) {
            let name = document_name(tenant, kind, id);
            let replaced = body.replace(text, replacement);
            let expected = Expected::Version(document.version);
            // After a mismatch, a run that is under way has stored another state.
            let _ = store.put_document(&name, replaced.as_bytes(), expected).await?;
        }
    }
    Ok(listed.into_iter().next_back().map(|(id, _)| id))
}

/// Returns whether the document of a message contains a text. If this version cannot read the document, the text is looked for in all of
/// it, as it is and as a JSON text within a JSON text.
fn is_message_about(document: &str, text: &str) -> bool {
    match DeliveryRecord::decode(document.as_bytes()) {
        Ok(record) => record.body.contains(text),
        Err(_) => {
            let nested = serde_json::Value::from(text).to_string();
            document.contains(text) || document.contains(nested.trim_matches('"'))
        }
    }
}

/// Sends a test message at once, and returns what came of it. It is not tried again, and changes nothing.
///
/// # Errors
/// [`StoreError`].
pub async fn ping<E: PipelineEnvironment>(
    env: &E,
    tenant: &TenantId,
    webhook: &str,
    record: &WebhookRecord,
) -> Result<AttemptRecord, StoreError> {
    let data = webhook_message::ping(webhook).map_err(of_problem)?;
    let about = About {
        tenant,
        webhook,
        created_at_ms: record.created_at().as_unix_ms(),
        leaderboard: None,
        event: WebhookEvent::Ping,
        key: &hex::encode(&env.random()?),
        subject: None,
        at: env.clock(),
    };
    let message = Message::new(&about, &data)?;
    let began = env.clock();
    let (attempt, _) = attempt::send(env, record, &message).await;
    if attempt.outcome == attempt::NO_RESPONSE {
        let passed_ms = env.clock().as_unix_ms().saturating_sub(began.as_unix_ms());
        let left_ms = UNANSWERED_PING_MS.saturating_sub(passed_ms);
        env.pause(u64::try_from(left_ms).unwrap_or_default()).await;
    }
    Ok(attempt)
}
