//! Credentials and what they are verified with: API keys by their records, tokens by the keys of their issuers.

mod auth_throttle;
mod authenticate;
mod authorise;
mod candidates;
mod index;
pub mod issuers;
mod key_sets;
pub mod keys;
mod player_tokens;
mod region_key_sets;
mod secret;
mod tokens;

use std::rc::Rc;

use leaderboard_environment::Environment;
use leaderboard_tenant_config::TenantConfigEnvironment;

pub use auth_throttle::{AuthThrottle, check_address, read_operator_rules};
pub use authenticate::{identity, is_operator};
pub use authorise::authorise;
pub use candidates::IssuerCache;
pub use index::digest;
pub use key_sets::KeySetCache;
pub use player_tokens::PlayerTokens;
pub use secret::Secret;
pub use tokens::TokenCache;

/// An environment whose instance verifies credentials.
pub trait AuthEnvironment:
    TenantConfigEnvironment + Environment<State: AsRef<AuthState> + AsRef<AuthSettings>>
{
    /// Returns what this instance has verified, and what it verifies with.
    fn auth_state(&self) -> &AuthState {
        self.state().as_ref()
    }

    /// Returns the credentials of the operator, and the keys of player tokens.
    fn auth_settings(&self) -> &AuthSettings {
        self.state().as_ref()
    }
}

impl<E: TenantConfigEnvironment + Environment<State: AsRef<AuthState> + AsRef<AuthSettings>>> AuthEnvironment
    for E
{
}

/// What an instance has verified, and what it verifies with.
#[derive(Debug, Default)]
pub struct AuthState {
    /// Key sets of issuers.
    pub key_sets: KeySetCache,
    /// Issuers, parsed from their documents.
    pub issuers: IssuerCache,
    /// TokenCache that were verified.
    pub tokens: TokenCache,
}

/// The credentials of the operator, and the keys of player tokens.
#[derive(Debug, Clone)]
pub struct AuthSettings {
    /// The operator's key: all rights in all tenants.
    pub admin_key: Secret,
    /// A key that shows metrics and allows nothing else. Nothing matches the secret of an empty setting.
    pub metrics_key: Secret,
    /// The keys that sign and verify player tokens of this service; `None` when the service issues no tokens.
    pub player_tokens: Option<Rc<PlayerTokens>>,
}
