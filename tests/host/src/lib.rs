//! The local host. It runs the components of a `spin.toml` on Wasmtime, so that a machine without the Spin
//! CLI can run and test everything. Spin runs the same components.
//!
//! ```no_run
//! # async fn example() -> Result<(), leaderboard_host::StartError> {
//! use leaderboard_host::{Host, HostConfig};
//!
//! let config = HostConfig::new("spin.toml", ".edgeboard").variable("admin_key", "secret");
//! let running = Host::start(config).await?;
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

pub use config::{HostConfig, HostLimits, ReuseConfig};
pub use error::StartError;
pub use grants::BlockedNetwork;
pub use host::{Host, RouteLine, Running};
pub use manifest::ManifestError;
pub use range::{OneOf, parse_count, parse_duration, parse_durations};
pub use variables::VariableSource;
