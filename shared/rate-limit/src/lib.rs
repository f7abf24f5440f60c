//! Rate limits: which apply to a request, how it is charged, and what its response says about them.
//!
//! In the order in which a request meets them:
//! - `rules`: the limits of a tenant, from the operator's document, the tenant's own document and the defaults;
//! - `applied_limit`: the limits that apply to a request, and the bucket that each of them counts in;
//! - `rate_limiter`: admits or refuses the request, charges it, and adds the headers (`headers`, `refusals`);
//! - `buckets`: what this instance knows and has charged;
//! - `report`: reports local charges to the store after the response, and updates the buckets from its answer;
//! - `usage_slots`: shares high usage with other instances through the region's cache (`shared_usage`);
//! - `series`: the metrics.
//!
//! Writes are charged by the store. Reads are charged by the instance ([`Charging`]), so that they wait for no store.

mod applied_limit;
mod buckets;
mod charging;
mod headers;
mod micros;
mod rate_limiter;
mod refusals;
mod report;
mod rules;
mod series;
mod shared_usage;
mod usage_slots;

pub use applied_limit::{
    AppliedLimit, select_address_limit, select_failed_auth_limit, select_unanswered_limit,
};
pub use buckets::RequestCost;
pub use charging::Charging;
pub use headers::{RATE_LIMIT, RATE_LIMIT_POLICY, RateLimitHeaders};
pub use micros::now_us;
pub use rate_limiter::{RateLimiter, RouteCharge, TenantLimits, count_refused_change};
pub use refusals::refuse_request;
pub use report::{RateLimitState, schedule_report};
pub use rules::RateLimitRules;
pub use series::regional_series;
pub use usage_slots::load_usage;

use leaderboard_cache::CacheEnvironment;
use leaderboard_environment::Environment;
use leaderboard_telemetry::TelemetryEnvironment;

/// An environment whose instance keeps the state of rate limits.
pub trait RateLimitEnvironment:
    CacheEnvironment + TelemetryEnvironment + Environment<State: AsRef<RateLimitState>>
{
    /// Returns the instance's state of rate limits.
    fn rate_limit_state(&self) -> &RateLimitState {
        self.state().as_ref()
    }
}

impl<E: CacheEnvironment + TelemetryEnvironment + Environment<State: AsRef<RateLimitState>>>
    RateLimitEnvironment for E
{
}
