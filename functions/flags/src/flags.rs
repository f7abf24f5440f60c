//! The documents of feature flags: each tenant has its own set, and the operator's set applies to flags that a tenant's set does
//! not have.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use leaderboard_core::Versioned;
use leaderboard_core::ports::DocumentKind;
use leaderboard_flags::{FlagProblem, FlagSet};

use leaderboard_api::rate_limits::DocumentOwner;
use leaderboard_api::{FieldError, Preconditions, Problem, ProblemType, Query, Response, json};
use leaderboard_pipeline::Context;
use leaderboard_pipeline::documents::RequestedDocument;
use leaderboard_responses::ResponseEnvironment;
use leaderboard_tenant_config::check_product_flags;

/// The maximum depth of a flagd document. Its rules are nested more deeply than other documents.
const MAX_DEPTH: usize = 104;

/// `GET /flags`, `GET /operator/flags`: returns the document as the client put it, with its entity tag; 304 if the client has it
/// already.
///
/// # Errors
/// 400 for an invalid parameter or header; 404 if there is no document; 412 if a precondition does not hold; 503 if the store is
/// unavailable.
pub(crate) async fn read<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    scope: DocumentOwner,
) -> Result<Response, Problem> {
    let shown = |there: Versioned<Vec<u8>>| Ok(answer(context, StatusCode::OK, there.value, there.version));
    document(context, scope).read(shown).await
}

/// `PUT /flags`, `PUT /operator/flags`: creates (201) or replaces (200) the set with a flagd document.
///
/// # Errors
/// 400 for an invalid parameter, header or JSON; 412 if a precondition does not hold; 422, with the places of the errors, for an invalid
/// document; 503 if the store is unavailable.
pub(crate) async fn put<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    scope: DocumentOwner,
) -> Result<Response, Problem> {
    Query::parse(context.query, &[])?;
    let preconditions = Preconditions::of(context.headers)?;
    let set = check(context.body)?;
    check_product_flags(&set, context.tenant, context.now)?;
    let (status, version) = document(context, scope).put(context.body, &preconditions).await?;
    Ok(answer(context, status, context.body.to_vec(), version))
}

/// Returns the document of flags that a request is about.
pub(crate) fn document<'c, 'r, E>(
    context: &'c Context<'r, E>,
    scope: DocumentOwner,
) -> RequestedDocument<'c, 'r, E> {
    let kind = DocumentKind::Flags;
    RequestedDocument { context, kind, scope }
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

fn answer<E>(context: &Context<'_, E>, status: StatusCode, body: Vec<u8>, version: u64) -> Response {
    let mut response = Response::empty(status).with_etag(version);
    response.body = Bytes::from(body);
    let media_type = HeaderValue::from_static(context.accepted.media_type.as_str());
    response.headers.insert(CONTENT_TYPE, media_type);
    response
}
