//! Who asks, and what a leaderboard lets them do.

use crate::{Access, PlayerId, ReadAccess, WriteAccess};

/// Who asks, after authentication. The tenant is known apart from this.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// Nobody in particular: public leaderboards only.
    Anonymous,
    /// A player with a token of their own.
    Player(PlayerId),
    /// A server of the tenant.
    Server,
}

impl Caller {
    /// Whether this caller may read a leaderboard.
    #[must_use]
    pub fn may_read(&self, access: Access) -> bool {
        access.read == ReadAccess::Public || *self != Self::Anonymous
    }

    /// Whether this caller may submit a score of `player`.
    #[must_use]
    pub fn may_submit(&self, access: Access, player: &PlayerId) -> bool {
        match self {
            Self::Anonymous => false,
            Self::Player(own) => access.write == WriteAccess::Player && own == player,
            Self::Server => true,
        }
    }

    /// Whether this caller sees `player` when the player is hidden. A shadow ban is not told to its player.
    #[must_use]
    pub fn sees_hidden(&self, player: &PlayerId) -> bool {
        match self {
            Self::Anonymous => false,
            Self::Player(own) => own == player,
            Self::Server => true,
        }
    }
}
