//! Webhooks: create, read, replace, delete, rotate the secret, test, and their state.

use http::StatusCode;
use leaderboard_api::webhook_record::{WebhookRecord, WebhookSettings};
use leaderboard_api::wire::webhook::{WebhookBody, read as read_settings, read_overlap};
use leaderboard_api::wire::webhook_delivery::{AttemptBody, StatusBody};
use leaderboard_api::{Preconditions, Problem, ProblemType, Query, Response, json};
use leaderboard_core::ports::{Documents, Expected};
use leaderboard_core::{TenantId, Versioned};
use leaderboard_identity::token::Hosts;
use leaderboard_identity::webhook_secret::WebhookSecret;
use leaderboard_pipeline::paging::Paging;
use leaderboard_pipeline::{Context, audit};
use leaderboard_responses::ResponseEnvironment;
use leaderboard_webhooks::{
    MAX_WEBHOOKS, create_webhook, find_webhook, list_webhooks, take_place, wake, webhook_name,
};

/// The most webhooks on a page.
const MAX_LIMIT: u32 = 200;

/// Returns a webhook of the tenant.
///
/// # Errors
/// 404 if the tenant has none with this id; 503 if the store is unavailable.
pub(crate) async fn find<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    id: &str,
) -> Result<Versioned<WebhookRecord>, Problem> {
    let found = find_webhook(context.env, context.tenant, id).await?;
    found.ok_or_else(|| Problem::new(ProblemType::WebhookNotFound))
}

/// `GET /webhooks?limit=&cursor=`: lists the webhooks in the order of their ids, without their secrets.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn list<E: ResponseEnvironment>(context: &Context<'_, E>) -> Result<Response, Problem> {
    // The rule of a webhook's id is that of a tenant's.
    let paging = Paging::parse(context.query, MAX_LIMIT, |id| TenantId::new(id).ok())?;
    let after = paging.after.as_ref().map(TenantId::as_str);
    let limit = paging.page_size_and_one();
    let found = list_webhooks(context.env, context.tenant, after, limit).await?;
    paging.page_of(found).respond(
        context,
        "webhooks",
        |(id, _)| id.to_string(),
        |(id, record)| WebhookBody::new(id, record),
    )
}

/// `GET /webhooks/{id}`: returns a webhook without its secret.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn read<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    id: &str,
) -> Result<Response, Problem> {
    Query::parse(context.query, &[])?;
    let there = find(context, id).await?;
    let preconditions = Preconditions::of(context.headers)?;
    if let Some(response) = preconditions.unchanged(there.version)? {
        return Ok(response);
    }
    let body = WebhookBody::new(id, &there.value);
    let response = Response::json(StatusCode::OK, context.accepted, &body)?;
    Ok(response.with_etag(there.version).revalidated())
}

/// `PUT /webhooks/{id}`: creates (201) or replaces (200) a webhook. The response to the request that creates it has its secret, which
/// stays the same when the webhook is replaced. A webhook that its receiver ended (410) is tried again.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn put<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    id: &str,
) -> Result<Response, Problem> {
    Query::parse(context.query, &[])?;
    let preconditions = Preconditions::of(context.headers)?;
    let hosts = if context.env.settings().private_webhook_hosts {
        Hosts::Any
    } else {
        Hosts::Public
    };
    let settings = read_settings(&json::parse(context.body)?, id, hosts)?;
    let there = find_webhook(context.env, context.tenant, id).await?;
    preconditions.expected(there.as_ref().map(|there| there.version))?;
    match there {
        Some(there) => replace(context, id, there, settings, &preconditions).await,
        None => create(context, id, settings).await,
    }
}

async fn create<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    id: &str,
    settings: WebhookSettings,
) -> Result<Response, Problem> {
    if !take_place(context.env, context.tenant, id).await? {
        let detail = format!("The tenant has {MAX_WEBHOOKS} webhooks; delete one that is not needed.");
        return Err(Problem::new(ProblemType::QuotaReached).with_detail(detail));
    }
    let secret = WebhookSecret::from_random(context.env.random()?);
    let record = WebhookRecord::new(settings, &secret, context.now);
    audit::record_audit_event(context).await?;
    let version = create_webhook(context.env, context.tenant, id, &record).await?;
    let version = version.ok_or_else(|| Problem::new(ProblemType::Conflict))?;
    let body = WebhookBody::new(id, &record).with_secret(&secret);
    Ok(Response::json(StatusCode::CREATED, context.accepted, &body)?
        .with_etag(version)
        .with_location(&format!("{}/webhooks/{id}", context.version.base_path())))
}

