//! Identity: API keys, issuers of tokens, and tokens for players.

use issuers::IssuerOwner;
mod issuers;
mod keys;
mod tokens;

use leaderboard_identity::api_key::KeyId;

use leaderboard_api::{BodyKind, FunctionName, PathParams, Permission, Problem, Response};
use leaderboard_pipeline::{Context, Endpoint, Route, RouteTable, Routes, Verb};
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
                Route::new(Verb::Post, KEYS, Permission::Admin, |_| {
                    Ok(IdentityRoute::CreateKey)
                })
                .with_body(BodyKind::Json)
                .with_idempotency_key(),
                Route::new(Verb::Get, KEYS, Permission::Admin, |_| {
                    Ok(IdentityRoute::ListKeys)
                }),
                Route::new(Verb::Get, KEY, Permission::Admin, |path| {
                    key(path).map(IdentityRoute::ReadKey)
                }),
                Route::new(Verb::Post, "/keys/:key/rotate", Permission::Admin, |path| {
                    key(path).map(IdentityRoute::RotateKey)
                })
                .with_body(BodyKind::OptionalJson)
                .with_idempotency_key(),
                Route::new(Verb::Delete, KEY, Permission::Admin, |path| {
                    key(path).map(IdentityRoute::RevokeKey)
                })
                .frees_memory(),
                Route::new(Verb::Get, ISSUERS, Permission::Admin, |_| {
                    Ok(IdentityRoute::ListIssuers(IssuerOwner::Tenant))
                }),
                Route::new(Verb::Get, ISSUER, Permission::Admin, |path| {
                    issuer(path).map(|id| IdentityRoute::ReadIssuer(IssuerOwner::Tenant, id))
                }),
                Route::new(Verb::Put, ISSUER, Permission::Admin, |path| {
                    issuer(path).map(|id| IdentityRoute::PutIssuer(IssuerOwner::Tenant, id))
                })
                .with_body(BodyKind::Json),
                Route::new(Verb::Delete, ISSUER, Permission::Admin, |path| {
                    issuer(path).map(|id| IdentityRoute::DeleteIssuer(IssuerOwner::Tenant, id))
                })
                .frees_memory(),
                Route::new(Verb::Get, OPERATOR_ISSUERS, Permission::Operator, |_| {
                    Ok(IdentityRoute::ListIssuers(IssuerOwner::Operator))
                }),
                Route::new(Verb::Get, OPERATOR_ISSUER, Permission::Operator, |path| {
                    issuer(path).map(|id| IdentityRoute::ReadIssuer(IssuerOwner::Operator, id))
                }),
                Route::new(Verb::Put, OPERATOR_ISSUER, Permission::Operator, |path| {
                    issuer(path).map(|id| IdentityRoute::PutIssuer(IssuerOwner::Operator, id))
                })
                .with_body(BodyKind::Json),
                Route::new(Verb::Delete, OPERATOR_ISSUER, Permission::Operator, |path| {
                    issuer(path).map(|id| IdentityRoute::DeleteIssuer(IssuerOwner::Operator, id))
                })
                .frees_memory(),
                Route::new(Verb::Post, "/tokens", Permission::Write, |_| {
                    Ok(IdentityRoute::IssueToken)
                })
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
