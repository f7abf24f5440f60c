//! Tokens for players, on behalf of a server. Nothing is stored, so this works without the store.

use http::StatusCode;
use leaderboard_identity::player_token::Grant;

use crate::audit;
use crate::endpoint::Context;
use crate::environment::Environment;
use crate::json;
use crate::problem::{Problem, ProblemType};
use crate::query::Query;
use crate::response::Response;
use crate::wire::scopes;
use crate::wire::token::{TokenBody, read as read_request};

/// `POST /tokens`: a token of a player of the tenant.
///
/// # Errors
/// The problem to answer with.
pub async fn issue<E: Environment>(context: &Context<'_, E>) -> Result<Response, Problem> {
    Query::parse(context.query, &[])?;
    if context.identity.player.is_some() {
        let detail = "A player's token issues no tokens; a server's key does.";
        return Err(Problem::new(ProblemType::Forbidden).with_detail(detail));
    }
    let tokens = context.env.settings().player_tokens.as_ref().ok_or_else(|| {
        Problem::new(ProblemType::NotConfigured)
            .with_detail("The operator has set no player_token_secret, so no tokens are issued.")
    })?;
    let request = read_request(&json::parse(context.body)?, context.identity.scopes)?;
    let grant = Grant {
        player: &request.player,
        tenant: &context.tenant,
        scopes: request.scopes,
        lifetime_s: request.lifetime_s,
    };
    let token = tokens
        .key
        .issue(&grant, context.now, &context.env.random()?)
        .map_err(|problem| Problem::internal(format!("a token was not issued: {problem}")))?;
    audit::issued(context, &request.player);
    // The token has whole seconds.
    let expires_at = context.now.as_unix_ms().div_euclid(1000) + i64::from(request.lifetime_s);
    let expires_at = leaderboard_core::Timestamp::saturating_from_unix_ms(expires_at.saturating_mul(1000));
    let body = TokenBody {
        token: &token,
        token_type: "Bearer",
        expires_in: request.lifetime_s,
        expires_at: expires_at.to_string(),
        player: request.player.as_str(),
        scopes: scopes::names(request.scopes),
    };
    Response::json(StatusCode::CREATED, context.accepted, &body)
}
