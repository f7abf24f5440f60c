//! API keys of a tenant: create, list, rotate, revoke. A change needs the store.

use http::StatusCode;
use leaderboard_core::ports::{DocumentKind, Documents, Expected};
use leaderboard_core::{StoreError, Timestamp, Versioned};
use leaderboard_identity::api_key::{
    ApiKey, ApiKeyRecord, KeyId, KeyRequest, MAX_FORMER_SECRETS, TooManySecrets,
};

use leaderboard_api::wire::key::{KeyBody, read as read_terms, read_overlap};
use leaderboard_api::{FieldError, Preconditions, Problem, ProblemType, Query, Response, json};
use leaderboard_auth::keys;
use leaderboard_pipeline::idempotency::KeyedRequest;
use leaderboard_pipeline::paging::Paging;
use leaderboard_pipeline::{Context, audit, idempotency};
use leaderboard_responses::ResponseEnvironment;

/// The most keys of one tenant, including revoked ones that are not removed yet.
const MAX_KEYS: u32 = 200;
/// How often a change is applied again because another request changed the key at the same time.
const MAX_ATTEMPTS: u32 = 4;

/// What a change does if the store has no memory for the changed record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum WithoutRoom {
    /// The record stays as it is, and the request is refused.
    Keep,
    /// The record is removed, which needs no memory.
    Remove,
}

/// `POST /keys`: creates a key. Only this response contains the secret.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn create<E: ResponseEnvironment>(context: &Context<'_, E>) -> Result<Response, Problem> {
    Query::parse(context.query, &[])?;
    let terms = read_terms(&json::parse(context.body)?, context.now)?;
    let (env, tenant) = (context.env, context.tenant);
    let keyed = KeyedRequest::of(context, "create")?;
    let made = match &keyed {
        None => ApiKey::generate(tenant, &env.random()?),
        // The id follows from the request, so that a retry meets the key that the first one made.
        Some(keyed) => ApiKey::rotate(tenant, KeyId::of_digest(&keyed.name), &env.random()?),
    };
    let record = ApiKeyRecord {
        id: made.id,
        tenant: tenant.clone(),
        name: terms.name,
        scopes: terms.scopes,
        created_at: context.now,
        expires_at: terms.expires_at,
        revoked_at: None,
        allowed_addresses: terms.allowed_addresses,
        token_addresses: terms.token_addresses,
        digest: made.digest,
        former: Vec::new(),
        requests: keyed
            .iter()
            .map(|keyed| key_request(keyed, context.now))
            .collect(),
    };
    let store = env.store();
    let name = keys::key_document_name(tenant, made.id);
    if let Some(keyed) = &keyed
        && let Some(there) = find(context, made.id).await?
    {
        return Err(made_already(keyed, &there.value));
    }
    if count(context).await? >= MAX_KEYS {
        return Err(too_many());
    }
    audit::record_audit_event(context).await?;
    let kept = store
        .put_document(&name, &record.encode(), Expected::Absent)
        .await?;
    // The id exists. A random id: a retry gets another one. An id from an idempotency key: the same request is in progress.
    let (version, _) = kept.map_err(|_| Problem::new(ProblemType::Conflict))?;
    // A concurrent request may have counted too. Nobody has seen this key yet, so it can be removed again.
    if count(context).await? > MAX_KEYS {
        let deleted = store.delete_document(&name, Expected::Version(version)).await?;
        deleted.map_err(|_| Problem::new(ProblemType::Conflict))?;
        return Err(too_many());
    }
    let body = KeyBody::new(&record).with_key(&made.text);
    Ok(Response::json(StatusCode::CREATED, context.accepted, &body)?
        .with_etag(version)
        .with_location(&format!("{}/keys/{}", context.version.base_path(), made.id)))
}

fn too_many() -> Problem {
    let detail = format!("The tenant has {MAX_KEYS} keys; remove those that were revoked.");
    Problem::new(ProblemType::QuotaReached).with_detail(detail)
}

fn key_request(keyed: &KeyedRequest, at: Timestamp) -> KeyRequest {
    KeyRequest {
        name: keyed.name,
        body: keyed.body,
        at,
    }
}

