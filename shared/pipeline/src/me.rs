//! `me`: a name for the player of the caller's token. Every request that names a player accepts it.

use leaderboard_core::PlayerId;
use leaderboard_core::access::Caller;

use crate::endpoint::Context;
use leaderboard_api::{FieldError, Problem, ProblemType};

/// The name for the token's own player. If a player's id is `me`, only a token of that player can name that player.
pub const ME: &str = "me";

/// Returns the player with this name: the caller's own player for `me`.
///
/// # Errors
/// The error text, if the name is `me` and the caller has no player's token.
pub fn resolve_me(caller: &Caller, player: &PlayerId) -> Result<PlayerId, &'static str> {
    match caller.own_player() {
        _ if player.as_str() != ME => Ok(player.clone()),
        Some(own) => Ok(own.clone()),
        None => Err("me stands for the player of a player's token, and this request has none"),
    }
}

impl<E> Context<'_, E> {
    /// Checks that the caller is a server or this player. `what` names what is read, for example `events`.
    ///
    /// # Errors
    /// 401 or 403.
    pub fn require_own(&self, player: &PlayerId, what: &str) -> Result<(), Problem> {
        if self.caller.is_server() || self.caller.own_player() == Some(player) {
            return Ok(());
        }
        let detail = format!("A player's token reads the {what} of its own player only.");
        Err(Problem::not_allowed(&self.caller).with_detail(detail))
    }

    /// Returns the player whom a name in the path means ([`ME`]).
    ///
    /// # Errors
    /// 400 if the name is `me` and the caller has no player's token.
    pub fn named(&self, player: &PlayerId) -> Result<PlayerId, Problem> {
        self.named_as("player", player)
    }

    /// Returns the player whom a name in a query parameter means ([`ME`]).
    ///
    /// # Errors
    /// 400 if the name is `me` and the caller has no player's token.
    pub fn named_as(&self, parameter: &str, player: &PlayerId) -> Result<PlayerId, Problem> {
        resolve_me(&self.caller, player).map_err(|detail| {
            Problem::new(ProblemType::InvalidParameter).with_error(FieldError::parameter(parameter, detail))
        })
    }
}
