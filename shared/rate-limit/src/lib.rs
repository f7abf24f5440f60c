//! How often who may call: the documents that say so, and what an instance does about it.
//!
//! Every limit is a [`Policy`] under a [`PolicyName`]. The operator's document holds for all tenants and bounds theirs; what
//! neither sets has its default ([`Rules`]). Writes are charged by the store, in the call that writes. Reads wait for
//! nothing: the instance decides ([`buckets`]), tells the store after the response ([`report`]), and learns from its
//! answer. What new instances need to know is in the region's cache ([`slots`]).

mod applied;
mod buckets;
mod busy;
mod charging;
mod counts;
mod rate_limiter;
mod refusals;
mod report;
mod rules;
mod slots;
mod told;

pub use applied::{Applied, applied, of_address, of_credentials, of_unanswered};
pub use buckets::Cost;
pub use busy::owner;
pub use charging::Charging;
pub use counts::{changes_refused, limited, limited_by_quota, of_the_region};
pub use rate_limiter::{RateLimiter, RouteCharge, TenantLimits, count_refused_change};
pub use refusals::{now_us, refused};
pub use report::{Limiter, schedule};
pub use rules::Rules;
pub use slots::{look, look_at_day, micros};
pub use told::{RATE_LIMIT, RATE_LIMIT_POLICY, Told};

use leaderboard_cache::CacheEnvironment;
use leaderboard_environment::Environment;
use leaderboard_telemetry::TelemetryEnvironment;

/// An environment whose instance keeps the state of rate limits.
pub trait RateLimitEnvironment:
    CacheEnvironment + TelemetryEnvironment + Environment<State: AsRef<Limiter>>
{
    /// Returns what this instance knows of limits, and what it has let through.
    fn limiter(&self) -> &Limiter {
        self.state().as_ref()
    }
}

impl<E: CacheEnvironment + TelemetryEnvironment + Environment<State: AsRef<Limiter>>> RateLimitEnvironment
    for E
{
}
