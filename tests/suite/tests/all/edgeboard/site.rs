//! A local host with a store behind it.

use std::path::{Path, PathBuf};

use leaderboard_host::{Host, HostConfig, Running};
use leaderboard_suite::RedisServer;
use serde_json::json;
use tempfile::TempDir;

use super::Edgeboard;

/// The operator's key in all tests.
pub(crate) const KEY: &str = "a key for tests alone, with 32 bytes and more";

/// What players' tokens are signed with in all tests.
const TOKEN_SECRET: &str = "a secret that signs players' tokens in tests alone";

/// What keeps the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Store {
    Sqlite,
    Redis,
}

/// The root of the project.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

/// A host of one's own, and what it stands on. Dropping it stops both.
pub(crate) struct Site {
    pub(crate) host: Running,
    pub(crate) redis: Option<RedisServer>,
    pub(crate) state: TempDir,
}

impl Site {
    /// A host on a fresh store.
    pub(crate) async fn start(store: Store) -> Self {
        match store {
            Store::Sqlite => Self::on(None).await,
            Store::Redis => Self::on(Some(RedisServer::start())).await,
        }
    }

    /// A host on this Redis, or on SQLite, whose callers are not limited: tests come in crowds from one address.
    pub(crate) async fn on(redis: Option<RedisServer>) -> Self {
        let site = Self::limited(redis).await;
        let off = json!({"client": "off", "credentials": "off", "key": "off", "player": "off"});
        let edgeboard = site.edgeboard();
        let limits = json!({"policies": off});
        edgeboard.put("/operator/limits", &limits).await.is(201);
        site
    }

    /// A host with the limits that hold by default.
    pub(crate) async fn limited(redis: Option<RedisServer>) -> Self {
        let state = state_dir();
        let url = redis.as_ref().map(RedisServer::url);
        let host = Host::start(configuration(state.path(), url.as_deref()))
            .await
            .expect("the host starts");
        Self { host, redis, state }
    }

    /// A tenant of its own on this host.
    pub(crate) fn edgeboard(&self) -> Edgeboard {
        Edgeboard::new(self.host.url())
    }
}

/// How a host is started: no Redis trigger, and on SQLite unless there is a Redis.
pub(crate) fn configuration(state_dir: &Path, redis_url: Option<&str>) -> HostConfig {
    let mut configuration = HostConfig::new(root().join("spin.toml"), state_dir)
        .variable("admin_key", KEY)
        .variable("player_token_secret", TOKEN_SECRET)
        .variable("issuer_hosts", "http://127.0.0.1:*");
    // Compiled once, for every host of every run.
    configuration.cache_dir = Some(Path::new(env!("CARGO_TARGET_TMPDIR")).join("compiled"));
    match redis_url {
        Some(url) => configuration.variable("redis_url", url),
        None => configuration,
    }
}

/// A directory for a host's files, gone when it is dropped.
pub(crate) fn state_dir() -> TempDir {
    tempfile::Builder::new().prefix("edgeboard-").tempdir().unwrap()
}
