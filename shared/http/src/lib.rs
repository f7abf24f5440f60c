//! The edge pipeline and the wire format of Edgeboard.
//!
//! A request goes through [`handle`]: plain functions in one visible order, then the function's own route
//! table ([`Endpoint`]), then one of [`handlers`]. What goes wrong becomes a [`Problem`] in one place. This
//! crate knows neither Spin nor any store: the composition root gives it an [`Environment`].

mod audit;
mod circuit_breaker;
mod credentials;
mod edge;
mod endpoint;
mod environment;
pub mod families;
mod fetch;
mod files;
pub mod handlers;
mod identity;
mod json;
mod limits;
mod log;
mod me;
mod memory;
pub mod message;
mod metrics;
mod params;
mod pipeline;
mod problem;
mod query;
mod readiness;
mod repeat;
mod response;
mod route;
mod version;
mod views;
pub mod wire;

pub use credentials::PlayerTokens;
pub use edge::{Quotas, TenantRecord, TenantState};
pub use endpoint::{Context, Endpoint};
pub use environment::{Environment, Secret, Settings};
pub use fetch::{Fetch, FetchError};
pub use files::{File, serve_file};
pub use identity::{Credential, Identity};
pub use json::IntegerFormat;
pub use log::{Level, LogRecord};
pub use memory::Memory;
pub use params::Params;
pub use pipeline::{
    Body, CdnKeyHeaders, CorsOrigins, ForwardedHeader, Handled, InvalidKeyHeaders, InvalidOrigins,
    InvalidProxies, MAX_BODY_BYTES, MediaType, RequestBody, TrustedProxies, handle,
};
pub use problem::{
    CatalogueEntry, FieldError, ItemPlace, Location, MAX_FIELD_ERRORS, Problem, ProblemType, catalogue,
};
pub use repeat::{RawHeaders, RepeatKey, Repeatable, Repeated, keep, repeated};
pub use response::{JsonForm, Response};
pub use route::{Base, BodyKind, Build, Charging, Family, Need, Route, RouteTable, Verb};
pub use version::{ApiVersion, Deprecation};
pub use views::{ChangesError, heard};
