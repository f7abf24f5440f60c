//! Identity: API keys, issuers of tokens, and tokens for players.

use issuers::IssuerOwner;
mod issuers;
mod keys;
mod tokens;

use leaderboard_identity::api_key::KeyId;

use leaderboard_api::Permission::{Admin, Operator, Write};
use leaderboard_api::{BodyKind, FunctionName, PathParams, Problem, Response};
use leaderboard_pipeline::{Context, Endpoint, Route, RouteTable, Routes};
use leaderboard_responses::ResponseEnvironment;

/// A route with its parameters parsed.
#[derive(Debug)]
pub enum IdentityRoute {
    /// Creates an API key.
    CreateKey,
    /// Lists the API keys.
    ListKeys,
    /// Reads an API key.
    ReadKey(KeyId),
    /// Gives an API key a new secret.
    RotateKey(KeyId),
    /// Revokes an API key.
    RevokeKey(KeyId),
    /// Lists the issuers.
    ListIssuers(IssuerOwner),
    /// Reads an issuer.
    ReadIssuer(IssuerOwner, Box<str>),
    /// Creates or replaces an issuer.
    PutIssuer(IssuerOwner, Box<str>),
    /// Deletes an issuer.
    DeleteIssuer(IssuerOwner, Box<str>),
    /// Issues a token for a player.
    IssueToken,
}

const KEYS: &str = "/keys";
const KEY: &str = "/keys/:key";
const ISSUERS: &str = "/issuers";
const ISSUER: &str = "/issuers/:issuer";
const OPERATOR_ISSUERS: &str = "/operator/issuers";
const OPERATOR_ISSUER: &str = "/operator/issuers/:issuer";

fn key(params: &PathParams<'_>) -> Result<KeyId, Problem> {
    params.key()
}

fn issuer(params: &PathParams<'_>) -> Result<Box<str>, Problem> {
    params.issuer()
}

/// The routes of the function `identity`.
#[derive(Debug)]
pub struct IdentityFunction;

impl Routes for IdentityFunction {
    type Route = IdentityRoute;

    const FUNCTION: FunctionName = FunctionName::Identity;

    fn table() -> RouteTable<IdentityRoute> {
        const {
            &[
                Route::post(KEYS, Admin, |_| Ok(IdentityRoute::CreateKey))
                    .with_body(BodyKind::Json)
                    .with_idempotency_key(),
                Route::get(KEYS, Admin, |_| Ok(IdentityRoute::ListKeys)),
                Route::get(KEY, Admin, |path| key(path).map(IdentityRoute::ReadKey)),
                Route::post("/keys/:key/rotate", Admin, |path| {
                    key(path).map(IdentityRoute::RotateKey)
                })
                .with_body(BodyKind::OptionalJson)
                .with_idempotency_key(),
                Route::delete(KEY, Admin, |path| key(path).map(IdentityRoute::RevokeKey)),
                Route::get(ISSUERS, Admin, |_| {
                    Ok(IdentityRoute::ListIssuers(IssuerOwner::Tenant))
                }),
                Route::get(ISSUER, Admin, |path| {
                    issuer(path).map(|id| IdentityRoute::ReadIssuer(IssuerOwner::Tenant, id))
                }),
                Route::put(ISSUER, Admin, |path| {
                    issuer(path).map(|id| IdentityRoute::PutIssuer(IssuerOwner::Tenant, id))
                }),
                Route::delete(ISSUER, Admin, |path| {
                    issuer(path).map(|id| IdentityRoute::DeleteIssuer(IssuerOwner::Tenant, id))
                }),
                Route::get(OPERATOR_ISSUERS, Operator, |_| {
                    Ok(IdentityRoute::ListIssuers(IssuerOwner::Operator))
                }),
                Route::get(OPERATOR_ISSUER, Operator, |path| {
                    issuer(path).map(|id| IdentityRoute::ReadIssuer(IssuerOwner::Operator, id))
                }),
                Route::put(OPERATOR_ISSUER, Operator, |path| {
                    issuer(path).map(|id| IdentityRoute::PutIssuer(IssuerOwner::Operator, id))
                }),
                Route::delete(OPERATOR_ISSUER, Operator, |path| {
                    issuer(path).map(|id| IdentityRoute::DeleteIssuer(IssuerOwner::Operator, id))
                }),
                Route::post("/tokens", Write, |_| Ok(IdentityRoute::IssueToken))
                    .with_body(BodyKind::Json)
                    .charged_locally(),
            ]
        }
    }
}

impl<E: ResponseEnvironment> Endpoint<E> for IdentityFunction {
    async fn handle_route(context: &Context<'_, E>, route: IdentityRoute) -> Result<Response, Problem> {
        match route {
            IdentityRoute::CreateKey => keys::create(context).await,
            IdentityRoute::ListKeys => keys::list(context).await,
            IdentityRoute::ReadKey(id) => keys::read(context, id).await,
            IdentityRoute::RotateKey(id) => keys::rotate(context, id).await,
            IdentityRoute::RevokeKey(id) => keys::revoke(context, id).await,
            IdentityRoute::ListIssuers(scope) => issuers::list(context, scope).await,
            IdentityRoute::ReadIssuer(scope, id) => issuers::read(context, scope, &id).await,
            IdentityRoute::PutIssuer(scope, id) => issuers::put(context, scope, &id).await,
            IdentityRoute::DeleteIssuer(scope, id) => issuers::delete(context, scope, &id).await,
            IdentityRoute::IssueToken => tokens::issue(context).await,
        }
    }
}
