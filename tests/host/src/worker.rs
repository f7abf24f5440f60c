//! A worker: one thread with its own event loop, and what its instances share.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};

use http::uri::Authority;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use wasmtime::Engine;
use wasmtime_wasi_http::handler::ProxyHandler;

use crate::application::Application;
use crate::config::{Limits, ReuseConfig};
use crate::http::Pool;
use crate::key_value;
use crate::load::Loaded;
use crate::redis::RedisHub;

/// What all workers of a host share.
pub(crate) struct HostState {
    pub(crate) engine: Engine,
    pub(crate) application: Application,
    pub(crate) loaded: BTreeMap<String, Loaded>,
    pub(crate) key_value: key_value::Database,
    pub(crate) sqlite_path: PathBuf,
    pub(crate) reuse: ReuseConfig,
    pub(crate) limits: Limits,
    /// The address that is listened on, once it is.
    pub(crate) address: OnceLock<SocketAddr>,
    /// Cancelled when the host stops.
    pub(crate) stopping: CancellationToken,
}

impl HostState {
    /// Where a component reaches its own application.
    pub(crate) fn self_authority(&self) -> Option<Authority> {
        self.address.get()?.to_string().parse().ok()
    }
}

/// One thread's part.
pub(crate) struct Worker {
    pub(crate) host: Arc<HostState>,
    pub(crate) redis: RedisHub,
    pub(crate) key_value: key_value::Reader,
    /// Instances by component; set once, right after the worker.
    pub(crate) pools: OnceLock<BTreeMap<String, ProxyHandler<Pool>>>,
    /// Room for requests that wait for their response's head.
    pub(crate) admission: Semaphore,
    /// Instances that are not idle.
    pub(crate) busy: AtomicUsize,
}

impl Worker {
    /// A worker with room for its share of the requests in flight.
    ///
    /// # Errors
    /// The key-value store cannot be read.
    pub(crate) fn new(host: &Arc<HostState>, workers: usize) -> Result<Arc<Self>, String> {
        let worker = Arc::new(Self {
            redis: RedisHub::default(),
            key_value: host.key_value.reader()?,
            pools: OnceLock::new(),
            admission: Semaphore::new((host.limits.in_flight / workers.max(1)).max(1)),
            busy: AtomicUsize::new(0),
            host: host.clone(),
        });
        let pools = host.loaded.iter().filter_map(|(id, loaded)| {
            let service = loaded.service.clone()?;
            Some((
                id.clone(),
                ProxyHandler::new(Pool::new(&worker, loaded.component.clone(), service)),
            ))
        });
        _ = worker.pools.set(pools.collect());
        Ok(worker)
    }

    /// The instances of `component`, when it handles HTTP.
    pub(crate) fn pool(&self, component: &str) -> Option<&ProxyHandler<Pool>> {
        self.pools.get()?.get(component)
    }

    /// Whether an instance on this worker is still at work.
    pub(crate) fn is_busy(&self) -> bool {
        self.busy.load(Relaxed) > 0
    }
}
