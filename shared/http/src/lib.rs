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
mod limits;
mod log;
mod me;
mod memory;
pub mod message;
mod metrics;
mod pipeline;
mod readiness;
mod repeat;
mod route;
mod views;

pub use credentials::PlayerTokens;
pub use endpoint::{Context, Endpoint};
pub use environment::{Environment, Secret, Settings};
pub use fetch::{Fetch, FetchError};
pub use files::{File, serve_file};
pub use log::{Level, LogRecord};
pub use memory::Memory;
pub use pipeline::{
    Body, CdnKeyHeaders, CorsOrigins, ForwardedHeader, Handled, InvalidKeyHeaders, InvalidOrigins,
    InvalidProxies, MAX_BODY_BYTES, RequestBody, TrustedProxies, handle,
};
pub use repeat::{RawHeaders, RepeatKey, Repeatable, Repeated, keep, repeated};
pub use route::{Base, Build, Charging, Need, Route, RouteTable, Verb};
pub use views::{ChangesError, heard};
