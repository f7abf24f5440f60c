//! Tests of scores that are published on a Redis channel.

mod dead_letters;
mod delivery;
mod failover;
mod killed_region;
mod queue;
mod queue_faults;
mod regions;
mod replicas;
mod stored_queue;

use leaderboard_host::{Host, Running};
use leaderboard_test_support::{ApiClient, RedisServer, block_on, host_config, state_dir, wait_until};
use redis::aio::MultiplexedConnection;
use serde_json::{Value, json};
use tempfile::TempDir;

/// The channel on which scores are published.
const CHANNEL: &str = "edgeboard.scores";

/// A host that listens to the channel of a Redis server.
struct Region {
    host: Running,
    _state: TempDir,
}

/// Starts a host that listens to the Redis server `events`. Its store is the Redis server `store`, or SQLite
/// with `None`.
async fn start_region(store: Option<&RedisServer>, events: &RedisServer) -> Region {
    start_region_at(store.map(RedisServer::url).as_deref(), events).await
}

/// Starts a host as [`start_region`], with the address of its Redis store.
async fn start_region_at(store_url: Option<&str>, events: &RedisServer) -> Region {
    let state = state_dir();
    let configuration = host_config(state.path(), store_url);
    let host = Host::start(configuration.variable("events_url", events.url()))
        .await
        .unwrap();
    Region { host, _state: state }
}

impl Region {
    fn api(&self) -> ApiClient {
        ApiClient::over_http(&self.host.url())
    }
}

/// Runs a test on a host whose store and channel are one Redis server. It has a leaderboard `b`.
fn on_redis(test: impl AsyncFnOnce(&ApiClient, &RedisServer)) {
    block_on(async {
        let redis = RedisServer::start();
        let region = start_region(Some(&redis), &redis).await;
        wait_for_listeners(&redis, 1).await;
        let api = region.api();
        api.create_leaderboard("b", &json!({"operator": "increment"}))
            .await;
        test(&api, &redis).await;
    });
}

async fn connect(server: &RedisServer) -> MultiplexedConnection {
    redis::Client::open(server.url())
        .unwrap()
        .get_multiplexed_async_connection()
        .await
        .unwrap()
}

/// Returns how many hosts listen to the channel.
async fn count_listeners(server: &RedisServer) -> i64 {
    let mut redis = connect(server).await;
    let (_, count): (String, i64) = redis::cmd("PUBSUB")
        .arg("NUMSUB")
        .arg(CHANNEL)
        .query_async(&mut redis)
        .await
        .unwrap();
    count
}

/// Waits until this number of hosts listens to the channel.
async fn wait_for_listeners(server: &RedisServer, count: i64) {
    wait_until(async || count_listeners(server).await, |now| *now == count).await;
}

/// Publishes a message, and returns how many hosts received it.
async fn publish(server: &RedisServer, payload: &[u8]) -> i64 {
    redis::cmd("PUBLISH")
        .arg(CHANNEL)
        .arg(payload)
        .query_async(&mut connect(server).await)
        .await
        .unwrap()
}

/// Returns a message with scores for the client's tenant.
fn message(api: &ApiClient, scores: &[Value]) -> Vec<u8> {
    json!({"tenant": api.tenant, "scores": scores})
        .to_string()
        .into_bytes()
}

/// Returns one score for the leaderboard `b`.
fn score(player: &str, score: i64, id: &str) -> Value {
    json!({"player": player, "score": score, "id": id, "leaderboards": ["b"]})
}

/// Returns the players of the leaderboard `b` with their scores, sorted by player.
async fn read_scores(api: &ApiClient) -> Vec<(String, i64)> {
    let mut list: Vec<_> = api
        .list_entries("b")
        .await
        .into_iter()
        .map(|entry| (entry.player, entry.score))
        .collect();
    list.sort();
    list
}

/// Returns reason and payload of all dead letters, newest first.
async fn read_letters(api: &ApiClient) -> Vec<(String, String)> {
    let page = api.get("/dead-letters?limit=1000").await.expect_status(200);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    page["letters"]
        .as_array()
        .unwrap()
        .iter()
        .map(|letter| (text(&letter["reason"]), text(&letter["payload"])))
        .collect()
}
