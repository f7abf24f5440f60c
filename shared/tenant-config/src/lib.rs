//! The configuration of a tenant: its record, rate limits, feature flags and banned players, from cached documents.
//!
//! - `tenant_config`: loads the configuration for a request, and publishes changes of its documents;
//! - `flags`: evaluates feature flags, the tenant's own before the operator's; `product_flags` checks those of the product;
//! - `banned`: the players who may be banned, for caches that are shared by all readers; `ban_changes` changes their document.

mod ban_changes;
mod banned;
mod flags;
mod product_flags;
mod tenant_config;

use leaderboard_environment::Environment;
use leaderboard_rate_limit::RateLimitEnvironment;

pub use ban_changes::{add_ban, confirm_ban, remove_ban};
pub use banned::Banned;
pub use flags::{FlagCache, FlagTarget, TenantFlags};
pub use product_flags::{V2_DEFAULT, WRITES, check_product_flags};
pub use tenant_config::{
    TenantConfig, TenantConfigCache, cache_group, single_document_name, tenant_record_name,
};

/// An environment whose instance keeps tenant configurations.
pub trait TenantConfigEnvironment:
    RateLimitEnvironment + Environment<State: AsRef<TenantConfigState>>
{
    /// Returns the tenant configurations and flags that this instance has parsed.
    fn tenant_config_state(&self) -> &TenantConfigState {
        self.state().as_ref()
    }
}

impl<E: RateLimitEnvironment + Environment<State: AsRef<TenantConfigState>>> TenantConfigEnvironment for E {}

/// The tenant configurations and flags that an instance has parsed.
#[derive(Debug, Default)]
pub struct TenantConfigState {
    /// Tenant configurations.
    pub configs: TenantConfigCache,
    /// Sets of flags.
    pub flags: FlagCache,
}
