//! The records and the usage of tenants. A tenant without a record has the defaults: it is active and has no quotas.

use http::StatusCode;
use leaderboard_core::ports::{DocumentKind, Documents, Expected, RateLimits, USAGE_DAYS, VersionMismatch};
use leaderboard_core::{StoreError, TenantId, Versioned};

use leaderboard_api::tenant_record::TenantRecord;
use leaderboard_api::wire::tenant::{TenantBody, UsageBody, leaves_tokens_out, read as read_document};
use leaderboard_api::{Preconditions, Problem, ProblemType, Query, Response, json};
use leaderboard_pipeline::documents::{apply_patch, read_patch};
use leaderboard_pipeline::paging::Paging;
use leaderboard_pipeline::{Context, audit};
use leaderboard_responses::ResponseEnvironment;
use leaderboard_tenant_config::{TenantConfig, tenant_record_name};

/// The most tenants on a page.
const MAX_LIMIT: u32 = 200;
/// How many days of usage are returned if the request does not say.
const DEFAULT_DAYS: u32 = 30;
/// How often a change is applied again because another request changed the record at the same time.
const MAX_ATTEMPTS: u32 = 4;

/// `GET /tenants?limit=&cursor=`: lists the records, in order of their ids.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn list<E: ResponseEnvironment>(context: &Context<'_, E>) -> Result<Response, Problem> {
    let paging = Paging::parse(context.query, MAX_LIMIT, |id| TenantId::new(id).ok())?;
    let after = paging.after.as_ref().map(TenantId::as_str);
    let store = context.env.store();
    let found = store
        .list_documents(None, DocumentKind::Tenant, after, paging.page_size_and_one())
        .await?;
    let page = paging.page_of(found).try_map(|(id, document)| {
        let id = TenantId::new(id).map_err(|_| corrupt("a tenant's record has no tenant's id"))?;
        Ok::<_, Problem>((id, parsed(&document.value)?))
    })?;
    page.respond(
        context,
        "tenants",
        |(id, _)| id.to_string(),
        |(id, record)| TenantBody::new(id, record),
    )
}

/// `GET /tenants/{id}`: returns the record with its entity tag; 304 if the client has it already.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn read<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    id: TenantId,
) -> Result<Response, Problem> {
    Query::parse(context.query, &[])?;
    let preconditions = Preconditions::of(context.headers)?;
    let there = current(context, &id).await?;
    if let Some(response) = preconditions.unchanged(there.version)? {
        return Ok(response);
    }
    document(context, StatusCode::OK, &id, &there.value, there.version).map(Response::revalidated)
}

/// `PUT /tenants/{id}`: creates (201) or replaces (200) the record. If the document does not name a revocation of tokens, the
/// stored one stays.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn put<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    id: TenantId,
) -> Result<Response, Problem> {
    Query::parse(context.query, &[])?;
    let preconditions = Preconditions::of(context.headers)?;
    let tree = json::parse(context.body)?;
    let mut record = read_document(&tree, &id)?;
    let keeps_tokens = leaves_tokens_out(&tree);
    for _ in 0..MAX_ATTEMPTS {
        let mut expected = Expected::Any;
        if keeps_tokens || preconditions.exist() {
            let there = stored(context, &id).await?;
            let version = there.as_ref().map(|there| there.version);
            preconditions.expected(version)?;
            // Replaces only the version that was read, so that a concurrent change is not lost.
            expected = version.map_or(Expected::Absent, Expected::Version);
            if keeps_tokens {
                record.tokens_not_before_ms = there.and_then(|there| there.value.tokens_not_before_ms);
            }
        }
        audit::record_audit_event(context).await?;
        match keep(context, &id, &record, expected).await? {
            Ok((version, true)) => {
                return Ok(document(context, StatusCode::CREATED, &id, &record, version)?
                    .with_location(&format!("{}/tenants/{id}", context.version.base_path())));
            }
            Ok((version, false)) => return document(context, StatusCode::OK, &id, &record, version),
            Err(mismatch) if preconditions.exist() => {
                return Err(preconditions.overtaken(mismatch.current));
            }
            Err(_) => {}
        }
    }
    Err(Problem::new(ProblemType::Conflict))
}

