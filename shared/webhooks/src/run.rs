//! A delivery run: serves the webhooks of all tenants that are due.

use futures::StreamExt;
use futures::stream;
use leaderboard_api::tenant_record::TenantState;
use leaderboard_api::webhook_record::WebhookRecord;
use leaderboard_core::ports::Documents;
use leaderboard_core::{StoreError, Timestamp};
use leaderboard_pipeline::PipelineEnvironment;
use leaderboard_tenant_config::TenantConfig;

use crate::names::{state_name, webhook_name};
use crate::peek::has_news;
use crate::state::{StoredState, WebhookState};
use crate::sweep::sweep;
use crate::turn::{self, DueWebhook};
use crate::worker::{Counts, Worker};
use crate::{board, tenant};

/// How many webhooks are served at the same time.
const SERVED_AT_ONCE: usize = 16;
/// A run begins no further attempt after this time, in milliseconds. The last attempts can take ten seconds more.
const MAX_RUN_MS: i64 = 5_000;
/// How soon a webhook without deliveries is looked at again, in milliseconds: it is paused, or its tenant is suspended.
const IDLE_MS: i64 = 5_000;
/// How long the turn of a webhook without a document is kept, in milliseconds: the turn is created before the webhook.
const CREATION_MS: i64 = 60_000;

/// What a delivery run did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DeliveryReport {
    /// The webhooks that had something to send, or were tidied up.
    pub webhooks: usize,
    /// The messages that were delivered.
    pub delivered: usize,
    /// The attempts that failed.
    pub failed: usize,
}

/// Serves the webhooks of all tenants that are due, in the order of [`turn::list_due`], for about [`MAX_RUN_MS`]. Other runs can go on
/// at the same time, in any region: each webhook is served by one of them.
///
/// # Errors
/// The first [`StoreError`] of a webhook, after the others were served. That webhook is served again when its lease has ended.
pub async fn deliver_due<E: PipelineEnvironment>(env: &E) -> Result<DeliveryReport, StoreError> {
    let deadline = env.clock().saturating_add_ms(MAX_RUN_MS);
    let due = turn::list_due(env).await?;
    let served = stream::iter(due).map(|due| serve(env, due, deadline));
    let served: Vec<_> = served.buffer_unordered(SERVED_AT_ONCE).collect().await;
    let mut report = DeliveryReport::default();
    let mut failure = None;
    for served in served {
        match served {
            Ok(Some(counts)) => {
                report.webhooks += 1;
                report.delivered += counts.delivered;
                report.failed += counts.failed;
            }
            Ok(None) => {}
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    failure.map_or(Ok(report), Err)
}

/// Serves one webhook; `None` if it has nothing to send, another run serves it, or no time is left.
async fn serve<E: PipelineEnvironment>(
    env: &E,
    mut due: DueWebhook,
    deadline: Timestamp,
) -> Result<Option<Counts>, StoreError> {
    if env.clock() >= deadline || !has_news(env, &due).await? || !turn::claim(env, &mut due).await? {
        return Ok(None);
    }
    let (tenant, webhook) = (due.tenant.clone(), due.webhook.clone());
    let names = [webhook_name(&tenant, &webhook), state_name(&tenant, &webhook)];
    let found = env.store().read_documents(&names).await?;
    let mut found = found.into_iter();
    let (record, state) = (found.next().flatten(), found.next().flatten());
    let now_ms = env.clock().as_unix_ms();
    let Some(record) = record else {
        let is_new = now_ms.saturating_sub(due.turn.created_at_ms) < CREATION_MS;
        if !is_new && sweep(env, &tenant, &webhook, None).await? {
            turn::delete(env, &due).await?;
        } else {
            turn::release(env, due, now_ms).await?;
        }
        return Ok(None);
    };
    let (record, version) = (WebhookRecord::decode(&record.value)?, record.version);
    let created_at_ms = record.created_at().as_unix_ms();
    let (state, state_version) = match state {
        Some(stored) => (WebhookState::decode(&stored.value)?, Some(stored.version)),
        None => (WebhookState::new(&record), None),
    };
    let state = if state.created_at_ms == created_at_ms {
        state
    } else if sweep(env, &tenant, &webhook, Some(created_at_ms)).await? {
        WebhookState::new(&record)
    } else {
        // An earlier webhook with this id left more than one run removes.
        turn::release(env, due, now_ms).await?;
        return Ok(None);
    };
    let stored = StoredState::new(state, state_version);
    let worker = Worker::new(env, (&tenant, &*webhook), (&record, version), stored, deadline);
    let (counts, next_ms) = send_messages(worker).await?;
    turn::release(env, due, next_ms).await?;
    Ok(Some(counts))
}

/// Sends what is due, then what is new. Returns what was done, and when the webhook is served next, in milliseconds since the epoch.
///
/// # Errors
/// [`StoreError`]. The next run continues where the last one stored what it did.
async fn send_messages<E: PipelineEnvironment>(
    mut worker: Worker<'_, E>,
) -> Result<(Counts, i64), StoreError> {
    let tenant_config = TenantConfig::load(worker.env, worker.tenant).await?;
    let is_suspended = tenant_config.tenant.state == TenantState::Suspended;
    let settings = &worker.record.settings;
    worker.take_changed();
    if settings.active && !is_suspended {
        worker.send_due().await?;
        if worker.has_room() {
            tenant::send_new(&mut worker, &tenant_config).await?;
        }
        if settings.follows_leaderboards() && worker.has_room() {
            board::send_new(&mut worker).await?;
        }
    }
    worker.save().await?;
    let now_ms = worker.env.clock().as_unix_ms();
    let is_idle = !settings.active || is_suspended || worker.is_gone();
    let next_ms = if is_idle { now_ms + IDLE_MS } else { now_ms };
    Ok((worker.counts(), next_ms.max(worker.stored.state.open_until_ms)))
}
