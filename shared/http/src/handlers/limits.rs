//! The documents that say how often who may call.

use http::StatusCode;
use leaderboard_core::ports::{DocumentKind, Documents, Expected};
use leaderboard_core::{TenantId, Versioned};

use crate::edge::{Knowledge, only};
use crate::endpoint::Context;
use crate::environment::Environment;
use crate::json;
use crate::limits::{LimitsDocument, Scope};
use crate::pipeline::Preconditions;
use crate::problem::{Problem, ProblemType};
use crate::query::Query;
use crate::response::Response;

/// `GET /limits` or `/operator/limits`, with its entity tag; 304 when the client has it already.
///
/// # Errors
/// The problem to answer with.
pub async fn read<E: Environment>(context: &Context<'_, E>, scope: Scope) -> Result<Response, Problem> {
    Query::parse(context.query, &[])?;
    let preconditions = Preconditions::of(context.headers)?;
    let found = current(context, scope)
        .await?
        .ok_or_else(|| Problem::new(ProblemType::DocumentNotFound))?;
    if !preconditions.match_holds(Some(found.version)) {
        return Err(Problem::new(ProblemType::PreconditionFailed));
    }
    if !preconditions.none_match_holds(Some(found.version)) {
        return Ok(Response::empty(StatusCode::NOT_MODIFIED)
            .with_etag(found.version)
            .revalidated());
    }
    let document = LimitsDocument::stored(&found.value, scope);
    Ok(Response::json(StatusCode::OK, context.accepted, &document)?
        .with_etag(found.version)
        .revalidated())
}

/// `PUT /limits` or `/operator/limits`: creates (201) or replaces (200).
///
/// # Errors
/// The problem to answer with.
pub async fn put<E: Environment>(context: &Context<'_, E>, scope: Scope) -> Result<Response, Problem> {
    Query::parse(context.query, &[])?;
    let preconditions = Preconditions::of(context.headers)?;
    let document = LimitsDocument::read(&json::parse(context.body)?, scope)?;
    document.check_quotas()?;
    if scope == Scope::Tenant {
        let bounds = context.knowledge.of_operator(DocumentKind::Limits);
        let operator = bounds.map(|bytes| LimitsDocument::stored(bytes, Scope::Operator));
        document.check_against(&operator.unwrap_or_default())?;
    }
    let expected = expected(context, scope, &preconditions).await?;
    let body = serde_json::to_vec(&document)
        .map_err(|error| Problem::internal(format!("limits cannot be written: {error}")))?;
    let name = only(whose(context, scope), DocumentKind::Limits);
    let put = context.env.store().put_document(&name, &body, expected).await?;
    let (version, created) = put.map_err(|_| Problem::new(ProblemType::PreconditionFailed))?;
    changed(context, scope).await;
    let status = if created {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    Ok(Response::json(status, context.accepted, &document)?.with_etag(version))
}

/// `DELETE /limits` or `/operator/limits`: what it set has its default again.
///
/// # Errors
/// The problem to answer with.
pub async fn delete<E: Environment>(context: &Context<'_, E>, scope: Scope) -> Result<Response, Problem> {
    Query::parse(context.query, &[])?;
    let preconditions = Preconditions::of(context.headers)?;
    let expected = expected(context, scope, &preconditions).await?;
    let name = only(whose(context, scope), DocumentKind::Limits);
    let deleted = context.env.store().delete_document(&name, expected).await?;
    match deleted {
        Ok(true) => {
            changed(context, scope).await;
            Ok(Response::no_content())
        }
        Ok(false) => Err(Problem::new(ProblemType::DocumentNotFound)),
        Err(_) => Err(Problem::new(ProblemType::PreconditionFailed)),
    }
}

fn whose<'c, E: Environment>(context: &'c Context<'_, E>, scope: Scope) -> Option<&'c TenantId> {
    (scope == Scope::Tenant).then_some(&context.tenant)
}

async fn current<E: Environment>(
    context: &Context<'_, E>,
    scope: Scope,
) -> Result<Option<Versioned<Vec<u8>>>, Problem> {
    let name = only(whose(context, scope), DocumentKind::Limits);
    let mut found = context.env.store().read_documents(&[name]).await?;
    Ok(found.pop().flatten())
}

/// What the store must find, once the preconditions hold for what is there now.
async fn expected<E: Environment>(
    context: &Context<'_, E>,
    scope: Scope,
    preconditions: &Preconditions,
) -> Result<Expected, Problem> {
    if !preconditions.exist() {
        return Ok(Expected::Any);
    }
    let there = current(context, scope).await?;
    preconditions.expected(there.map(|document| document.version))
}

/// Drops the copies of the document. The operator's goes out of date by itself in the other regions.
async fn changed<E: Environment>(context: &Context<'_, E>, scope: Scope) {
    match whose(context, scope) {
        Some(tenant) => Knowledge::changed(context.env, tenant).await,
        None => Knowledge::renew(context.env, None).await,
    }
}
