//! Events about the tenant: banned players, and quotas that are nearly used.

use leaderboard_api::webhook_record::WebhookEvent;
use leaderboard_api::wire::webhook_message::{player_banned, quota_nearly_used};
use leaderboard_core::ports::{Ban, Bans, DocumentKind, Documents, RateLimits};
use leaderboard_core::{PlayerId, StoreError};
use leaderboard_pipeline::PipelineEnvironment;
use leaderboard_tenant_config::{TenantConfig, single_document_name};

use crate::message::{About, Message, of_problem};
use crate::state::WebhookState;
use crate::worker::Worker;

/// How many bans one command lists.
const BANS_AT_ONCE: u32 = 1_000;
/// How many bans one run reports.
const REPORTED_AT_ONCE: usize = 200;
/// A ban is reported after this time, in milliseconds: the clocks of two instances that ban players can differ by it.
const SETTLED_MS: i64 = 2_000;
/// How long bans are read after the last change of the document of bans, in milliseconds: the document changes before the ban is
/// stored.
const READ_FOR_MS: i64 = 60_000;
/// How often quotas are checked, in milliseconds.
const QUOTA_INTERVAL_MS: i64 = 60_000;
/// The part of a quota from which on it is nearly used, in hundredths.
const NEARLY_USED_PERCENT: u128 = 90;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Sends messages of new bans, and of quotas that are nearly used.
///
/// # Errors
/// [`StoreError`].
pub(crate) async fn send_new<E: PipelineEnvironment>(
    worker: &mut Worker<'_, E>,
    tenant_config: &TenantConfig,
) -> Result<(), StoreError> {
    let settings = &worker.record.settings;
    let mut messages = Vec::new();
    if settings.wants(WebhookEvent::PlayerBanned) {
        messages.extend(find_bans(worker).await?);
    }
    if settings.wants(WebhookEvent::QuotaNearlyUsed) {
        messages.extend(check_quotas(worker, tenant_config).await?);
    }
    messages.retain(|message| !worker.stored.state.has_message(&message.id));
    if messages.is_empty() {
        return Ok(());
    }
    worker.send_all(messages).await?;
    worker.save().await
}

/// Returns messages of the bans since the last one that was seen. The log of each leaderboard has a ban, too, but only when the next
/// request meets it there.
async fn find_bans<E: PipelineEnvironment>(worker: &mut Worker<'_, E>) -> Result<Vec<Message>, StoreError> {
    let now = worker.env.clock();
    let now_ms = now.as_unix_ms();
    let name = single_document_name(Some(worker.tenant), DocumentKind::Bans);
    let document = worker.env.store().read_document(&name).await?;
    let version = document.map_or(0, |document| document.version);
    let state = worker.state();
    if state.bans_version != version {
        state.bans_version = version;
        state.bans_read_until_ms = now_ms.saturating_add(READ_FOR_MS);
    }
    if state.bans_read_until_ms < now_ms {
        return Ok(Vec::new());
    }
    let mut new = list_new_bans(worker, now_ms.saturating_sub(SETTLED_MS)).await?;
    new.sort_by_key(order);
    if new.len() > REPORTED_AT_ONCE {
        new.truncate(REPORTED_AT_ONCE);
        // The rest is reported also if the receiver is left alone for long before the next run.
        worker.state().bans_read_until_ms = i64::MAX;
    } else if worker.state().bans_read_until_ms == i64::MAX {
        worker.state().bans_read_until_ms = now_ms.saturating_add(READ_FOR_MS);
    }
    let mut messages = Vec::new();
    for ban in &new {
        let data = player_banned(ban).map_err(of_problem)?;
        let key = format!("{}/{}", ban.banned_at.as_unix_ms(), ban.player);
        let about = About {
            key: &key,
            subject: Some(ban.player.as_str()),
            at: ban.banned_at,
            ..worker.about_tenant(WebhookEvent::PlayerBanned)
        };
        messages.push(Message::new(&about, &data)?);
    }
    if let Some(last) = new.last() {
        worker.state().bans_seen = order(last);
    }
    Ok(messages)
}

