//! Callers, and what a leaderboard permits them to do.

use crate::{Access, IdScope, Leaderboard, Operator, PlayerId, ReadAccess, RefusalReason, WriteAccess};

/// The scopes of a credential, as a set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Scopes(u8);

impl Scopes {
    /// `scores:read`: to read private leaderboards, and entries of banned players by name.
    pub const READ: Self = Self(1);
    /// `scores:write`: to submit and remove scores.
    pub const WRITE: Self = Self(2);
    /// `admin`: to configure and to operate. It includes the other scopes.
    pub const ADMIN: Self = Self(7);
    /// No scope.
    pub const NONE: Self = Self(0);
    /// The names that credentials and the API use.
    pub const NAMES: [(&'static str, Self); 3] = [
        ("scores:read", Self::READ),
        ("scores:write", Self::WRITE),
        ("admin", Self::ADMIN),
    ];

    /// Returns the scope with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMES
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, scopes)| *scopes)
    }

    /// Returns the union of two sets.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Returns whether the set contains all of `other`.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Returns the names of the scopes; only `admin` if the set contains it.
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

/// An authenticated caller. The tenant is kept separately.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// A caller without a credential, who may use public leaderboards only.
    Anonymous,
    /// A player with their own token.
    Player(PlayerId),
    /// A server of the tenant.
    Server,
    /// A server of the tenant whose credential also permits configuration and operation. An admin may do everything that a server
    /// may.
    Admin,
    /// The sender of a score that was published as a message. It has the permissions of a server, except for corrections, because
    /// a message has no credential that the audit log could name.
    Message,
    /// A caller with permission to read and without a player, who sees no banned player. Cached responses are made for this
    /// caller.
    Reader,
}

impl Caller {
    /// Returns whether this caller may read a leaderboard.
    #[must_use]
    pub fn may_read(&self, access: Access) -> bool {
        access.read == ReadAccess::Public || *self != Self::Anonymous
    }

    /// Returns whether this caller may submit a score of `player`.
    #[must_use]
    pub fn may_submit(&self, access: Access, player: &PlayerId) -> bool {
        match self {
            Self::Anonymous | Self::Reader => false,
            Self::Player(own) => access.write == WriteAccess::Player && own == player,
            Self::Server | Self::Admin | Self::Message => true,
        }
    }

    /// Returns whether this is a server of the tenant, with any scopes.
    #[must_use]
    pub const fn is_server(&self) -> bool {
        matches!(self, Self::Server | Self::Admin | Self::Message)
    }

    /// Checks whether a submission of this caller to `board` may have `operator`. The leaderboard's own operator is always
    /// allowed. A server or a message may use another operator if the leaderboard allows overrides, and a server may always use
    /// `set` (a correction). A player may not use another operator.
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

    /// Returns the scope of the submission ids that this caller sends. Each player has their own scope, so that no caller can use
    /// up the ids of another player.
    #[must_use]
    pub const fn id_scope(&self) -> IdScope {
        match self {
            Self::Player(_) => IdScope::Player,
            Self::Anonymous | Self::Server | Self::Admin | Self::Message | Self::Reader => {
                IdScope::Leaderboard
            }
        }
    }

    /// Returns the player whose entry this caller sees in lists even if that player is banned: the caller itself, if it is a
    /// player.
    #[must_use]
    pub const fn own_player(&self) -> Option<&PlayerId> {
        match self {
            Self::Player(own) => Some(own),
            Self::Anonymous | Self::Reader | Self::Server | Self::Admin | Self::Message => None,
        }
    }

    /// Returns whether this caller sees the entries of `player` if that player is banned. Players see their own entries, so that
    /// they do not notice a ban.
    #[must_use]
    pub fn sees_banned(&self, player: &PlayerId) -> bool {
        match self {
            Self::Anonymous | Self::Reader => false,
            Self::Player(own) => own == player,
            Self::Server | Self::Admin | Self::Message => true,
        }
    }
}
