//! Tokens for players, which a server requests. A token is not stored, so this works while the store is unavailable, as long as
//! the server's key is cached.

use http::StatusCode;
use leaderboard_core::Timestamp;
use leaderboard_identity::api_key::{ApiKeyRecord, KeyId};
use leaderboard_identity::player_token::Grant;
use leaderboard_identity::token::KeyBinding;

use leaderboard_api::wire::scopes;
use leaderboard_api::wire::token::{TokenBody, read as read_request};
use leaderboard_api::{Credential, Permission, Problem, ProblemType, Query, Response, json};
use leaderboard_auth::keys;
use leaderboard_pipeline::{Context, audit};
use leaderboard_responses::ResponseEnvironment;

/// `POST /tokens`: issues a token for a player of the tenant.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn issue<E: ResponseEnvironment>(context: &Context<'_, E>) -> Result<Response, Problem> {
    Query::parse(context.query, &[])?;
    if context.identity.player.is_some() {
        let detail = "A player's token issues no tokens; a server's key does.";
        return Err(Problem::new(ProblemType::Forbidden).with_detail(detail));
    }
    let tokens = context
        .env
        .auth_settings()
        .player_tokens
        .as_ref()
        .ok_or_else(|| {
            Problem::new(ProblemType::NotConfigured)
                .with_detail("The operator has set no player_token_secret, so no tokens are issued.")
        })?;
    let request = read_request(&json::parse(context.body)?, context.identity.scopes)?;
    let issuer = issuing_key(context).await?;
    let of_key = issuer.as_ref().and_then(|record| record.expires_at);
    let lifetime_s = match of_key.or(context.identity.expires_at) {
        Some(end) => request.lifetime_s.min(left_s(context.now, end)?),
        None => request.lifetime_s,
    };
    let binding = issuer.as_ref().map(KeyBinding::to_key);
    let grant = Grant {
        player: &request.player,
        tenant: context.tenant,
        scopes: request.scopes,
        lifetime_s,
        binding: binding.as_ref(),
    };
    let token = tokens
        .key
        .issue(&grant, context.now, &context.env.random()?)
        .map_err(|problem| Problem::internal(format!("a token was not issued: {problem}")))?;
    audit::record_issued_token(context, &request.player);
    // The token has whole seconds.
    let expires_at = context.now.as_unix_ms().div_euclid(1000) + i64::from(lifetime_s);
    let expires_at = Timestamp::saturating_from_unix_ms(expires_at.saturating_mul(1000));
    let body = TokenBody {
        token: &token,
        token_type: "Bearer",
        expires_in: lifetime_s,
        expires_at: expires_at.to_string(),
        player: request.player.as_str(),
        scopes: scopes::names(request.scopes),
    };
    Response::json(StatusCode::CREATED, context.accepted, &body)
}

/// Returns the record of the caller's API key, or `None` for another credential.
async fn issuing_key<E: ResponseEnvironment>(
    context: &Context<'_, E>,
) -> Result<Option<ApiKeyRecord>, Problem> {
    let Credential::Key(id) = &context.identity.credential else {
        return Ok(None);
    };
    let gone = || Problem::new(ProblemType::Unauthenticated).with_detail("The key is not valid.");
    let id = KeyId::parse(id).ok_or_else(gone)?;
    let record = keys::load_key_record(context.env, context.tenant, id, Permission::Write).await?;
    record.map(Some).ok_or_else(gone)
}

/// Returns the whole seconds until the caller's key or token expires, because an issued token must not be valid for longer.
fn left_s(now: Timestamp, end: Timestamp) -> Result<u32, Problem> {
    // A token has whole seconds, and begins with the one that has begun.
    let left = end.as_unix_ms().div_euclid(1000) - now.as_unix_ms().div_euclid(1000);
    if left <= 0 {
        return Err(Problem::new(ProblemType::Unauthenticated).with_detail("The credential has expired."));
    }
    Ok(u32::try_from(left).unwrap_or(u32::MAX))
}
