//! The pipeline: how a request goes from the host to a handler and back. This crate knows no route, no store and not Spin.
//!
//! A request goes through these files, in this order:
//! 1. `micro_cache`: a read that was answered within the last milliseconds gets the same response, and the pipeline is skipped.
//! 2. `handle`: the list of all steps. `request_state` has the steps themselves, and what they found out.
//! 3. `trace` (trace id), `size` (address and headers), `version`, `route`.
//! 4. Authenticate: `client` (the client's address), then the crate `leaderboard-auth`.
//! 5. `tenant`: the tenant that the request is about. Then authorise, with the tenant's configuration.
//! 6. Limits: the crate `leaderboard-rate-limit`.
//! 7. Body: `size` reads it; `switches`, `idempotency` and `leaderboard_api::media` check the request.
//! 8. Handler: [`Endpoint::call`] gets a [`Context`]. `documents`, `paging`, `prefer`, `me` and `names` are for handlers.
//!    `charged_submission` charges a submission in the call that writes it, and `audit` records administrative actions.
//! 9. `missing` (details of a 404), then `cdn`, `security` and `cors` add the headers of the response.
//!
//! A refusal is a [`leaderboard_api::Problem`], and `handle` turns it into a response in one place. `files` serves static files
//! without a pipeline.

mod anonymous_charge;
pub mod audit;
mod audited_action;
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
pub mod regions;
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
pub use cdn::{CDN_CACHE_CONTROL, CdnKeyHeaders};
pub use charged_submission::ChargedSubmission;
pub use client::{ForwardedHeader, TrustedProxies, client_address};
pub use coding::{Coding, accepts_gzip};
pub use cors::{CorsOrigins, admit};
pub use country::read_country;
pub use endpoint::{Context, Endpoint, Routes};
pub use files::{StaticFile, serve_file};
pub use handle::{HandledRequest, handle};
pub use lines::RawHeaders;
pub use micro_cache::{MicroCacheEntry, MicroCacheHit, MicroCacheKey, find_reusable, store_for_reuse};
pub use route::{Base, BuildRoute, Route, RouteHead, RouteTable, Verb};
pub use scheme::is_secure;
pub use security::{STRICT_TRANSPORT, add_security_headers};
pub use settings::Settings;
pub use size::{Body, MAX_BODY_BYTES, MAX_HEADER_BYTES, RequestBody};
pub use trace::{REQUEST_ID, trace_id};

/// An environment whose instance serves requests.
pub trait PipelineEnvironment:
    AuthEnvironment + Environment<State: AsRef<PipelineState> + AsRef<Settings>>
{
    /// Returns the operator's settings.
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

/// What an instance keeps between its requests. A response to one user does not contain data that the instance keeps about
/// another user.
#[derive(Debug, Default)]
pub struct PipelineState {
    /// The result of the last readiness probe.
    pub readiness: readiness::ReadinessProbe,
    /// Finished responses that are reused for a moment.
    pub micro_cache: micro_cache::MicroCache,
    /// Refused credentials that are not in the audit log yet.
    pub refusals: audit::Refusals,
    /// The keys that have issued tokens in this instance, and when each key was last recorded in the audit log.
    pub issued: audit::IssuedTokens,
}
