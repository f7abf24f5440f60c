//! The documents with rate limits.

use http::StatusCode;
use leaderboard_core::Versioned;
use leaderboard_core::ports::DocumentKind;

use leaderboard_api::rate_limits::{DocumentOwner, LimitsDocument};
use leaderboard_api::{Preconditions, Problem, Query, Response, json};
use leaderboard_pipeline::Context;
use leaderboard_pipeline::documents::RequestedDocument;
use leaderboard_responses::ResponseEnvironment;

/// `GET /limits` or `/operator/limits`: returns the document with its entity tag; 304 if the client has it already.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn read<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    scope: DocumentOwner,
) -> Result<Response, Problem> {
    let shown = |there: Versioned<Vec<u8>>| {
        let document = LimitsDocument::stored(&there.value, scope);
        let response = Response::json(StatusCode::OK, context.accepted, &document)?;
        Ok(response.with_etag(there.version))
    };
    document(context, scope).read(shown).await
}

/// `PUT /limits` or `/operator/limits`: creates (201) or replaces (200) the document.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn put<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    scope: DocumentOwner,
) -> Result<Response, Problem> {
    Query::parse(context.query, &[])?;
    let preconditions = Preconditions::of(context.headers)?;
    let limits = LimitsDocument::read(&json::parse(context.body)?, scope)?;
    limits.check_quotas()?;
    if scope == DocumentOwner::Tenant {
        let bounds = context.tenant_config.operator_document(DocumentKind::Limits);
        let operator = bounds.map(|bytes| LimitsDocument::stored(bytes, DocumentOwner::Operator));
        limits.check_against(&operator.unwrap_or_default())?;
    }
    let body = serde_json::to_vec(&limits)
        .map_err(|error| Problem::internal(format!("limits cannot be written: {error}")))?;
    let (status, version) = document(context, scope).put(&body, &preconditions).await?;
    Ok(Response::json(status, context.accepted, &limits)?.with_etag(version))
}

/// Returns the document of limits that a request is about.
pub(crate) fn document<'c, 'r, E>(
    context: &'c Context<'r, E>,
    scope: DocumentOwner,
) -> RequestedDocument<'c, 'r, E> {
    let kind = DocumentKind::Limits;
    RequestedDocument { context, kind, scope }
}
