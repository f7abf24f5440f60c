//! Starts hosts for tests.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use leaderboard_host::{Host, HostConfig, Running};

use crate::http_client::{Answer, get};

/// A running host with a state directory of its own.
pub(crate) struct TestHost {
    pub(crate) address: SocketAddr,
    running: Option<Running>,
    _state: tempfile::TempDir,
}

impl TestHost {
    /// Starts a host with the manifest of the guests, after `change` has changed its configuration.
    pub(crate) async fn start_with(change: impl FnOnce(&mut HostConfig)) -> Self {
        let state = tempfile::tempdir().expect("a directory");
        let mut config = config(state.path());
        change(&mut config);
        let running = Host::start(config)
            .await
            .unwrap_or_else(|error| panic!("{error}"));
        let address = running.address().expect("HTTP");
        Self {
            address,
            running: Some(running),
            _state: state,
        }
    }

    /// Starts a host with the manifest of the guests, without Redis.
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// Starts a host with the manifest of the guests, with Redis at `address`.
    pub(crate) async fn with_redis(address: &str) -> Self {
        Self::start_with(|config| *config = config.clone().variable("redis_address", address)).await
    }

    /// Returns the response to a GET of `path`.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        get(self.address, path).await
    }

    /// Returns the body of the response of the guest `probe` to a GET of `path`.
    pub(crate) async fn probe(&self, path: &str) -> String {
        self.get(&format!("/probe{path}")).await.body
    }

    /// Stops the host, and waits until it has stopped.
    pub(crate) async fn stop(mut self) {
        self.running.take().expect("running").stop().await;
    }
}

/// Returns the configuration of a host with the manifest of the guests. All tests share one cache of compiled
/// components.
///
/// # Panics
/// A guest is not built.
pub(crate) fn config(state: &Path) -> HostConfig {
    for guest in ["hello", "probe", "subscriber"] {
        let wasm = functions().join(format!("{guest}.wasm"));
        assert!(
            wasm.exists(),
            "{} is not built: build the guests of tests/guests first",
            wasm.display()
        );
    }
    let mut config = HostConfig::new(manifest(), state);
    config.cache_dir = Some(functions().join("compiled"));
    config.workers = 2;
    config
}

/// Returns the path of the manifest of the guests.
pub(crate) fn manifest() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/guests.toml")
}

/// Returns the directory of the built components.
pub(crate) fn functions() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/functions")
}
