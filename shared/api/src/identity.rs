//! The identity of a caller, as the pipeline knows it.

use leaderboard_core::access::{Caller, Scopes};
use leaderboard_core::{PlayerId, TenantId, Timestamp};

/// The credential that a request was authenticated by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// No credential.
    None,
    /// The operator's key.
    Operator,
    /// An API key, by its id.
    Key(Box<str>),
    /// A token.
    Token {
        /// The issuer's id.
        issuer: Box<str>,
        /// The claim `sub` of the token.
        subject: Box<str>,
    },
}

/// A caller: the credential, and what it allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The credential.
    pub credential: Credential,
    /// The tenant of the credential; `None` for the operator and for anonymous callers, who name the tenant themselves.
    pub tenant: Option<TenantId>,
    /// The scopes of the credential.
    pub scopes: Scopes,
    /// The player of a player's token; `None` for the credential of a server.
    pub player: Option<PlayerId>,
    /// When a token expires; `None` for other credentials.
    pub expires_at: Option<Timestamp>,
}

impl Identity {
    /// Returns the identity of a caller without a credential.
    #[must_use]
    pub const fn anonymous() -> Self {
        Self {
            credential: Credential::None,
            tenant: None,
            scopes: Scopes::NONE,
            player: None,
            expires_at: None,
        }
    }

    /// Returns the identity of the operator.
    #[must_use]
    pub const fn operator() -> Self {
        Self {
            credential: Credential::Operator,
            tenant: None,
            scopes: Scopes::ADMIN,
            player: None,
            expires_at: None,
        }
    }

    /// Returns the caller as the use cases of leaderboards know it.
    #[must_use]
    pub fn caller(&self) -> Caller {
        match (&self.credential, &self.player) {
            (Credential::None, _) => Caller::Anonymous,
            (_, Some(player)) => Caller::Player(player.clone()),
            (_, None) if self.scopes.contains(Scopes::ADMIN) => Caller::Admin,
            (_, None) => Caller::Server,
        }
    }
}
