//! Issuers of tokens that a tenant trusts, or that the operator trusts for all tenants.

use http::StatusCode;
use leaderboard_core::TenantId;
use leaderboard_identity::token::Hosts;

use leaderboard_api::wire::issuer::read as read_document;
use leaderboard_api::wire::issuer_body::IssuerBody;
use leaderboard_api::{Credential, Preconditions, Problem, ProblemType, Query, Response, json};
use leaderboard_auth::issuers;
use leaderboard_pipeline::paging::Paging;
use leaderboard_pipeline::{Context, audit};
use leaderboard_responses::ResponseEnvironment;

/// The most issuers on a page.
const MAX_LIMIT: u32 = 200;

/// The owner of the issuers that a request is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IssuerOwner {
    /// The tenant.
    Tenant,
    /// The operator, whose issuers may issue tokens for any tenant.
    Operator,
}

impl IssuerOwner {
    fn owner<'a, E>(self, context: &'a Context<'_, E>) -> Option<&'a TenantId> {
        (self == Self::Tenant).then_some(context.tenant)
    }

    fn path(self, id: &str) -> String {
        match self {
            Self::Tenant => format!("/issuers/{id}"),
            Self::Operator => format!("/operator/issuers/{id}"),
        }
    }
}

/// `GET /issuers?limit=&cursor=`: lists the issuers in order of their ids.
///
/// # Errors
/// 400 for an invalid parameter; 503 if the store is unavailable.
pub(crate) async fn list<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    scope: IssuerOwner,
) -> Result<Response, Problem> {
    // The rule of an issuer's id is that of a tenant's.
    let paging = Paging::parse(context.query, MAX_LIMIT, |id| TenantId::new(id).ok())?;
    let after = paging.after.as_ref().map(TenantId::as_str);
    let limit = paging.page_size_and_one();
    let found = issuers::list_issuers(context.env, scope.owner(context), after, limit).await?;
    paging.page_of(found).respond(
        context,
        "issuers",
        |(id, _)| id.to_string(),
        |(id, record)| IssuerBody::new(id, record),
    )
}

/// `GET /issuers/{id}`: returns an issuer. The response names the issuer's keys, but does not contain them.
///
/// # Errors
/// 400 for an invalid parameter or header; 404 if there is no such issuer; 412 if a precondition does not hold; 503 if the store is
/// unavailable.
pub(crate) async fn read<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    scope: IssuerOwner,
    id: &str,
) -> Result<Response, Problem> {
    Query::parse(context.query, &[])?;
    let there = issuers::read_issuer(context.env, scope.owner(context), id)
        .await?
        .ok_or_else(|| Problem::new(ProblemType::IssuerNotFound))?;
    let preconditions = Preconditions::of(context.headers)?;
    if let Some(response) = preconditions.unchanged(there.version)? {
        return Ok(response);
    }
    let body = IssuerBody::new(id, &there.value);
    let response = Response::json(StatusCode::OK, context.accepted, &body)?;
    Ok(response.with_etag(there.version).revalidated())
}

/// `PUT /issuers/{id}`: creates (201) or replaces (200) the issuer, and reports whether its keys could be fetched. If they could
/// not, the document is stored anyway, so that an issuer can be configured before it runs.
///
/// # Errors
/// 400 for an invalid parameter, header or JSON; 409 if another document has the issuer and audience, if there are too many issuers, or
/// if another request changes the document at the same time; 412 if a precondition does not hold; 422 for an invalid field; 503 if the
/// store is unavailable.
pub(crate) async fn put<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    scope: IssuerOwner,
    id: &str,
) -> Result<Response, Problem> {
    Query::parse(context.query, &[])?;
    let preconditions = Preconditions::of(context.headers)?;
    let owner = scope.owner(context);
    // Only the operator decides which private hosts this service may fetch from.
    let hosts = if context.identity.credential == Credential::Operator {
        Hosts::Any
    } else {
        Hosts::Public
    };
    let record = read_document(&json::parse(context.body)?, id, owner, hosts)?;
    let there = if preconditions.exist() {
        issuers::read_issuer(context.env, owner, id)
            .await?
            .map(|there| there.version)
    } else {
        None
    };
    preconditions.expected(there)?;
    audit::record_audit_event(context).await?;
    let (version, created) = issuers::put_issuer(context.env, owner, id, &record, &preconditions).await?;
    let probe = issuers::probe_key_set(context.env, owner, &record).await;
    let body = IssuerBody::new(id, &record).with_key_set(probe.as_ref());
    if !created {
        return Ok(Response::json(StatusCode::OK, context.accepted, &body)?.with_etag(version));
    }
    Ok(Response::json(StatusCode::CREATED, context.accepted, &body)?
        .with_etag(version)
        .with_location(&format!("{}{}", context.version.base_path(), scope.path(id))))
}

/// `DELETE /issuers/{id}`: deletes the issuer. Its tokens are refused everywhere within half a minute.
///
/// # Errors
/// 400 for an invalid parameter or header; 404 if there is no such issuer; 409 if another request changes the document at the same
/// time; 412 if a precondition does not hold; 503 if the store is unavailable.
pub(crate) async fn delete<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    scope: IssuerOwner,
    id: &str,
) -> Result<Response, Problem> {
    Query::parse(context.query, &[])?;
    let preconditions = Preconditions::of(context.headers)?;
    let owner = scope.owner(context);
    let there = issuers::read_issuer(context.env, owner, id).await?;
    preconditions.expected(there.map(|there| there.version))?;
    audit::record_audit_event(context).await?;
    if issuers::delete_issuer(context.env, owner, id, &preconditions).await? {
        Ok(Response::no_content())
    } else {
        Err(Problem::new(ProblemType::IssuerNotFound))
    }
}
