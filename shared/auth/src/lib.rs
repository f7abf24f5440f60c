//! Authentication and authorisation.
//!
//! In the order in which a request meets them:
//! - `auth_throttle`: limits refused credentials and failed requests by address, before a credential is checked;
//! - `authenticate`: finds the caller from an API key (`keys`), a token (`tokens`) or the operator's key (`secret`);
//! - `candidates`: for a token, the issuers that may have issued it (`index` lists them by issuer and audience);
//! - `key_sets`: the keys that issuers publish, cached by the instance and the region (`region_key_sets`);
//! - `player_tokens`: verifies the tokens that this service issues itself;
//! - `authorise`: whether the caller has the permission that the route needs.
//!
//! `issuers` reads and changes the documents of issuers for administrators.

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
mod token_check;
mod tokens;

use std::rc::Rc;

use leaderboard_environment::Environment;
use leaderboard_tenant_config::TenantConfigEnvironment;

pub use auth_throttle::{AuthThrottle, check_address, read_operator_rules};
pub use authenticate::{identify_caller, is_operator};
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
    /// Returns the caches of this instance.
    fn auth_state(&self) -> &AuthState {
        self.state().as_ref()
    }

    /// Returns the operator's secrets and the keys of player tokens.
    fn auth_settings(&self) -> &AuthSettings {
        self.state().as_ref()
    }
}

impl<E: TenantConfigEnvironment + Environment<State: AsRef<AuthState> + AsRef<AuthSettings>>> AuthEnvironment
    for E
{
}

/// The caches of an instance: verified tokens, and the keys that verify them.
#[derive(Debug, Default)]
pub struct AuthState {
    /// Key sets of issuers.
    pub key_sets: KeySetCache,
    /// Issuers, parsed from their documents.
    pub issuers: IssuerCache,
    /// Verified tokens.
    pub tokens: TokenCache,
}

/// The operator's secrets and the keys of player tokens.
#[derive(Debug, Clone)]
pub struct AuthSettings {
    /// The operator's key, which has all permissions in all tenants.
    pub admin_key: Secret,
    /// The key that only permits reading the metrics. If the setting is empty, no key matches.
    pub metrics_key: Secret,
    /// The keys that sign and verify player tokens of this service; `None` when the service issues no tokens.
    pub player_tokens: Option<Rc<PlayerTokens>>,
}
