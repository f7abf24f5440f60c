//! What the edge knows of a tenant: its record, limits, flags and banned players, from cached documents.

mod banned;
mod flags;
mod own_flags;
mod tenant_config;

use leaderboard_environment::Environment;
use leaderboard_rate_limit::RateLimitEnvironment;

pub use banned::Banned;
pub use flags::{FlagCache, Flags, Subject};
pub use own_flags::{V2_DEFAULT, WRITES, check_own};
pub use tenant_config::{TenantConfig, TenantConfigs, only, record as record_name};

/// An environment whose instance keeps tenant configurations.
pub trait TenantConfigEnvironment:
    RateLimitEnvironment + Environment<State: AsRef<TenantConfigState>>
{
    /// Returns the tenant configurations that this instance has parsed.
    fn tenant_config_state(&self) -> &TenantConfigState {
        self.state().as_ref()
    }
}

impl<E: RateLimitEnvironment + Environment<State: AsRef<TenantConfigState>>> TenantConfigEnvironment for E {}

/// The tenant configurations that an instance has parsed.
#[derive(Debug, Default)]
pub struct TenantConfigState {
    /// Tenant configurations.
    pub known: TenantConfigs,
    /// Flag definitions.
    pub flags: FlagCache,
}
