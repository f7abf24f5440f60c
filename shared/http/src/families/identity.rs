//! Identity: API keys, issuers of tokens, and tokens for players.

use leaderboard_identity::api_key::KeyId;

use crate::handlers::issuers::Scope;
use crate::handlers::{issuers, keys, tokens};
use leaderboard_api::{BodyKind, FunctionName, PathParams, Problem, Response};
use crate::{Context, Endpoint, Environment, Need, Route, RouteTable, Verb};

/// A call of this family, its parameters parsed.
#[derive(Debug)]
pub enum Call {
    CreateKey,
    ListKeys,
    ReadKey(KeyId),
    RotateKey(KeyId),
    RevokeKey(KeyId),
    ListIssuers(Scope),
    ReadIssuer(Scope, Box<str>),
    PutIssuer(Scope, Box<str>),
    DeleteIssuer(Scope, Box<str>),
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

/// The family.
#[derive(Debug)]
pub struct Identity;

impl Endpoint for Identity {
    type Route = Call;

    const FAMILY: FunctionName = FunctionName::Identity;

    fn table() -> RouteTable<Call> {
        const {
            &[
                Route::new(Verb::Post, KEYS, Need::Admin, |_| Ok(Call::CreateKey))
                    .with_body(BodyKind::Json)
                    .with_idempotency_key(),
                Route::new(Verb::Get, KEYS, Need::Admin, |_| Ok(Call::ListKeys)),
                Route::new(Verb::Get, KEY, Need::Admin, |path| key(path).map(Call::ReadKey)),
                Route::new(Verb::Post, "/keys/:key/rotate", Need::Admin, |path| {
                    key(path).map(Call::RotateKey)
                })
                .with_body(BodyKind::OptionalJson)
                .with_idempotency_key(),
                Route::new(Verb::Delete, KEY, Need::Admin, |path| {
                    key(path).map(Call::RevokeKey)
                })
                .frees_memory(),
                Route::new(Verb::Get, ISSUERS, Need::Admin, |_| {
                    Ok(Call::ListIssuers(Scope::Tenant))
                }),
                Route::new(Verb::Get, ISSUER, Need::Admin, |path| {
                    issuer(path).map(|id| Call::ReadIssuer(Scope::Tenant, id))
                }),
                Route::new(Verb::Put, ISSUER, Need::Admin, |path| {
                    issuer(path).map(|id| Call::PutIssuer(Scope::Tenant, id))
                })
                .with_body(BodyKind::Json),
                Route::new(Verb::Delete, ISSUER, Need::Admin, |path| {
                    issuer(path).map(|id| Call::DeleteIssuer(Scope::Tenant, id))
                })
                .frees_memory(),
                Route::new(Verb::Get, OPERATOR_ISSUERS, Need::Operator, |_| {
                    Ok(Call::ListIssuers(Scope::Operator))
                }),
                Route::new(Verb::Get, OPERATOR_ISSUER, Need::Operator, |path| {
                    issuer(path).map(|id| Call::ReadIssuer(Scope::Operator, id))
                }),
                Route::new(Verb::Put, OPERATOR_ISSUER, Need::Operator, |path| {
                    issuer(path).map(|id| Call::PutIssuer(Scope::Operator, id))
                })
                .with_body(BodyKind::Json),
                Route::new(Verb::Delete, OPERATOR_ISSUER, Need::Operator, |path| {
                    issuer(path).map(|id| Call::DeleteIssuer(Scope::Operator, id))
                })
                .frees_memory(),
                Route::new(Verb::Post, "/tokens", Need::Write, |_| Ok(Call::IssueToken))
                    .with_body(BodyKind::Json)
                    .charged_locally(),
            ]
        }
    }

    async fn call<E: Environment>(context: &Context<'_, E>, call: Call) -> Result<Response, Problem> {
        match call {
            Call::CreateKey => keys::create(context).await,
            Call::ListKeys => keys::list(context).await,
            Call::ReadKey(id) => keys::read(context, id).await,
            Call::RotateKey(id) => keys::rotate(context, id).await,
            Call::RevokeKey(id) => keys::revoke(context, id).await,
            Call::ListIssuers(scope) => issuers::list(context, scope).await,
            Call::ReadIssuer(scope, id) => issuers::read(context, scope, &id).await,
            Call::PutIssuer(scope, id) => issuers::put(context, scope, &id).await,
            Call::DeleteIssuer(scope, id) => issuers::delete(context, scope, &id).await,
            Call::IssueToken => tokens::issue(context).await,
        }
    }
}
