//! Sets of feature flags, as documents: each tenant's own, and the operator's, which holds where a tenant says nothing.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use leaderboard_core::ports::{DocumentKind, DocumentName, Documents, Expected};
use leaderboard_core::{TenantId, Versioned};
use leaderboard_flags::{FlagProblem, FlagSet};

use crate::edge::{Knowledge, check_own, only};
use crate::endpoint::Context;
use crate::environment::Environment;
use crate::json;
use crate::limits::Scope;
use crate::pipeline::Preconditions;
use crate::problem::{FieldError, Problem, ProblemType};
use crate::query::Query;
use crate::response::Response;

/// How deep a flagd document may be nested: rules are deeper than other documents.
const MAX_DEPTH: usize = 104;

/// `GET /flags`, `GET /operator/flags`: the document as it was put, with its entity tag; 304 when the client has it.
///
/// # Errors
/// The problem to answer with.
pub async fn read<E: Environment>(context: &Context<'_, E>, scope: Scope) -> Result<Response, Problem> {
    Query::parse(context.query, &[])?;
    let preconditions = Preconditions::of(context.headers)?;
    let there = stored(context, scope).await?.ok_or_else(none)?;
    if !preconditions.match_holds(Some(there.version)) {
        return Err(Problem::new(ProblemType::PreconditionFailed));
    }
    if !preconditions.none_match_holds(Some(there.version)) {
        return Ok(Response::empty(StatusCode::NOT_MODIFIED)
            .with_etag(there.version)
            .revalidated());
    }
    Ok(document(context, StatusCode::OK, there.value, there.version).revalidated())
}

/// `PUT /flags`, `PUT /operator/flags`: creates (201) or replaces (200) the set with a flagd document.
///
/// # Errors
/// The problem to answer with; one with the document names places in it.
pub async fn put<E: Environment>(context: &Context<'_, E>, scope: Scope) -> Result<Response, Problem> {
    Query::parse(context.query, &[])?;
    let preconditions = Preconditions::of(context.headers)?;
    let set = check(context.body)?;
    check_own(&set, &context.tenant, context.now)?;
    let expected = expected(context, scope, &preconditions).await?;
    let name = name(context, scope);
    let put = context
        .env
        .store()
        .put_document(&name, context.body, expected)
        .await?;
    let (version, created) = put.map_err(|_| Problem::new(ProblemType::PreconditionFailed))?;
    changed(context, scope).await;
    let status = if created {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    Ok(document(context, status, context.body.to_vec(), version))
}

/// `DELETE /flags`, `DELETE /operator/flags`: 204.
///
/// # Errors
/// The problem to answer with.
pub async fn delete<E: Environment>(context: &Context<'_, E>, scope: Scope) -> Result<Response, Problem> {
    Query::parse(context.query, &[])?;
    let preconditions = Preconditions::of(context.headers)?;
    let expected = expected(context, scope, &preconditions).await?;
    let name = name(context, scope);
    let deleted = context.env.store().delete_document(&name, expected).await?;
    let deleted = deleted.map_err(|_| Problem::new(ProblemType::PreconditionFailed))?;
    changed(context, scope).await;
    if deleted {
        Ok(Response::no_content())
    } else {
        Err(none())
    }
}

/// What the store must find, once the preconditions hold for what is there now.
async fn expected<E: Environment>(
    context: &Context<'_, E>,
    scope: Scope,
    preconditions: &Preconditions,
) -> Result<Expected, Problem> {
    let there = if preconditions.exist() {
        stored(context, scope).await?.map(|there| there.version)
    } else {
        None
    };
    preconditions.expected(there)
}

/// The document as the store has it now, not a copy.
async fn stored<E: Environment>(
    context: &Context<'_, E>,
    scope: Scope,
) -> Result<Option<Versioned<Vec<u8>>>, Problem> {
    let name = name(context, scope);
    let found = context.env.store().read_documents(&[name]).await?;
    Ok(found.into_iter().next().flatten())
}

fn name<E>(context: &Context<'_, E>, scope: Scope) -> DocumentName {
    only(whose(context, scope), DocumentKind::Flags)
}

fn whose<'c, E>(context: &'c Context<'_, E>, scope: Scope) -> Option<&'c TenantId> {
    (scope == Scope::Tenant).then_some(&context.tenant)
}

fn none() -> Problem {
    Problem::new(ProblemType::DocumentNotFound)
}

/// Drops the copies of the document. The operator's goes out of date by itself in the other regions.
async fn changed<E: Environment>(context: &Context<'_, E>, scope: Scope) {
    match whose(context, scope) {
        Some(tenant) => Knowledge::changed(context.env, tenant).await,
        None => Knowledge::renew(context.env, None).await,
    }
}

fn check(body: &[u8]) -> Result<FlagSet, Problem> {
    // flagd's parser is more lenient: it takes the last of two members of one name.
    json::parse_within(MAX_DEPTH, body)?;
    FlagSet::parse(body).map_err(|problems| {
        problems
            .into_iter()
            .fold(Problem::new(ProblemType::Validation), |problem, found| {
                problem.with_error(error(&found))
            })
    })
}

fn error(problem: &FlagProblem) -> FieldError {
    FieldError::body(json::fragment(&problem.pointer), problem.detail.clone())
}

fn document<E>(context: &Context<'_, E>, status: StatusCode, body: Vec<u8>, version: u64) -> Response {
    let mut response = Response::empty(status).with_etag(version);
    response.body = Bytes::from(body);
    let media_type = HeaderValue::from_static(context.accepted.as_str());
    response.headers.insert(CONTENT_TYPE, media_type);
    response
}
