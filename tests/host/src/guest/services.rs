//! The parts of the host that guests use.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use futures::future::BoxFuture;
use http::uri::Authority;
use http::{Request, Response};
use wasmtime::Engine;
use wasmtime_wasi_http::WasiBody;

use crate::grants::BlockedNetwork;
use crate::key_value::{Database, WorkerReader};
use crate::redis::RedisHub;

/// The parts of a host that all its guests use.
pub(crate) struct HostServices {
    pub(crate) engine: Engine,
    /// How much memory an instance may have.
    pub(crate) memory_bytes: usize,
    /// How long a guest may run without waiting for anything.
    pub(crate) busy_limit: Duration,
    pub(crate) key_value: Database,
    /// The file of the SQLite database.
    pub(crate) sqlite_path: PathBuf,
    /// The networks that outbound requests may not reach.
    pub(crate) blocked_networks: Vec<BlockedNetwork>,
    /// The address on which the host listens; empty before it listens.
    pub(crate) address: OnceLock<SocketAddr>,
}

impl HostServices {
    /// Returns the address at which a component reaches its own application.
    pub(super) fn self_authority(&self) -> Option<Authority> {
        self.address.get()?.to_string().parse().ok()
    }
}

/// The parts of a worker that its guests use.
pub(crate) struct WorkerServices {
    pub(crate) host: Arc<HostServices>,
    pub(crate) redis: RedisHub,
    pub(crate) key_value: WorkerReader,
    /// The components of the application.
    pub(crate) components: Weak<dyn Components>,
}

/// The components of the application, for requests from one component to another.
pub(crate) trait Components: Send + Sync {
    /// Lets a component answer a request of another component.
    fn call<'a>(
        &'a self,
        component: &'a str,
        request: Request<WasiBody>,
    ) -> BoxFuture<'a, Response<WasiBody>>;
}
