//! The configuration of a host.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::grants::BlockedNetwork;
use crate::range::{OneOf, parse_count, parse_duration, parse_durations};
use crate::variables::VariableSource;

/// Everything that a host needs to start.
#[derive(Clone, Debug)]
pub struct HostConfig {
    /// The path of `spin.toml`.
    pub manifest: PathBuf,
    /// The address on which to listen for HTTP. Port 0 selects a free port.
    pub listen: SocketAddr,
    /// The directory of the key-value and SQLite files. It is created if it does not exist.
    pub state_dir: PathBuf,
    /// The directory of compiled components; `None` is `compiled` in the state directory.
    pub cache_dir: Option<PathBuf>,
    /// Values of application variables. A later value replaces an earlier one, and each replaces a value of
    /// the environment.
    pub variables: Vec<VariableSource>,
    /// Whether variables are also read from `SPIN_VARIABLE_…` in the environment.
    pub variables_from_environment: bool,
    /// The networks that outbound HTTP requests of components may not reach.
    pub blocked_networks: Vec<BlockedNetwork>,
    /// The ids of the components to run; empty runs all.
    pub only: Vec<String>,
    /// The number of worker threads, each with its own event loop; 0 is one for each core.
    pub workers: usize,
    /// Whether all cores share one event loop and connections have no `TCP_NODELAY`, as on Spin. Then
    /// `workers` is not used.
    pub like_spin: bool,
    /// How instances are reused.
    pub reuse: ReuseConfig,
    /// The limits that protect the host.
    pub limits: HostLimits,
}

/// How instances are reused, with Spin's defaults.
#[derive(Clone, Debug, Args)]
pub struct ReuseConfig {
    /// Requests per instance, a number or a range such as 1..8.
    #[arg(long, value_parser = parse_count, default_value = "128")]
    pub max_instance_reuse_count: OneOf<usize>,
    /// Requests per instance at a time, a number or a range.
    #[arg(long, value_parser = parse_count, default_value = "16")]
    pub max_instance_concurrent_reuse_count: OneOf<usize>,
    /// How long an idle instance is kept, a duration or a range.
    #[arg(long, value_parser = parse_durations, default_value = "1s")]
    pub idle_instance_timeout: OneOf<Duration>,
    /// How long a request may take, a duration or a range [default: no limit].
    #[arg(long, value_parser = parse_durations)]
    pub request_timeout: Option<OneOf<Duration>>,
}

/// Limits that protect the host. Spin has none of them, except for the size of a request's head.
#[derive(Clone, Debug, Args)]
pub struct HostLimits {
    /// How long a guest may run without waiting for anything before it is stopped.
    #[arg(long, value_parser = parse_duration, default_value = "10s")]
    pub guest_busy_limit: Duration,
    /// Memory of one instance in bytes.
    #[arg(long, env = "SPIN_MAX_INSTANCE_MEMORY", default_value_t = HostLimits::default().max_instance_memory)]
    pub max_instance_memory: usize,
    /// Instances at a time.
    #[arg(long, default_value_t = HostLimits::default().max_instances)]
    pub max_instances: u32,
    /// Requests at a time that wait for their response; others wait their turn.
    #[arg(long, default_value_t = HostLimits::default().max_in_flight)]
    pub max_in_flight: usize,
    /// Bytes of a request's body; a larger one is answered with 413.
    #[arg(long, default_value_t = HostLimits::default().max_body_bytes)]
    pub max_body_bytes: u64,
    /// Header fields of a request; more are answered with 431.
    #[arg(long, default_value_t = HostLimits::default().max_headers)]
    pub max_headers: usize,
    /// Bytes of a request's head, at least 8192; a larger one is answered with 431.
    #[arg(long, default_value_t = HostLimits::default().max_header_bytes)]
    pub max_header_bytes: usize,
    /// How long a client may take to send a request's head.
    #[arg(long, value_parser = parse_duration, default_value = "30s")]
    pub header_timeout: Duration,
    /// Connections from clients at a time; others wait to be accepted.
    #[arg(long, default_value_t = HostLimits::default().max_connections)]
    pub max_connections: usize,
    /// How long a stop waits for requests in flight.
    #[arg(long, value_parser = parse_duration, default_value = "30s")]
    pub drain_limit: Duration,
}

impl HostConfig {
    /// Creates a configuration with defaults, for `manifest`, with its state in `state_dir`, and on a free
    /// port of the loopback address. It does not read the environment.
    #[must_use]
    pub fn new(manifest: impl Into<PathBuf>, state_dir: impl Into<PathBuf>) -> Self {
        Self {
            manifest: manifest.into(),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            state_dir: state_dir.into(),
            cache_dir: None,
            variables: Vec::new(),
            variables_from_environment: false,
            blocked_networks: Vec::new(),
            only: Vec::new(),
            workers: 0,
            like_spin: false,
            reuse: ReuseConfig::default(),
            limits: HostLimits::default(),
        }
    }

    /// Sets an application variable.
    #[must_use]
    pub fn variable(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.variables.push(VariableSource::Value {
            name: name.into(),
            value: value.into(),
        });
        self
    }
}

impl Default for ReuseConfig {
    fn default() -> Self {
        Self {
            max_instance_reuse_count: OneOf::Value(128),
            max_instance_concurrent_reuse_count: OneOf::Value(16),
            idle_instance_timeout: OneOf::Value(Duration::from_secs(1)),
            request_timeout: None,
        }
    }
}

impl Default for HostLimits {
    fn default() -> Self {
        Self {
            guest_busy_limit: Duration::from_secs(10),
            max_instance_memory: 256 << 20,
            max_instances: 1024,
            max_in_flight: 512,
            max_body_bytes: 16 << 20,
            max_headers: 100,
            max_header_bytes: 64 << 10,
            header_timeout: Duration::from_secs(30),
            max_connections: 10_000,
            drain_limit: Duration::from_secs(30),
        }
    }
}