/// `PATCH /tenants/{id}`: applies a merge patch (RFC 7396), such as `{"state": "suspended"}`, to the document that `GET` returns.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn patch<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    id: TenantId,
) -> Result<Response, Problem> {
    Query::parse(context.query, &[])?;
    let preconditions = Preconditions::of(context.headers)?;
    let patch = read_patch(context)?;
    for _ in 0..MAX_ATTEMPTS {
        let there = current(context, &id).await?;
        preconditions.expected(Some(there.version))?;
        let body = TenantBody::new(&id, &there.value);
        let record = apply_patch(&body, &patch, |merged| read_document(merged, &id))?;
        audit::record_audit_event(context).await?;
        if let Ok((version, _)) = keep(context, &id, &record, Expected::Version(there.version)).await? {
            return document(context, StatusCode::OK, &id, &record, version);
        }
    }
    Err(Problem::new(ProblemType::Conflict))
}

/// `GET /tenant`: returns the record of the credential's tenant, and what the tenant has stored now.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn own<E: ResponseEnvironment>(context: &Context<'_, E>) -> Result<Response, Problem> {
    Query::parse(context.query, &[])?;
    let record = stored(context, context.tenant).await?;
    let record = record.map(|there| there.value).unwrap_or_default();
    let (_, holdings) = context.env.store().usage(context.tenant, 1).await?;
    let body = TenantBody::new(context.tenant, &record).with_holdings(holdings);
    Response::json(StatusCode::OK, context.accepted, &body)
}

/// `GET /tenant/usage?days=` and `GET /tenants/{id}/usage?days=`: returns the newest days (UTC) with usage, and what the tenant
/// has stored now.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn usage<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    tenant: &TenantId,
) -> Result<Response, Problem> {
    let query = Query::parse(context.query, &["days"])?;
    let days = query.integer("days", 1, USAGE_DAYS)?.unwrap_or(DEFAULT_DAYS);
    let (days, holdings) = context.env.store().usage(tenant, days).await?;
    Response::json(
        StatusCode::OK,
        context.accepted,
        &UsageBody::new(tenant, &days, holdings),
    )
}

async fn current<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    id: &TenantId,
) -> Result<Versioned<TenantRecord>, Problem> {
    stored(context, id)
        .await?
        .ok_or_else(|| Problem::new(ProblemType::TenantNotFound))
}

/// Reads the record from the store, not from the cache.
async fn stored<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    id: &TenantId,
) -> Result<Option<Versioned<TenantRecord>>, Problem> {
    let store = context.env.store();
    let found = store.read_document(&tenant_record_name(id)).await?;
    let parsed = found.map(|document| document.try_map(|body| parsed(&body)));
    parsed.transpose()
}

fn parsed(body: &[u8]) -> Result<TenantRecord, Problem> {
    serde_json::from_slice(body).map_err(|error| corrupt(&format!("a tenant's record: {error}")))
}

fn corrupt(what: &str) -> Problem {
    StoreError::Corrupt(what.to_owned()).into()
}

/// Stores the record and announces it to every region. Returns its version and whether it is new; the inner error means that the
/// store has another version than expected.
async fn keep<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    id: &TenantId,
    record: &TenantRecord,
    expected: Expected,
) -> Result<Result<(u64, bool), VersionMismatch>, Problem> {
    let body = serde_json::to_vec(record)
        .map_err(|error| Problem::internal(format!("a tenant's record cannot be written: {error}")))?;
    let store = context.env.store();
    let kept = store
        .put_document(&tenant_record_name(id), &body, expected)
        .await?;
    if kept.is_ok() {
        TenantConfig::publish_change(context.env, Some(id)).await;
    }
    Ok(kept)
}

fn document<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    status: StatusCode,
    id: &TenantId,
    record: &TenantRecord,
    version: u64,
) -> Result<Response, Problem> {
    Ok(Response::json(status, context.accepted, &TenantBody::new(id, record))?.with_etag(version))
}
