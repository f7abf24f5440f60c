//! What a host is started with, and its limits.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use crate::range::OneOf;
use crate::variables::VariableSource;

/// Requests that one instance serves before it is dropped, as on Spin.
pub const DEFAULT_INSTANCE_REUSE: usize = 128;
/// Requests that one instance serves at a time, as on Spin.
pub const DEFAULT_INSTANCE_CONCURRENT_REUSE: usize = 16;
/// How long an idle instance is kept, as on Spin.
pub const DEFAULT_IDLE_INSTANCE_TIMEOUT: Duration = Duration::from_secs(1);
/// How long a guest may run without waiting for anything before it is stopped. Spin has no such limit.
pub const DEFAULT_GUEST_BUSY_LIMIT: Duration = Duration::from_secs(10);
/// Memory of one instance in bytes. Spin has no limit by default.
pub const DEFAULT_INSTANCE_MEMORY_BYTES: usize = 256 << 20;
/// Instances that exist at a time.
pub const DEFAULT_MAX_INSTANCES: u32 = 1024;
/// Requests that wait for their response's head at a time, over all threads; further ones wait their turn.
pub const DEFAULT_MAX_IN_FLIGHT: usize = 512;
/// Bytes of a request's body. Spin has no such limit.
pub const DEFAULT_MAX_BODY_BYTES: u64 = 16 << 20;
/// Header fields of a request. Spin has no limit of its own.
pub const DEFAULT_MAX_HEADERS: usize = 100;
/// Bytes of a request's head. Spin's buffer is larger.
pub const DEFAULT_MAX_HEADER_BYTES: usize = 64 << 10;
/// How long a client may take to send a request's head, and how long a connection may be idle between two requests.
pub const DEFAULT_HEADER_TIMEOUT: Duration = Duration::from_secs(30);
/// Connections from clients that are open at a time; further ones wait to be accepted.
pub const DEFAULT_MAX_CONNECTIONS: usize = 10_000;
/// How long a stop waits for what is in flight.
pub const DEFAULT_DRAIN_LIMIT: Duration = Duration::from_secs(30);

/// Everything that a host needs to start.
#[derive(Clone, Debug)]
pub struct HostConfig {
    /// The path of `spin.toml`.
    pub manifest: PathBuf,
    /// Where to listen for HTTP; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The directory of the key-value and SQLite files; made when it is not there.
    pub state_dir: PathBuf,
    /// The directory of compiled components; `None` is `compiled` in the state directory.
    pub cache_dir: Option<PathBuf>,
    /// Values of application variables; later ones win, and all win over the environment.
    pub variables: Vec<VariableSource>,
    /// Whether variables are also taken from `SPIN_VARIABLE_…` of the environment.
    pub variables_from_environment: bool,
    /// The ids of the only components to run; empty runs all.
    pub only: Vec<String>,
    /// Worker threads, each with its own event loop; 0 takes one per core.
    pub workers: usize,
    /// How long instances live.
    pub reuse: ReuseConfig,
    /// What is refused or cut off.
    pub limits: Limits,
}

/// How instances are reused, with Spin's defaults.
#[derive(Clone, Debug)]
pub struct ReuseConfig {
    /// Requests per instance.
    pub max_count: OneOf<usize>,
    /// Requests per instance at a time.
    pub max_concurrent: OneOf<usize>,
    /// How long a request may take until its response begins, and a finished one may go on; `None` is no limit.
    pub request_timeout: Option<OneOf<Duration>>,
    /// How long an idle instance is kept.
    pub idle_timeout: OneOf<Duration>,
}

/// Limits that protect the host.
#[derive(Clone, Debug)]
pub struct Limits {
    /// See [`DEFAULT_GUEST_BUSY_LIMIT`].
    pub guest_busy: Duration,
    /// See [`DEFAULT_INSTANCE_MEMORY_BYTES`].
    pub instance_memory_bytes: usize,
    /// See [`DEFAULT_MAX_INSTANCES`].
    pub instances: u32,
    /// See [`DEFAULT_MAX_IN_FLIGHT`].
    pub in_flight: usize,
    /// See [`DEFAULT_MAX_BODY_BYTES`].
    pub body_bytes: u64,
    /// See [`DEFAULT_MAX_HEADERS`].
    pub headers: usize,
    /// See [`DEFAULT_MAX_HEADER_BYTES`].
    pub header_bytes: usize,
    /// See [`DEFAULT_HEADER_TIMEOUT`].
    pub header_timeout: Duration,
    /// See [`DEFAULT_MAX_CONNECTIONS`].
    pub connections: usize,
    /// See [`DEFAULT_DRAIN_LIMIT`].
    pub drain: Duration,
}

impl HostConfig {
    /// A configuration for `manifest` with its state in `state_dir`, a free port on the loopback address, and defaults
    /// for the rest. It does not look at the environment.
    #[must_use]
    pub fn new(manifest: impl Into<PathBuf>, state_dir: impl Into<PathBuf>) -> Self {
        Self {
            manifest: manifest.into(),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            state_dir: state_dir.into(),
            cache_dir: None,
            variables: Vec::new(),
            variables_from_environment: false,
            only: Vec::new(),
            workers: 0,
            reuse: ReuseConfig::default(),
            limits: Limits::default(),
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
            max_count: OneOf::Value(DEFAULT_INSTANCE_REUSE),
            max_concurrent: OneOf::Value(DEFAULT_INSTANCE_CONCURRENT_REUSE),
            request_timeout: None,
            idle_timeout: OneOf::Value(DEFAULT_IDLE_INSTANCE_TIMEOUT),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            guest_busy: DEFAULT_GUEST_BUSY_LIMIT,
            instance_memory_bytes: DEFAULT_INSTANCE_MEMORY_BYTES,
            instances: DEFAULT_MAX_INSTANCES,
            in_flight: DEFAULT_MAX_IN_FLIGHT,
            body_bytes: DEFAULT_MAX_BODY_BYTES,
            headers: DEFAULT_MAX_HEADERS,
            header_bytes: DEFAULT_MAX_HEADER_BYTES,
            header_timeout: DEFAULT_HEADER_TIMEOUT,
            connections: DEFAULT_MAX_CONNECTIONS,
            drain: DEFAULT_DRAIN_LIMIT,
        }
    }
}
