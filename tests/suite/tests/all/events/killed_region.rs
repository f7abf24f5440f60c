//! Tests of a region that is killed while it drains the queue: nothing is lost, and nothing counts twice.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use leaderboard_test_support::{
    ADMIN_KEY, ApiClient, RedisServer, StoreKind, block_on, built_program, free_port, project_root,
    state_dir, target_dir, wait_until,
};
use serde_json::json;

use super::stored_queue::StoredQueue;
use super::{message, read_letters, read_scores, score};

/// The number of messages in the queue while a region is killed.
const MESSAGES: i64 = 6_000;
/// How often a region is killed.
const KILLS: usize = 2;

/// A region in a process of its own, which is killed when this value is dropped.
struct RegionProcess {
    process: Child,
    url: String,
}

impl RegionProcess {
    /// Starts a region with its files in this directory, and waits until it is ready. Its store is this server, or SQLite with
    /// `None`.
    async fn start(store: Option<&RedisServer>, state: &Path) -> Self {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
        let store_url = store.map(RedisServer::url).unwrap_or_default();
        let process = Command::new(built_program("leaderboard-host"))
            .current_dir(project_root())
            .args(["--listen", &address.to_string(), "--state-dir"])
            .arg(state)
            .arg("--cache-dir")
            .arg(target_dir().join("tmp").join("compiled"))
            .env("SPIN_VARIABLE_ADMIN_KEY", ADMIN_KEY)
            .env("SPIN_VARIABLE_REDIS_URL", store_url)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let region = Self {
            process,
            url: format!("http://{address}"),
        };
        let api = ApiClient::over_http(&region.url);
        let ready = async || {
            api.bare("GET", "/health/ready")
                .try_send()
                .await
                .map(|answer| answer.status)
        };
        let ready = wait_until(ready, |ready| *ready == Ok(200)).await;
        assert_eq!(ready, Ok(200));
        region
    }
}

impl Drop for RegionProcess {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// Kills the region while it drains, and starts it again on the same store.
fn a_region_that_is_killed_while_it_drains_loses_and_doubles_nothing(store: StoreKind) {
    block_on(async {
        let redis = (store == StoreKind::Redis).then(RedisServer::start);
        let state = state_dir();
        let queue = match &redis {
            Some(redis) => StoredQueue::Redis(redis.url()),
            None => StoredQueue::Sqlite(state.path().join("sqlite_db.db")),
        };
        let mut region = RegionProcess::start(redis.as_ref(), state.path()).await;
        let mut api = ApiClient::over_http(&region.url);
        api.create_leaderboard("b", &json!({"operator": "increment"}))
            .await;
        let messages = (0..MESSAGES).map(|n| message(&api, &[score("p", 1, &n.to_string())]));
        queue.append(&api.tenant, &messages.collect::<Vec<_>>()).await;
        for _ in 0..KILLS {
            let before = queue.length().await;
            let tick = api.request_at("POST", "/internal/tick").try_send();
            let tick = tokio::task::spawn_local(tick);
            wait_until(async || queue.length().await, |left| *left < before).await;
            drop(region);
            assert!(tick.await.unwrap().is_err(), "the drain was over before the kill");
            assert!(queue.length().await > 0);
            region = RegionProcess::start(redis.as_ref(), state.path()).await;
            api = ApiClient::over_http(&region.url).for_tenant(&api.tenant);
        }
        queue.drain_all(&api).await;
        assert_eq!(read_scores(&api).await, [("p".to_owned(), MESSAGES)]);
        assert_eq!(read_letters(&api).await, []);
    });
}

#[test]
fn a_region_that_is_killed_while_it_drains_redis_loses_and_doubles_nothing() {
    a_region_that_is_killed_while_it_drains_loses_and_doubles_nothing(StoreKind::Redis);
}

#[test]
fn a_region_that_is_killed_while_it_drains_sqlite_loses_and_doubles_nothing() {
    a_region_that_is_killed_while_it_drains_loses_and_doubles_nothing(StoreKind::Sqlite);
}