/// Returns the response to a repeated request that has already created this key. The secret is not stored, so it cannot be shown.
fn made_already(keyed: &KeyedRequest, record: &ApiKeyRecord) -> Problem {
    let (id, at) = (record.id, record.created_at);
    if record
        .requests
        .iter()
        .any(|known| known.name == keyed.name && known.body != keyed.body)
    {
        return conflict();
    }
    already_done(&format!(
        "The key {id} was made at {at} by a request with this Idempotency-Key, and its secret was shown then. \
         Rotate it for another secret, with another Idempotency-Key."
    ))
}

/// Refuses a request that has rotated this key before.
fn check_rotation(keyed: &KeyedRequest, record: &ApiKeyRecord, now: Timestamp) -> Result<(), Problem> {
    match record.request(&keyed.name, now) {
        None => Ok(()),
        Some(known) if known.body != keyed.body => Err(conflict()),
        Some(known) => Err(already_done(&format!(
            "The key {} was rotated at {} by a request with this Idempotency-Key, and its secret was shown then. \
             Rotate it again, with another Idempotency-Key.",
            record.id, known.at
        ))),
    }
}

fn conflict() -> Problem {
    let error = FieldError::header(idempotency::NAME, "was used with another body");
    Problem::new(ProblemType::IdConflict).with_error(error)
}

fn already_done(detail: &str) -> Problem {
    let error = FieldError::header(idempotency::NAME, "was used before");
    Problem::new(ProblemType::AlreadyDone)
        .with_detail(detail)
        .with_error(error)
}

/// Counts the tenant's keys, up to one more than the limit.
async fn count<E: ResponseEnvironment>(context: &Context<'_, E>) -> Result<u32, Problem> {
    let (store, tenant) = (context.env.store(), Some(context.tenant));
    let there = store
        .list_documents(tenant, DocumentKind::Key, None, MAX_KEYS.saturating_add(1))
        .await?;
    Ok(u32::try_from(there.len()).unwrap_or(u32::MAX))
}

/// `GET /keys?limit=&cursor=`: lists the keys in order of their ids, including revoked keys.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn list<E: ResponseEnvironment>(context: &Context<'_, E>) -> Result<Response, Problem> {
    let paging = Paging::parse(context.query, MAX_KEYS, |id| {
        KeyId::parse(id).map(|id| id.to_string())
    })?;
    let (tenant, after) = (Some(context.tenant), paging.after.as_deref());
    let store = context.env.store();
    let found = store
        .list_documents(tenant, DocumentKind::Key, after, paging.page_size_and_one())
        .await?;
    let page = paging
        .page_of(found)
        .try_map(|(_, document)| keys::decode_key_record(&document.value))?;
    page.respond(context, "keys", |record| record.id.to_string(), KeyBody::new)
}

/// `GET /keys/{id}`: returns the record of a key, without its secret.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn read<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    id: KeyId,
) -> Result<Response, Problem> {
    Query::parse(context.query, &[])?;
    let there = stored(context, id).await?;
    let preconditions = Preconditions::of(context.headers)?;
    if let Some(response) = preconditions.unchanged(there.version)? {
        return Ok(response);
    }
    let body = KeyBody::new(&there.value);
    let response = Response::json(StatusCode::OK, context.accepted, &body)?;
    Ok(response.with_etag(there.version).revalidated())
}

/// `POST /keys/{id}/rotate`: creates a new secret, which only this response contains. The previous secret stays valid for
/// `overlap_s` seconds.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn rotate<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    id: KeyId,
) -> Result<Response, Problem> {
    Query::parse(context.query, &[])?;
    let overlap_s = match context.body {
        [] => read_overlap(&json::parse(b"{}")?)?,
        body => read_overlap(&json::parse(body)?)?,
    };
    let keyed = KeyedRequest::of(context, &format!("rotate {id}"))?;
    let made = ApiKey::rotate(context.tenant, id, &context.env.random()?);
    let (version, record) = change(context, id, WithoutRoom::Keep, |record| {
        if record.revoked_at.is_some() {
            return Err(Problem::new(ProblemType::Conflict).with_detail("The key was revoked."));
        }
        if let Some(keyed) = &keyed {
            check_rotation(keyed, record, context.now)?;
            record.add_request(key_request(keyed, context.now));
        }
        record
            .replace_secret(made.digest, context.now, overlap_s)
            .map_err(too_many_secrets)
    })
    .await?;
    let body = KeyBody::new(&record).with_key(&made.text);
    Ok(Response::json(StatusCode::OK, context.accepted, &body)?.with_etag(version))
}

