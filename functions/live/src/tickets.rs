//! Issues tickets. A ticket is not stored.

use http::StatusCode;
use leaderboard_api::wire::live::{TicketBody, read_ticket_request};
use leaderboard_api::{Problem, ProblemType, Query, Response, json};
use leaderboard_core::access::Caller;
use leaderboard_core::{LeaderboardId, Timestamp, usecase};
use leaderboard_identity::live_ticket::{LiveTicket, TICKET_LIFETIME_S};
use leaderboard_pipeline::Context;
use leaderboard_responses::{ResponseEnvironment, units_of_uncached_entries};

use crate::viewer::{Viewer, player_tokens};

/// `POST /leaderboards/{id}/live-tickets`: issues a ticket for a stream of a leaderboard that the caller may read.
///
/// # Errors
/// The problem to answer with.
pub(crate) async fn issue_ticket<E: ResponseEnvironment>(
    context: &Context<'_, E>,
    leaderboard: LeaderboardId,
) -> Result<Response, Problem> {
    Query::parse(context.query, &[])?;
    // A ticket outlives the moment at which a public leaderboard becomes private.
    if context.caller == Caller::Anonymous {
        return Err(Problem::new(ProblemType::Unauthenticated).with_detail(
            "A ticket passes on a credential. The stream of a public leaderboard needs no ticket.",
        ));
    }
    let named = if context.body.is_empty() {
        None
    } else {
        read_ticket_request(&json::parse(context.body)?)?
    };
    let viewer = Viewer::of_caller(context, named)?;
    context.charge_more(units_of_uncached_entries(1));
    usecase::load_readable_leaderboard(&context.deps(), &context.caller, &leaderboard)
        .await
        .map_err(|error| Problem::of_query(error, &context.caller))?;
    let ticket = LiveTicket {
        tenant: context.tenant.clone(),
        leaderboard,
        // A server acts for its player, as with a player's token.
        is_players_own: viewer.is_players_own || (viewer.player.is_some() && context.caller.is_server()),
        player: viewer.player,
    };
    let text = player_tokens(context)?
        .issue_ticket(&ticket, context.now)
        .ok_or_else(|| Problem::internal("a ticket was not issued"))?;
    // The ticket has whole seconds.
    let expires_at = context.now.as_unix_ms().div_euclid(1000) + i64::from(TICKET_LIFETIME_S);
    let expires_at = Timestamp::saturating_from_unix_ms(expires_at.saturating_mul(1000));
    let body = TicketBody {
        ticket: &text,
        expires_in: TICKET_LIFETIME_S,
        expires_at: expires_at.to_string(),
        leaderboard: ticket.leaderboard.as_str(),
        player: ticket.player.as_ref().map(leaderboard_core::PlayerId::as_str),
    };
    Response::json(StatusCode::CREATED, context.accepted, &body)
}
