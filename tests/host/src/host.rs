//! Starts and stops a host.

use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, OnceLock};

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::application::Application;
use crate::config::HostConfig;
use crate::engine::{Compiler, Ticker, create_engine};
use crate::error::{StartError, one_line};
use crate::guest::HostServices;
use crate::worker::{HostState, Worker};
use crate::{http, key_value, load, sqlite, trigger};

/// The directory of compiled components in the state directory, if `HostConfig` names none. (The program uses `~/.cache`.)
const CACHE_DIRECTORY: &str = "compiled";

/// Starts hosts.
pub struct Host;

/// A running host. Dropping it stops the host without waiting for requests.
pub struct Running {
    address: Option<SocketAddr>,
    routes: Vec<RouteLine>,
    stopping: CancellationToken,
    workers: Vec<oneshot::Receiver<()>>,
    _ticker: Ticker,
}

/// One route, for the table that is printed at start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteLine {
    /// The route as the manifest has it.
    pub route: String,
    /// Whether the route ends with a wildcard.
    pub wildcard: bool,
    /// The component that handles the route; `None` for a static response.
    pub component: Option<String>,
}

impl Host {
    /// Loads the application, and serves it on new threads.
    ///
    /// # Errors
    /// The application cannot run. The error is displayed as one line.
    pub async fn start(config: HostConfig) -> Result<Running, StartError> {
        let started = tokio::task::spawn_blocking(move || start(&config)).await;
        started.map_err(|error| StartError::System(error.to_string()))?
    }
}

impl Running {
    /// Returns the address on which the host listens; `None` if the application has no HTTP trigger.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// Returns the base of the application's URLs, such as `http://127.0.0.1:3000`; empty if the application
    /// has no HTTP trigger.
    #[must_use]
    pub fn url(&self) -> String {
        self.address
            .map_or_else(String::new, |address| format!("http://{address}"))
    }

    /// Returns the routes in the order of the manifest.
    #[must_use]
    pub fn routes(&self) -> &[RouteLine] {
        &self.routes
    }

    /// Accepts no more connections, waits for running requests up to the drain limit, and ends.
    pub async fn stop(mut self) {
        self.stopping.cancel();
        for worker in std::mem::take(&mut self.workers) {
            _ = worker.await;
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stopping.cancel();
    }
}

fn start(config: &HostConfig) -> Result<Running, StartError> {
    let application = Application::load(config)?;
    let state = |error: String| StartError::State(error);
    std::fs::create_dir_all(&config.state_dir)
        .map_err(|error| state(format!("{}: {error}", config.state_dir.display())))?;
    let system = |error: wasmtime::Error| StartError::System(one_line(&error));
    let engine =
        create_engine(config.limits.max_instances, config.limits.max_instance_memory).map_err(system)?;
    let cache = config
        .cache_dir
        .clone()
        .unwrap_or_else(|| config.state_dir.join(CACHE_DIRECTORY));
    let compiler = Compiler::new(&engine, &cache);
    let loaded = load::all(&engine, &compiler, &application)?;
    let has_http = application.has_http();
    let services = HostServices {
        memory_bytes: config.limits.max_instance_memory,
        busy_limit: config.limits.guest_busy_limit,
        key_value: key_value::Database::open(&config.state_dir).map_err(state)?,
        sqlite_path: config.state_dir.join(sqlite::FILE_NAME),
        address: OnceLock::new(),
        blocked_networks: config.blocked_networks.clone(),
        engine,
    };
    let host = Arc::new(HostState {
        application,
        loaded,
        services: Arc::new(services),
        reuse: config.reuse.clone(),
        limits: config.limits.clone(),
        like_spin: config.like_spin,
        stopping: CancellationToken::new(),
    });
    start_workers(config, &host, has_http)
}

/// Starts the worker threads, with one listening socket for each if the application has an HTTP trigger.
fn start_workers(config: &HostConfig, host: &Arc<HostState>, has_http: bool) -> Result<Running, StartError> {
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    let count = match config.workers {
        _ if config.like_spin => 1,
        0 => cores(),
        workers => workers,
    };
    let (listeners, address) = if has_http {
        let (listeners, address) = http::bind(config.listen, count)?;
        (listeners.into_iter().map(Some).collect(), Some(address))
    } else {
        (vec![None], None)
    };
    if let Some(address) = address {
        _ = host.services.address.set(address);
    }
    let system = |error: std::io::Error| StartError::System(error.to_string());
    let ticker = Ticker::start(&host.services.engine).map_err(system)?;
    let mut workers = Vec::new();
    for (index, listener) in listeners.into_iter().enumerate() {
        let worker = Worker::new(host, count).map_err(StartError::State)?;
        workers.push(spawn_worker(index, worker, listener, count).map_err(system)?);
    }
    Ok(Running {
        address,
        routes: list_routes(host),
        stopping: host.stopping.clone(),
        workers,
        _ticker: ticker,
    })
}

fn list_routes(host: &HostState) -> Vec<RouteLine> {
    let line = |entry: &crate::routes::RouteEntry| RouteLine {
        route: entry.raw.clone(),
        wildcard: entry.wildcard,
        component: match &entry.target {
            crate::routes::RouteTarget::Component(id) => Some(id.clone()),
            crate::routes::RouteTarget::Static(_) => None,
        },
    };
    host.application.router.routes().map(line).collect()
}

/// Starts the thread of a worker. The first worker also runs the Redis trigger. The returned channel reports
/// the end of the thread.
fn spawn_worker(
    index: usize,
    worker: Arc<Worker>,
    listener: Option<TcpListener>,
    workers: usize,
) -> std::io::Result<oneshot::Receiver<()>> {
    let mut runtime = if worker.host.like_spin {
        tokio::runtime::Builder::new_multi_thread()
    } else {
        tokio::runtime::Builder::new_current_thread()
    };
    let runtime = runtime.enable_all().build()?;
    let (done, ended) = oneshot::channel();
    std::thread::Builder::new()
        .name(format!("worker-{index}"))
        .spawn(move || {
            runtime.block_on(async {
                let http = async {
                    let Some(listener) = listener else {
                        return;
                    };
                    match tokio::net::TcpListener::from_std(listener) {
                        Ok(listener) => http::serve(worker.clone(), listener, workers).await,
                        Err(error) => tracing::error!(%error, "a listening socket is not usable"),
                    }
                };
                let trigger = async {
                    if index == 0 {
                        trigger::run(worker.clone()).await;
                    }
                };
                futures::future::join(http, trigger).await;
                worker.host.stopping.cancelled().await;
            });
            drop(worker);
            runtime.shutdown_background();
            _ = done.send(());
        })?;
    Ok(ended)
}