/// Returns the place of a ban in the order in which bans are reported.
fn order(ban: &Ban) -> (i64, String) {
    (ban.banned_at.as_unix_ms(), ban.player.as_str().to_owned())
}

/// Returns the bans after the last one that was seen, up to an instant.
async fn list_new_bans<E: PipelineEnvironment>(
    worker: &Worker<'_, E>,
    until_ms: i64,
) -> Result<Vec<Ban>, StoreError> {
    let seen = &worker.stored.state.bans_seen;
    let (store, now) = (worker.env.store(), worker.env.clock());
    let mut new = Vec::new();
    let mut after: Option<PlayerId> = None;
    loop {
        let page = store
            .list_bans(worker.tenant, after.as_ref(), BANS_AT_ONCE, now)
            .await?;
        let is_last = u32::try_from(page.len()).is_ok_and(|listed| listed < BANS_AT_ONCE);
        after = page.last().map(|ban| ban.player.clone());
        new.extend(
            page.into_iter()
                .filter(|ban| order(ban) > *seen && ban.banned_at.as_unix_ms() <= until_ms),
        );
        if is_last || after.is_none() {
            return Ok(new);
        }
    }
}

/// Returns whether quotas are to be checked.
pub(crate) const fn are_quotas_due(state: &WebhookState, now_ms: i64) -> bool {
    now_ms.saturating_sub(state.quotas_checked_ms) >= QUOTA_INTERVAL_MS
}

/// Returns messages of quotas that are nearly used: one for each quota until it is less used again, and one each day for requests.
async fn check_quotas<E: PipelineEnvironment>(
    worker: &mut Worker<'_, E>,
    tenant_config: &TenantConfig,
) -> Result<Vec<Message>, StoreError> {
    let now = worker.env.clock();
    let now_ms = now.as_unix_ms();
    let quotas = &tenant_config.tenant.quotas;
    let limits = [
        ("requests_per_day", quotas.requests_per_day),
        ("entries", quotas.entries),
        ("leaderboards", quotas.leaderboards),
        ("log_bytes", quotas.log_bytes),
    ];
    if !are_quotas_due(&worker.stored.state, now_ms) {
        return Ok(Vec::new());
    }
    worker.state().quotas_checked_ms = now_ms;
    if limits.iter().all(|(_, limit)| limit.is_none()) {
        return Ok(Vec::new());
    }
    let (days, stored) = worker.env.store().usage(worker.tenant, 1).await?;
    let today = u32::try_from(now_ms.div_euclid(DAY_MS)).unwrap_or_default();
    let requests = days.first().filter(|day| day.day == today);
    let used = [
        requests.map_or(0, |day| day.usage.requests),
        stored.entries,
        stored.leaderboards,
        stored.log_bytes,
    ];
    let mut messages = Vec::new();
    for ((quota, limit), used) in limits.into_iter().zip(used) {
        let Some(limit) = limit else { continue };
        let period = if quota == "requests_per_day" { today } else { 0 };
        let is_nearly_used = u128::from(used) * 100 >= u128::from(limit) * NEARLY_USED_PERCENT;
        if !is_nearly_used {
            worker.state().quotas_reported.remove(quota);
            continue;
        }
        let reported = worker.state().quotas_reported.insert(quota.to_owned(), period);
        if reported == Some(period) {
            continue;
        }
        let data = quota_nearly_used(quota, used, limit).map_err(of_problem)?;
        let key = format!("{quota}/{now_ms}");
        let about = About {
            key: &key,
            subject: Some(quota),
            at: now,
            ..worker.about_tenant(WebhookEvent::QuotaNearlyUsed)
        };
        messages.push(Message::new(&about, &data)?);
    }
    Ok(messages)
}
