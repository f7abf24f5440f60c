//! `me`: a name for the player of the caller's token, accepted wherever a request names a player.

use leaderboard_core::PlayerId;
use leaderboard_core::access::Caller;

use crate::endpoint::Context;
use leaderboard_api::{FieldError, Problem, ProblemType};

/// The name for the token's own player. A player whose id is `me` can only be named by a token of that player.
pub const ME: &str = "me";

/// Returns the player that a name stands for.
///
/// # Errors
/// The error text, if the name is `me` and the caller has no player's token.
pub fn named(caller: &Caller, player: &PlayerId) -> Result<PlayerId, &'static str> {
    match caller.own_player() {
        _ if player.as_str() != ME => Ok(player.clone()),
        Some(own) => Ok(own.clone()),
        None => Err("me stands for the player of a player's token, and this request has none"),
    }
}

impl<E> Context<'_, E> {
    /// Returns the player that a name in the path stands for.
    ///
    /// # Errors
    /// 400 if the caller has no player's token.
    pub fn named(&self, player: &PlayerId) -> Result<PlayerId, Problem> {
        self.named_as("player", player)
    }

    /// Returns the player that a name in a parameter stands for.
    ///
    /// # Errors
    /// 400 where there is no player's token.
    pub fn named_as(&self, parameter: &str, player: &PlayerId) -> Result<PlayerId, Problem> {
        named(&self.caller, player).map_err(|detail| {
            Problem::new(ProblemType::InvalidParameter).with_error(FieldError::parameter(parameter, detail))
        })
    }
}