fn too_many_secrets(TooManySecrets { until }: TooManySecrets) -> Problem {
    let detail = format!(
        "{MAX_FORMER_SECRETS} former secrets of the key are still good, the next of them until {until}. \
         Rotate with an overlap_s of 0, or revoke the key."
    );
    Problem::new(ProblemType::QuotaReached).with_detail(detail)
}

/// `DELETE /keys/{id}`: revokes a key everywhere within five seconds. Removes a key that is already revoked. Also removes a key
/// if a full store has no memory for its revoked record, because a leaked key must stop working at once.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn revoke<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    id: KeyId,
) -> Result<Response, Problem> {
    Query::parse(context.query, &[])?;
    let there = stored(context, id).await?;
    if there.value.revoked_at.is_none() {
        let (..) = change(context, id, WithoutRoom::Remove, |record| {
            record.revoked_at.get_or_insert(context.now);
            Ok(())
        })
        .await?;
        return Ok(Response::no_content());
    }
    let preconditions = Preconditions::of(context.headers)?;
    let expected = preconditions.expected(Some(there.version))?;
    let name = keys::key_document_name(context.tenant, id);
    audit::record_audit_event(context).await?;
    let deleted = context.env.store().delete_document(&name, expected).await?;
    deleted.map_err(|mismatch| preconditions.overtaken(mismatch.current))?;
    keys::invalidate_key_record(context.env, context.tenant, id).await;
    Ok(Response::no_content())
}

/// Reads the record from the store, not from the cache.
async fn stored<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    id: KeyId,
) -> Result<Versioned<ApiKeyRecord>, Problem> {
    find(context, id)
        .await?
        .ok_or_else(|| Problem::new(ProblemType::KeyNotFound))
}

/// Reads the record of a key from the store; `None` if the tenant has no such key.
async fn find<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    id: KeyId,
) -> Result<Option<Versioned<ApiKeyRecord>>, Problem> {
    let name = keys::key_document_name(context.tenant, id);
    let found = context.env.store().read_document(&name).await?;
    let decoded = found.map(|document| document.try_map(|record| keys::decode_key_record(&record)));
    Ok(decoded.transpose()?)
}

/// Changes a record, and returns its new version and its new content. If the store has no memory for the change and the record
/// was removed instead, returns the old version and the content that the record would have.
///
/// # Errors
/// The problem to answer with.
async fn change<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    id: KeyId,
    without_room: WithoutRoom,
    edit: impl Fn(&mut ApiKeyRecord) -> Result<(), Problem>,
) -> Result<(u64, ApiKeyRecord), Problem> {
    let preconditions = Preconditions::of(context.headers)?;
    for _ in 0..MAX_ATTEMPTS {
        let there = stored(context, id).await?;
        preconditions.expected(Some(there.version))?;
        let mut record = there.value;
        edit(&mut record)?;
        audit::record_audit_event(context).await?;
        let name = keys::key_document_name(context.tenant, id);
        let expected = Expected::Version(there.version);
        let store = context.env.store();
        let kept = match store.put_document(&name, &record.encode(), expected).await {
            Err(StoreError::OutOfMemory(_)) if without_room == WithoutRoom::Remove => {
                let deleted = store.delete_document(&name, expected).await?;
                deleted.map(|_| there.version)
            }
            put => put?.map(|(version, _)| version),
        };
        if let Ok(version) = kept {
            keys::invalidate_key_record(context.env, context.tenant, id).await;
            return Ok((version, record));
        }
    }
    Err(Problem::new(ProblemType::Conflict))
}
