//! A worker: one thread with its own event loop, and the instances on it.

mod pool;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Weak};

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use wasmtime_wasi_http::handler::ProxyHandler;

use crate::application::Application;
use crate::config::{HostLimits, ReuseConfig};
use crate::guest::{Components, HostServices, WorkerServices};
use crate::load::Loaded;
use crate::redis::RedisHub;

use pool::Pool;

/// The state that all workers of a host share.
pub(crate) struct HostState {
    pub(crate) application: Application,
    pub(crate) loaded: BTreeMap<String, Loaded>,
    pub(crate) services: Arc<HostServices>,
    pub(crate) reuse: ReuseConfig,
    pub(crate) limits: HostLimits,
    /// As in [`HostConfig`](crate::HostConfig).
    pub(crate) like_spin: bool,
    /// Cancelled when the host stops.
    pub(crate) stopping: CancellationToken,
}

/// A worker thread and its instances.
pub(crate) struct Worker {
    pub(crate) host: Arc<HostState>,
    pub(crate) services: Arc<WorkerServices>,
    /// The instances of each component that handles HTTP.
    pools: BTreeMap<String, ProxyHandler<Pool>>,
    /// Permits for requests that wait for the head of their response.
    pub(crate) admission: Semaphore,
    /// The number of instances that are not idle.
    busy: AtomicUsize,
}

impl Worker {
    /// Creates a worker with room for its share of the requests in flight.
    ///
    /// # Errors
    /// The key-value store cannot be read.
    pub(crate) fn new(host: &Arc<HostState>, workers: usize) -> Result<Arc<Self>, String> {
        let key_value = host.services.key_value.reader()?;
        Ok(Arc::new_cyclic(|worker: &Weak<Self>| {
            let components: Weak<dyn Components> = worker.clone();
            let pools = host.loaded.iter().filter_map(|(id, loaded)| {
                let service = loaded.service.clone()?;
                let pool = Pool::new(worker.clone(), loaded.component.clone(), service);
                Some((id.clone(), ProxyHandler::new(pool)))
            });
            Self {
                services: Arc::new(WorkerServices {
                    host: host.services.clone(),
                    redis: RedisHub::default(),
                    key_value,
                    components,
                }),
                pools: pools.collect(),
                admission: Semaphore::new((host.limits.max_in_flight / workers.max(1)).max(1)),
                busy: AtomicUsize::new(0),
                host: host.clone(),
            }
        }))
    }

    /// Returns the instances of `component`; `None` if it does not handle HTTP.
    pub(crate) fn pool(&self, component: &str) -> Option<&ProxyHandler<Pool>> {
        self.pools.get(component)
    }

    /// Returns whether an instance on this worker is still at work.
    pub(crate) fn is_busy(&self) -> bool {
        self.busy.load(Relaxed) > 0
    }
}
