//! Tests of the queue while Redis is killed: nothing acknowledged is lost, and nothing counts twice.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use leaderboard_test_support::{ApiClient, RedisServer, block_on, wait_until};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::stored_queue::StoredQueue;
use super::{read_letters, read_scores, start_region};

/// The number of clients that submit while a store is killed, and of the submissions of each.
const CLIENTS: usize = 8;
const SUBMISSIONS: usize = 1_250;
/// The number of submissions in a request.
const REQUEST_SIZE: usize = 10;
/// How often Redis is killed meanwhile.
const KILLS: usize = 3;

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
        StoredQueue::Redis(redis.url()).drain_all(&api).await;
        assert_eq!(read_scores(&api).await, expected_scores());
        assert_eq!(read_letters(&api).await, []);
    });
}
