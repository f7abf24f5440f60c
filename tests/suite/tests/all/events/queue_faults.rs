//! Tests of the queue while Redis or a region is killed: nothing acknowledged is lost, and nothing counts twice.

use std::cell::Cell;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::rc::Rc;
use std::time::Duration;

use leaderboard_test_support::{
    ADMIN_KEY, ApiClient, RedisServer, block_on, built_program, free_port, project_root, state_dir,
    target_dir, wait_until,
};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{connect, message, read_letters, read_scores, score, start_region};

/// The number of clients that submit while a store is killed, and of the submissions of each.
const CLIENTS: usize = 8;
const SUBMISSIONS: usize = 1_250;
/// The number of submissions in a request.
const REQUEST_SIZE: usize = 10;
/// How often Redis is killed meanwhile.
const KILLS: usize = 3;
/// The number of messages in the queue while a region is killed.
const MESSAGES: i64 = 6_000;

async fn length(server: &RedisServer) -> i64 {
    let mut command = redis::cmd("XLEN");
    command
        .arg("eb::queue")
        .query_async(&mut connect(server).await)
        .await
        .unwrap()
}

/// Ends the leases of all claimed items, as if 30 seconds had passed.
async fn end_leases(server: &RedisServer) {
    let script = " \
         for _, entry in ipairs(redis.call('XPENDING', KEYS[1], 'edgeboard', '-', '+', 100000)) do \
         redis.call('XCLAIM', KEYS[1], 'edgeboard', 'edgeboard', 0, entry[1], 'IDLE', 60000, 'JUSTID') end";
    let mut command = redis::cmd("EVAL");
    command.arg(script).arg(1).arg("eb::queue");
    let _: redis::Value = command.query_async(&mut connect(server).await).await.unwrap();
}

/// Drains the queue until it is empty.
async fn drain_all(api: &ApiClient, server: &RedisServer) {
    let drain = async || {
        end_leases(server).await;
        api.request_at("POST", "/internal/tick").send().await;
        length(server).await
    };
    wait_until(drain, |left| *left == 0).await;
}

async fn create_leaderboard(api: &ApiClient) {
    api.switch_limits_off().await;
    api.create_leaderboard("b", &json!({"operator": "increment"}))
        .await;
}

/// What happened to the requests of all clients so far.
#[derive(Default)]
struct Traffic {
    /// The number of acknowledged submissions.
    acknowledged: Cell<usize>,
    /// The number of requests that failed, and were sent again.
    failed: Cell<usize>,
}

/// A request with submissions of one client.
#[derive(Clone, Copy)]
struct Batch {
    client: usize,
    /// The numbers of the first submission and of the one after the last.
    numbers: (usize, usize),
    is_queued: bool,
}

impl Batch {
    /// Sends the request until it is acknowledged, always with the same ids.
    async fn submit_until_acknowledged(self, api: &ApiClient, traffic: &Traffic) {
        let (first, end) = self.numbers;
        let client = self.client;
        let scores: Vec<Value> = (first..end)
            .map(|n| json!({"player": format!("p{client}"), "score": 1, "id": format!("{client}/{n}")}))
            .collect();
        let (prefer, expected) = if self.is_queued {
            ("respond-async", 202)
        } else {
            ("wait=10", 207)
        };
        loop {
            let request = api
                .request("POST", "/leaderboards/b/scores")
                .header("prefer", prefer);
            let answer = request.json(&json!({ "scores": scores })).send().await;
            if answer.status == expected {
                traffic
                    .acknowledged
                    .set(traffic.acknowledged.get() + scores.len());
                return;
            }
            assert_eq!(answer.status, 503);
            traffic.failed.set(traffic.failed.get() + 1);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Starts the clients. Each sends its submissions in requests of this size; of `queued_of` requests, the first waits in the queue.
fn start_clients(api: &ApiClient, traffic: &Rc<Traffic>, size: usize, queued_of: usize) -> JoinSet<()> {
    let mut clients = JoinSet::new();
    for client in 0..CLIENTS {
        let (api, traffic) = (api.clone(), Rc::clone(traffic));
        clients.spawn_local(async move {
            for n in 0..SUBMISSIONS / size {
                let batch = Batch {
                    client,
                    numbers: (n * size, (n + 1) * size),
                    is_queued: n.is_multiple_of(queued_of),
                };
                batch.submit_until_acknowledged(&api, &traffic).await;
            }
        });
    }
    clients
}

/// Returns the scores after all submissions.
fn expected_scores() -> Vec<(String, i64)> {
    let each = i64::try_from(SUBMISSIONS).unwrap();
    (0..CLIENTS).map(|client| (format!("p{client}"), each)).collect()
}

#[test]
fn a_killed_redis_loses_no_acknowledged_submission() {
    block_on(async {
        let (mut redis, events) = (RedisServer::start_durable(), RedisServer::start());
        let region = start_region(Some(&redis), &events).await;
        let api = region.api();
        create_leaderboard(&api).await;
        let traffic = Rc::new(Traffic::default());
        let clients = start_clients(&api, &traffic, REQUEST_SIZE, 2);
        for kill in 1..=KILLS {
            let share = kill * CLIENTS * SUBMISSIONS / (KILLS + 1);
            wait_until(async || traffic.acknowledged.get(), |count| *count >= share).await;
            redis.kill();
            let before = traffic.failed.get();
            wait_until(async || traffic.failed.get(), |count| *count > before).await;
            redis.restart();
        }
        clients.join_all().await;
        wait_until(
            async || api.get("/health/ready").await.status,
            |status| *status == 200,
        )
        .await;
        drain_all(&api, &redis).await;
        assert_eq!(read_scores(&api).await, expected_scores());
        assert_eq!(read_letters(&api).await, []);
    });
}

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

/// Appends many messages with one score each.
async fn append_messages(server: &RedisServer, api: &ApiClient) {
    let mut redis = connect(server).await;
    for begin in (0..MESSAGES).step_by(1_000) {
        let mut pipe = redis::pipe();
        for n in begin..begin + 1_000 {
            let scores: &[Value] = &[score("p", 1, &n.to_string())];
            pipe.cmd("XADD")
                .arg("eb::queue")
                .arg("*")
                .arg("message")
                .arg(message(api, scores))
                .ignore();
        }
        pipe.query_async::<()>(&mut redis).await.unwrap();
    }
}

#[test]
fn a_region_that_is_killed_while_it_drains_loses_and_doubles_nothing() {
    block_on(async {
        let (redis, events) = (RedisServer::start(), RedisServer::start());
        let other = start_region(Some(&redis), &events).await;
        let api = other.api();
        api.create_leaderboard("b", &json!({"operator": "increment"}))
            .await;
        append_messages(&redis, &api).await;
        for _ in 0..2 {
            let state = state_dir();
            let region = RegionProcess::start(Some(&redis), state.path()).await;
            let before = length(&redis).await;
            let tick = ApiClient::over_http(&region.url)
                .request_at("POST", "/internal/tick")
                .try_send();
            let tick = tokio::task::spawn_local(tick);
            wait_until(async || length(&redis).await, |left| *left < before).await;
            drop(region);
            assert!(tick.await.unwrap().is_err(), "the drain was over before the kill");
            assert!(length(&redis).await > 0);
        }
        drain_all(&api, &redis).await;
        assert_eq!(read_scores(&api).await, [("p".to_owned(), MESSAGES)]);
        assert_eq!(read_letters(&api).await, []);
    });
}
