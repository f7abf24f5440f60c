//! Who opens a stream: the caller, or the holder of a ticket.

use leaderboard_api::query::{Query, invalid};
use leaderboard_api::{FieldError, Problem, ProblemType};
use leaderboard_auth::PlayerTokens;
use leaderboard_core::access::Caller;
use leaderboard_core::{LeaderboardId, PlayerId};
use leaderboard_pipeline::Context;
use leaderboard_responses::ResponseEnvironment;

/// Who opens a stream, and the player whose entry the stream shows.
#[derive(Debug)]
pub(crate) struct Viewer {
    pub(crate) player: Option<PlayerId>,
    /// Whether the viewer is this player, or acts for this player.
    pub(crate) is_players_own: bool,
    /// Whether the viewer has no credential and no ticket.
    pub(crate) is_anonymous: bool,
}

impl Viewer {
    /// Returns the viewer of a request: the holder of the parameter `ticket`, or the caller.
    ///
    /// # Errors
    /// 400 for an invalid player; 401 for a ticket that is not valid for this leaderboard, with the parameter's name.
    pub(crate) fn of_query<E: ResponseEnvironment>(
        context: &Context<'_, E>,
        leaderboard: &LeaderboardId,
        query: &Query<'_>,
    ) -> Result<Self, Problem> {
        let named = query.text("player")?.map(PlayerId::new).transpose();
        let named = named.map_err(|error| invalid("player", &error.detail))?;
        match query.text("ticket")? {
            Some(ticket) => Self::of_ticket(context, leaderboard, &ticket, named),
            None => Self::of_caller(context, named),
        }
    }

    /// Returns the caller as the viewer of a player. The default player is the one of the caller's token.
    ///
    /// # Errors
    /// 400 if the name is `me` and the caller has no player's token.
    pub(crate) fn of_caller<E: ResponseEnvironment>(
        context: &Context<'_, E>,
        named: Option<PlayerId>,
    ) -> Result<Self, Problem> {
        let caller = &context.caller;
        let player = match named {
            Some(named) => Some(context.named_as("player", &named)?),
            None => caller.own_player().cloned(),
        };
        Ok(Self {
            is_players_own: player.is_some() && player.as_ref() == caller.own_player(),
            is_anonymous: *caller == Caller::Anonymous,
            player,
        })
    }

    fn of_ticket<E: ResponseEnvironment>(
        context: &Context<'_, E>,
        leaderboard: &LeaderboardId,
        text: &str,
        named: Option<PlayerId>,
    ) -> Result<Self, Problem> {
        let refused = |detail: &str| {
            Problem::new(ProblemType::Unauthenticated)
                .with_error(FieldError::parameter("ticket", detail.to_owned()))
        };
        let ticket = player_tokens(context)?
            .verify_ticket(text, context.now)
            .map_err(|problem| refused(&problem.to_string()))?;
        if ticket.tenant != *context.tenant {
            return Err(refused(
                "is of another tenant: send the tenant that it was issued for",
            ));
        }
        if ticket.leaderboard != *leaderboard {
            return Err(refused("is of another leaderboard"));
        }
        if named.is_some_and(|named| Some(&named) != ticket.player.as_ref()) {
            return Err(invalid("player", "is not the player of the ticket; leave it out"));
        }
        Ok(Self {
            player: ticket.player,
            is_players_own: ticket.is_players_own,
            is_anonymous: false,
        })
    }
}

/// Returns the keys of tokens and tickets.
///
/// # Errors
/// 409 if the operator has set no secret.
pub(crate) fn player_tokens<'c, E: ResponseEnvironment>(
    context: &Context<'c, E>,
) -> Result<&'c PlayerTokens, Problem> {
    let tokens = context.env.auth_settings().player_tokens.as_deref();
    tokens.ok_or_else(|| {
        Problem::new(ProblemType::NotConfigured)
            .with_detail("The operator has set no player_token_secret, so there are no tickets.")
    })
}
