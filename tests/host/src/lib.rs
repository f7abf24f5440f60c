//! The local host: runs the components of a `spin.toml` on Wasmtime, so that a machine without the Spin CLI can run
//! and test everything. The components are the very ones that Spin runs.
//!
//! ```no_run
//! # async fn example() -> Result<(), leaderboard_host::StartError> {
//! use leaderboard_host::{Host, HostConfig};
//!
//! let running = Host::start(HostConfig::new("spin.toml", ".edgeboard").variable("admin_key", "secret")).await?;
//! println!("{}", running.url());
//! running.stop().await;
//! # Ok(())
//! # }
//! ```

mod application;
mod bindings;
mod config;
mod engine;
mod error;
mod grants;
mod guest;
mod host;
mod http;
mod key_value;
mod load;
mod manifest;
mod random;
mod range;
mod redis;
mod routes;
mod sqlite;
mod trigger;
mod variables;
mod worker;

pub mod cli;
pub mod logging;

pub use config::{
    DEFAULT_DRAIN_LIMIT, DEFAULT_GUEST_BUSY_LIMIT, DEFAULT_HEADER_TIMEOUT, DEFAULT_IDLE_INSTANCE_TIMEOUT,
    DEFAULT_INSTANCE_CONCURRENT_REUSE, DEFAULT_INSTANCE_MEMORY_BYTES, DEFAULT_INSTANCE_REUSE,
    DEFAULT_MAX_BODY_BYTES, DEFAULT_MAX_CONNECTIONS, DEFAULT_MAX_HEADER_BYTES, DEFAULT_MAX_HEADERS,
    DEFAULT_MAX_IN_FLIGHT, DEFAULT_MAX_INSTANCES, HostConfig, Limits, ReuseConfig,
};
pub use error::StartError;
pub use host::{Host, RouteLine, Running};
pub use manifest::ManifestError;
pub use range::{OneOf, parse_count, parse_duration, parse_durations};
pub use variables::VariableSource;
