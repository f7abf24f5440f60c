//! Who asks, and what a leaderboard lets them do.

use crate::{Access, IdScope, Leaderboard, Operator, PlayerId, ReadAccess, RefusalReason, WriteAccess};

/// What a credential allows, as a set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Scopes(u8);

impl Scopes {
    /// `scores:read`: to read private leaderboards, and hidden players' entries by name.
    pub const READ: Self = Self(1);
    /// `scores:write`: to submit and remove scores.
    pub const WRITE: Self = Self(2);
    /// `admin`: to configure and to operate. It holds the others.
    pub const ADMIN: Self = Self(7);
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// The names that credentials and the API use.
    pub const NAMES: [(&'static str, Self); 3] = [
        ("scores:read", Self::READ),
        ("scores:write", Self::WRITE),
        ("admin", Self::ADMIN),
    ];

    /// The scope of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMES
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, scopes)| *scopes)
    }

    /// Both together.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of `other` is in here.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The fewest names that say the same; `admin` alone where that holds.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        let admin = self.contains(Self::ADMIN);
        Self::NAMES
            .into_iter()
            .filter(move |(_, scope)| {
                if admin {
                    *scope == Self::ADMIN
                } else {
                    self.contains(*scope)
                }
            })
            .map(|(name, _)| name)
    }
}

/// Who asks, after authentication. The tenant is known apart from this.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// Nobody in particular: public leaderboards only.
    Anonymous,
    /// A player with a token of their own.
    Player(PlayerId),
    /// A server of the tenant.
    Server,
    /// A server of the tenant whose credential also configures and operates. It may do all that a server may.
    Admin,
    /// A score that was published as a message. It may do what a server may, but corrects nothing: it comes without a
    /// credential that the audit log could name.
    Message,
    /// Anybody with leave to read, who sees no hidden player: whom an answer is made for that many are given.
    Reader,
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
            Self::Anonymous | Self::Reader => false,
            Self::Player(own) => access.write == WriteAccess::Player && own == player,
            Self::Server | Self::Admin | Self::Message => true,
        }
    }

    /// Whether this is a server of the tenant, with whatever scopes.
    #[must_use]
    pub const fn is_server(&self) -> bool {
        matches!(self, Self::Server | Self::Admin | Self::Message)
    }

    /// Whether a submission of this caller to `board` may have `operator`. The leaderboard's own is no override. A server
    /// overrides it where the leaderboard allows that, and may always set, which is a correction where the leaderboard does not
    /// allow it; a message overrides it where the leaderboard allows that; a player overrides nothing.
    ///
    /// # Errors
    /// The reason for the refusal.
    pub fn check_operator(&self, board: &Leaderboard, operator: Operator) -> Result<(), RefusalReason> {
        let corrects = matches!(self, Self::Server | Self::Admin) && operator == Operator::Set;
        if operator == board.operator || corrects {
            Ok(())
        } else if !self.is_server() {
            Err(RefusalReason::OverrideNotAllowed)
        } else if board.operator_override {
            Ok(())
        } else {
            Err(RefusalReason::OperatorNotAllowed)
        }
    }

    /// Whose names the ids are that this caller sends. A player's own are apart, so that nobody can use up the id of another
    /// player's submission.
    #[must_use]
    pub const fn id_scope(&self) -> IdScope {
        match self {
            Self::Player(_) => IdScope::Player,
            Self::Anonymous | Self::Server | Self::Admin | Self::Message | Self::Reader => {
                IdScope::Leaderboard
            }
        }
    }

    /// The hidden player who is shown to this caller wherever a list is: the caller, when that is a player.
    #[must_use]
    pub const fn own_player(&self) -> Option<&PlayerId> {
        match self {
            Self::Player(own) => Some(own),
            Self::Anonymous | Self::Reader | Self::Server | Self::Admin | Self::Message => None,
        }
    }

    /// Whether this caller sees `player` when the player is hidden. A shadow ban is not told to its player.
    #[must_use]
    pub fn sees_banned(&self, player: &PlayerId) -> bool {
        match self {
            Self::Anonymous | Self::Reader => false,
            Self::Player(own) => own == player,
            Self::Server | Self::Admin | Self::Message => true,
        }
    }
}