async fn replace<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    id: &str,
    there: Versioned<WebhookRecord>,
    settings: WebhookSettings,
    preconditions: &Preconditions,
) -> Result<Response, Problem> {
    let record = there.value.with_settings(settings, context.now);
    let version = store(context, id, &record, there.version, preconditions).await?;
    let body = WebhookBody::new(id, &record);
    Ok(Response::json(StatusCode::OK, context.accepted, &body)?.with_etag(version))
}

/// Records the change in the audit log, stores the changed webhook, and lets the next run serve it. Returns the new version.
async fn store<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    id: &str,
    record: &WebhookRecord,
    version: u64,
    preconditions: &Preconditions,
) -> Result<u64, Problem> {
    audit::record_audit_event(context).await?;
    let (store, tenant) = (context.env.store(), context.tenant);
    let expected = Expected::Version(version);
    let stored = store
        .put_document(&webhook_name(tenant, id), &record.encode(), expected)
        .await?;
    let (version, _) = stored.map_err(|mismatch| preconditions.overtaken(mismatch.current))?;
    wake(context.env, tenant, id, record).await?;
    Ok(version)
}

/// `DELETE /webhooks/{id}`: deletes a webhook, and its messages.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn delete<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    id: &str,
) -> Result<Response, Problem> {
    Query::parse(context.query, &[])?;
    let preconditions = Preconditions::of(context.headers)?;
    let there = find(context, id).await?;
    let expected = preconditions.expected(Some(there.version))?;
    audit::record_audit_event(context).await?;
    let name = webhook_name(context.tenant, id);
    let deleted = context.env.store().delete_document(&name, expected).await?;
    // The next runs delete what belongs to the webhook.
    if deleted.map_err(|mismatch| preconditions.overtaken(mismatch.current))? {
        Ok(Response::no_content())
    } else {
        Err(Problem::new(ProblemType::WebhookNotFound))
    }
}

/// `POST /webhooks/{id}/rotate`: gives a webhook a new secret, which only this response shows. The replaced secret also signs messages
/// for some time.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn rotate<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    id: &str,
) -> Result<Response, Problem> {
    Query::parse(context.query, &[])?;
    let preconditions = Preconditions::of(context.headers)?;
    let overlap_s = match context.body {
        [] => read_overlap(&json::parse(b"{}")?)?,
        body => read_overlap(&json::parse(body)?)?,
    };
    let there = find(context, id).await?;
    preconditions.expected(Some(there.version))?;
    let secret = WebhookSecret::from_random(context.env.random()?);
    let record = there.value.with_secret(&secret, overlap_s, context.now);
    let version = store(context, id, &record, there.version, &preconditions).await?;
    let body = WebhookBody::new(id, &record).with_secret(&secret);
    Ok(Response::json(StatusCode::OK, context.accepted, &body)?.with_etag(version))
}

/// `POST /webhooks/{id}/ping`: sends a test message at once, and returns what came of it.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn ping<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    id: &str,
) -> Result<Response, Problem> {
    Query::parse(context.query, &[])?;
    let there = find(context, id).await?;
    audit::record_audit_event(context).await?;
    let attempt = leaderboard_webhooks::ping(context.env, context.tenant, id, &there.value).await?;
    Response::json(StatusCode::OK, context.accepted, &AttemptBody::new(&attempt))
}

/// `GET /webhooks/{id}/status`: shows whether a webhook gets its messages, and the last attempts.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn read_status<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    id: &str,
) -> Result<Response, Problem> {
    Query::parse(context.query, &[])?;
    let there = find(context, id).await?;
    let status = leaderboard_webhooks::read_status(context.env, context.tenant, id, &there).await?;
    Response::json(StatusCode::OK, context.accepted, &StatusBody::new(id, &status))
}
