//! The way of a request through Edgeboard: the router, the request context, and the middleware in one ordered list ([`handle`]).
//!
//! What goes wrong becomes a [`leaderboard_api::Problem`] in one place. This crate knows neither Spin nor a store nor a route.

mod anonymous_charge;
pub mod audit;
mod cdn;
mod charged_submission;
mod client;
mod coding;
mod cors;
mod country;
pub mod document_routes;
pub mod documents;
mod endpoint;
mod files;
mod handle;
pub mod idempotency;
mod lines;
pub mod me;
pub mod micro_cache;
mod missing;
pub mod names;
pub mod paging;
pub mod prefer;
pub mod readiness;
mod request_state;
mod route;
mod scheme;
mod security;
mod settings;
mod size;
pub mod switches;
mod tenant;
mod trace;
mod version;

use leaderboard_auth::AuthEnvironment;
use leaderboard_environment::Environment;

pub use anonymous_charge::AnonymousCharge;
pub use cdn::{CDN_CACHE_CONTROL, CdnKeyHeaders, InvalidKeyHeaders};
pub use charged_submission::ChargedSubmission;
pub use client::{ForwardedHeader, InvalidProxies, TrustedProxies, client_address};
pub use coding::{Coding, accepts_gzip};
pub use cors::{CorsOrigins, InvalidOrigins, admit};
pub use country::country;
pub use endpoint::{Context, Endpoint, Routes};
pub use files::{StaticFile, serve_file};
pub use handle::{HandledRequest, REQUEST_ID, handle};
pub use micro_cache::{MicroCacheEntry, MicroCacheHit, MicroCacheKey, RawHeaders, keep, repeated};
pub use route::{Base, BuildRoute, Route, RouteTable, Verb};
pub use scheme::is_secure;
pub use security::{STRICT_TRANSPORT, protect};
pub use settings::Settings;
pub use size::{Body, MAX_BODY_BYTES, MAX_HEADER_BYTES, RequestBody};
pub use trace::trace_id;

/// An environment whose instance serves requests.
pub trait PipelineEnvironment:
    AuthEnvironment + Environment<State: AsRef<PipelineState> + AsRef<Settings>>
{
    /// Returns what the operator has set.
    fn settings(&self) -> &Settings {
        self.state().as_ref()
    }

    /// Returns what this instance keeps between its requests.
    fn pipeline_state(&self) -> &PipelineState {
        self.state().as_ref()
    }
}

impl<E: AuthEnvironment + Environment<State: AsRef<PipelineState> + AsRef<Settings>>> PipelineEnvironment
    for E
{
}

/// What an instance keeps between its requests. A response to one user never depends on what is kept of another user.
#[derive(Debug, Default)]
pub struct PipelineState {
    /// Whether the store was ready a moment ago.
    pub readiness: readiness::ReadinessProbe,
    /// Finished responses that are reused for a moment.
    pub micro_cache: micro_cache::MicroCache,
    /// Refused credentials that are not in the audit log yet.
    pub refusals: audit::Refusals,
    /// IssuedTokens tokens, as far as the audit log has them.
    pub issued: audit::IssuedTokens,
}
