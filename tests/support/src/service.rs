//! The service as it runs in production: the real components on the local host, with a store behind them.

#![expect(clippy::expect_used, reason = "a test stops where it cannot go on")]

use std::path::Path;

use leaderboard_host::{Host, HostConfig, Running};
use tempfile::TempDir;

use crate::{ADMIN_KEY, ApiClient, RedisServer, project_root, target_dir};

/// The secret that signs players' tokens in all tests.
const TOKEN_SECRET: &str = "a secret that signs players' tokens in tests alone";

/// The kind of store that a service uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreKind {
    /// A file of SQLite, the default.
    Sqlite,
    /// A Redis server.
    Redis,
}

/// A running service with its store. Both stop when this value is dropped.
#[expect(missing_debug_implementations, reason = "a running host has no text form")]
pub struct TestService {
    /// The local host.
    pub host: Running,
    /// The Redis server; `None` with SQLite.
    pub redis: Option<RedisServer>,
    /// The directory of the host's files.
    pub state: TempDir,
}

impl TestService {
    /// Starts a service on a fresh store.
    pub async fn start(store: StoreKind) -> Self {
        match store {
            StoreKind::Sqlite => Self::start_on(None).await,
            StoreKind::Redis => Self::start_on(Some(RedisServer::start())).await,
        }
    }

    /// Starts a service on this Redis server, or on SQLite with `None`. The service does not limit its
    /// callers, because tests send many requests from one address.
    pub async fn start_on(redis: Option<RedisServer>) -> Self {
        let service = Self::start_with_default_limits(redis).await;
        service.api().switch_limits_off().await;
        service
    }

    /// Starts a service with the default rate limits.
    ///
    /// # Panics
    /// When the host does not start.
    pub async fn start_with_default_limits(redis: Option<RedisServer>) -> Self {
        Self::start_configured(redis, |_| {}).await
    }

    /// Starts a service with the default rate limits, on a host whose configuration is changed by `change`.
    ///
    /// # Panics
    /// When the host does not start.
    pub async fn start_configured(redis: Option<RedisServer>, change: impl FnOnce(&mut HostConfig)) -> Self {
        let state = state_dir();
        let url = redis.as_ref().map(RedisServer::url);
        let mut config = host_config(state.path(), url.as_deref());
        change(&mut config);
        let host = Host::start(config).await.expect("the host starts");
        Self { host, redis, state }
    }

    /// Returns a client for a tenant that no other test has.
    #[must_use]
    pub fn api(&self) -> ApiClient {
        ApiClient::over_http(&self.host.url())
    }
}

/// Returns the configuration of a host without a Redis trigger. Its store is Redis if `redis_url` is set,
/// otherwise SQLite.
#[must_use]
pub fn host_config(state_dir: &Path, redis_url: Option<&str>) -> HostConfig {
    let mut config = HostConfig::new(project_root().join("spin.toml"), state_dir)
        .variable("admin_key", ADMIN_KEY)
        .variable("player_token_secret", TOKEN_SECRET)
        .variable("issuer_hosts", "http://127.0.0.1:*")
        .variable("webhook_hosts", "http://127.0.0.1:*")
        .variable("webhook_private_hosts", "allow");
    // All hosts share the compiled components, also those of later runs.
    config.cache_dir = Some(target_dir().join("tmp").join("compiled"));
    match redis_url {
        Some(url) => config.variable("redis_url", url),
        None => config,
    }
}

/// Creates a directory for a host's files. Dropping the result deletes the directory.
///
/// # Panics
/// When the directory cannot be created.
#[must_use]
pub fn state_dir() -> TempDir {
    let directory = tempfile::Builder::new().prefix("edgeboard-").tempdir();
    directory.expect("a temporary directory")
}
