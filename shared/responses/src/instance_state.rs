//! The state that an instance keeps between its requests.

use leaderboard_auth::{AuthSettings, AuthState};
use leaderboard_cache::CacheState;
use leaderboard_live::LiveState;
use leaderboard_pipeline::{PipelineState, Settings};
use leaderboard_rate_limit::RateLimitState;
use leaderboard_telemetry::metrics::RequestCounts;
use leaderboard_tenant_config::TenantConfigState;

use crate::MemoryTier;

/// The state that an instance keeps between its requests. It lives as long as the instance: for at most 128 requests, or until
/// the instance has been idle for a second. A response to one user never depends on the state of another user: each item belongs
/// to the credential that the request has, or is the same for all users.
#[derive(Debug)]
pub struct InstanceState {
    settings: Settings,
    counts: RequestCounts,
    cache: CacheState,
    limiter: RateLimitState,
    tenant_configs: TenantConfigState,
    auth: AuthState,
    pipeline: PipelineState,
    responses: MemoryTier,
    live: LiveState,
}

impl InstanceState {
    /// Returns the state of an instance that has not served a request yet.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            counts: RequestCounts::default(),
            cache: CacheState::default(),
            limiter: RateLimitState::default(),
            tenant_configs: TenantConfigState::default(),
            auth: AuthState::default(),
            pipeline: PipelineState::default(),
            responses: MemoryTier::default(),
            live: LiveState::default(),
        }
    }
}

impl AsRef<Settings> for InstanceState {
    fn as_ref(&self) -> &Settings {
        &self.settings
    }
}

impl AsRef<AuthSettings> for InstanceState {
    fn as_ref(&self) -> &AuthSettings {
        &self.settings.auth
    }
}

impl AsRef<RequestCounts> for InstanceState {
    fn as_ref(&self) -> &RequestCounts {
        &self.counts
    }
}

impl AsRef<CacheState> for InstanceState {
    fn as_ref(&self) -> &CacheState {
        &self.cache
    }
}

impl AsRef<RateLimitState> for InstanceState {
    fn as_ref(&self) -> &RateLimitState {
        &self.limiter
    }
}

impl AsRef<TenantConfigState> for InstanceState {
    fn as_ref(&self) -> &TenantConfigState {
        &self.tenant_configs
    }
}

impl AsRef<AuthState> for InstanceState {
    fn as_ref(&self) -> &AuthState {
        &self.auth
    }
}

impl AsRef<PipelineState> for InstanceState {
    fn as_ref(&self) -> &PipelineState {
        &self.pipeline
    }
}

impl AsRef<MemoryTier> for InstanceState {
    fn as_ref(&self) -> &MemoryTier {
        &self.responses
    }
}

impl AsRef<LiveState> for InstanceState {
    fn as_ref(&self) -> &LiveState {
        &self.live
    }
}
