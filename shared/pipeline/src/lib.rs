//! The way of a request through Edgeboard: the router, the request context, and the middleware in one ordered list ([`handle`]).
//!
//! What goes wrong becomes a [`leaderboard_api::Problem`] in one place. This crate knows neither Spin nor a store nor a route.

pub mod audit;
mod cdn;
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
mod missing;
pub mod names;
pub mod paging;
pub mod prefer;
pub mod readiness;
pub mod repeat;
mod route;
mod scheme;
mod security;
mod settings;
mod size;
pub mod switches;
mod tenant;
mod terms;
mod trace;
mod version;

use leaderboard_auth::AuthEnvironment;
use leaderboard_environment::Environment;

pub use cdn::{CDN_CACHE_CONTROL, CdnKeyHeaders, InvalidKeyHeaders};
pub use client::{ForwardedHeader, InvalidProxies, TrustedProxies, client_address};
pub use coding::{Coding, accepts_gzip};
pub use cors::{CorsOrigins, InvalidOrigins, admit};
pub use country::country;
pub use endpoint::{Context, Endpoint, Routes};
pub use files::{File, serve_file};
pub use handle::{Handled, REQUEST_ID, handle};
pub use repeat::{RawHeaders, RepeatKey, Repeatable, Repeated, keep, repeated};
pub use route::{Base, Build, Route, RouteTable, Verb};
pub use scheme::is_secure;
pub use security::{STRICT_TRANSPORT, protect};
pub use settings::Settings;
pub use size::{Body, MAX_BODY_BYTES, MAX_HEADER_BYTES, RequestBody};
pub use terms::Terms;
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
    pub repeats: repeat::Repeats,
    /// Refused credentials that are not in the audit log yet.
    pub refusals: audit::Refusals,
    /// Issued tokens, as far as the audit log has them.
    pub issued: audit::Issued,
}
