//! How often who may call: the documents that say so, and what an instance does about it.
//!
//! Every limit is a [`Policy`] under a [`PolicyName`]. The operator's document holds for all tenants and bounds theirs; what
//! neither sets has its default ([`RateLimitRules`]). Writes are charged by the store, in the call that writes. Reads wait for
//! nothing: the instance decides ([`buckets`]), tells the store after the response ([`report`]), and learns from its
//! answer. What new instances need to know is in the region's cache ([`slots`]).

mod applied;
mod buckets;
mod busy;
mod charging;
mod counts;
mod headers;
mod rate_limiter;
mod refusals;
mod report;
mod rules;
mod slots;

pub use applied::{AppliedLimit, applied, of_address, of_credentials, of_unanswered};
pub use buckets::Cost;
pub use busy::owner;
pub use charging::Charging;
pub use counts::{changes_refused, limited, limited_by_quota, of_the_region};
pub use headers::{RATE_LIMIT, RATE_LIMIT_POLICY, RateLimitHeaders};
pub use rate_limiter::{RateLimiter, RouteCharge, TenantLimits, count_refused_change};
pub use refusals::{now_us, refused};
pub use report::{RateLimitState, schedule};
pub use rules::RateLimitRules;
pub use slots::{look, look_at_day, micros};

use leaderboard_cache::CacheEnvironment;
use leaderboard_environment::Environment;
use leaderboard_telemetry::TelemetryEnvironment;

/// An environment whose instance keeps the state of rate limits.
pub trait RateLimitEnvironment:
    CacheEnvironment + TelemetryEnvironment + Environment<State: AsRef<RateLimitState>>
{
    /// Returns what this instance knows of limits, and what it has let through.
    fn rate_limit_state(&self) -> &RateLimitState {
        self.state().as_ref()
    }
}

impl<E: CacheEnvironment + TelemetryEnvironment + Environment<State: AsRef<RateLimitState>>>
    RateLimitEnvironment for E
{
}
