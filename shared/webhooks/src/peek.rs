//! Whether a webhook has anything to send. It only reads: a run that finds nothing writes nothing, so an idle webhook costs no write.

use leaderboard_api::webhook_record::{WebhookEvent, WebhookRecord};
use leaderboard_core::ports::{DocumentKind, Documents, Events};
use leaderboard_core::{Leaderboard, StoreError, TenantId, Versioned};
use leaderboard_pipeline::PipelineEnvironment;
use leaderboard_tenant_config::single_document_name;

use crate::board::list_followed;
use crate::cursor::Cursor;
use crate::names::{cursor_name, state_name, webhook_name};
use crate::period::find_next_end;
use crate::state::WebhookState;
use crate::tenant::are_quotas_due;
use crate::turn::DueWebhook;

/// Returns whether a run has something to do for a webhook. It may be wrong in one way: a run can find that there is nothing.
///
/// # Errors
/// [`StoreError`].
pub(crate) async fn has_news<E: PipelineEnvironment>(env: &E, due: &DueWebhook) -> Result<bool, StoreError> {
    let (tenant, webhook) = (&due.tenant, &*due.webhook);
    let names = [
        webhook_name(tenant, webhook),
        state_name(tenant, webhook),
        single_document_name(Some(tenant), DocumentKind::Bans),
    ];
    let found = env.store().read_documents(&names).await?;
    let [record, state, bans] = <[_; 3]>::try_from(found).unwrap_or_default();
    // What a deleted webhook left is removed, and a new one gets its state.
    let (Some(record), Some(state)) = (record, state) else {
        return Ok(true);
    };
    let (record, version) = (WebhookRecord::decode(&record.value)?, record.version);
    let state = WebhookState::decode(&state.value)?;
    let now_ms = env.clock().as_unix_ms();
    if !state.changed.is_empty() || state.created_at_ms != record.created_at().as_unix_ms() {
        return Ok(true);
    }
    if !record.settings.active || state.gone_at_version == Some(version) {
        return Ok(false);
    }
    let is_due = state.pending.iter().any(|pending| pending.due_ms <= now_ms);
    let bans_version = bans.map_or(0, |bans| bans.version);
    let has_bans = state.bans_version != bans_version || state.bans_read_until_ms >= now_ms;
    if is_due
        || record.settings.wants(WebhookEvent::PlayerBanned) && has_bans
        || record.settings.wants(WebhookEvent::QuotaNearlyUsed) && are_quotas_due(&state, now_ms)
    {
        return Ok(true);
    }
    if !record.settings.follows_leaderboards() {
        return Ok(false);
    }
    let followed = list_followed(env, tenant, &record, None).await?;
    // The next run continues after the leaderboards of this one.
    if !followed.is_complete {
        return Ok(true);
    }
    are_boards_news(env, (tenant, webhook), &record, &followed.boards).await
}

async fn are_boards_news<E: PipelineEnvironment>(
    env: &E,
    (tenant, webhook): (&TenantId, &str),
    record: &WebhookRecord,
    boards: &[Versioned<Leaderboard>],
) -> Result<bool, StoreError> {
    let names: Vec<_> = boards
        .iter()
        .map(|board| cursor_name(tenant, webhook, &board.value.id))
        .collect();
    let cursors = env.store().read_documents(&names).await?;
    for (board, stored) in boards.iter().zip(cursors) {
        let created_at = record.created_at();
        let Some(cursor) = stored.and_then(|stored| Cursor::decode(&stored.value, created_at)) else {
            return Ok(true);
        };
        if find_next_end(&board.value, &cursor, env.clock()).is_some() {
            return Ok(true);
        }
        // The event at the cursor shows that the log is still the same; one more is new.
        let after = cursor.position.saturating_sub(1);
        let read = env.store().read(tenant, &board.value.id, after, 2).await?;
        let is_known = |position: u64| position == cursor.position && cursor.read_at_ms.is_some();
        if !matches!(read.as_slice(), [only] if is_known(only.position)) {
            return Ok(true);
        }
    }
    Ok(false)
}
