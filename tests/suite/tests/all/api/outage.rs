//! Tests with a store that is out of reach: responses are 503 and do not show the cause, and the service
//! recovers without a restart of the host.

use leaderboard_test_support::{
    ApiClient, ApiResponse, RedisServer, StoreKind, TestService, block_on, wait_until,
};
use serde_json::{Value, json};
use tokio::task::JoinSet;

/// Texts that a response must not contain.
const CAUSES: [&str; 9] = [
    "redis",
    "sqlite",
    "127.0.0.1",
    "connect",
    "refused",
    "locked",
    "busy",
    "timed",
    "script",
];

/// Asserts that a response is 503 and does not show the cause.
#[track_caller]
fn assert_unavailable(answer: &ApiResponse) {
    answer.expect_problem(503, "unavailable");
    assert_eq!(answer.header("retry-after"), "1");
    let actual = String::from_utf8_lossy(&answer.body).to_lowercase();
    for cause in CAUSES {
        assert!(!actual.contains(cause), "{cause} in {actual}");
    }
}

/// Returns the status of the readiness check.
async fn check_readiness(api: &ApiClient) -> u16 {
    api.get("/health/ready").await.status
}

/// Submits a score of 1 with this id.
async fn submit_with_id(api: &ApiClient, id: &str) -> ApiResponse {
    let submission = json!({"player": "p", "score": 1, "id": id});
    api.post("/leaderboards/b/scores", &submission).await
}

/// Repeats a request while its response is 503, and returns the first other response. After an outage, the
/// first request on a broken connection still gets 503.
async fn retry_while_unavailable(send: impl AsyncFnMut() -> ApiResponse) -> ApiResponse {
    wait_until(send, |answer| answer.status != 503).await
}

/// Returns requests that need the store: method, path and body.
fn list_requests() -> Vec<(&'static str, &'static str, Value)> {
    let score = json!({"player": "p", "score": 1});
    let to_list = json!({"player": "p", "score": 1, "leaderboards": ["b"]});
    vec![
        ("GET", "/leaderboards", json!(null)),
        ("GET", "/leaderboards/b", json!(null)),
        ("PUT", "/leaderboards/c", json!({})),
        ("PATCH", "/leaderboards/b", json!({})),
        ("DELETE", "/leaderboards/b", json!(null)),
        ("POST", "/leaderboards/b/scores", score),
        ("POST", "/scores", to_list.clone()),
        ("POST", "/scores", json!({"scores": [to_list]})),
        ("DELETE", "/leaderboards/b/scores/p", json!(null)),
        ("PUT", "/players/p/ban", json!(null)),
        ("DELETE", "/players/p/ban", json!(null)),
        ("GET", "/dead-letters", json!(null)),
        ("GET", "/leaderboards/b/entries", json!(null)),
        ("GET", "/leaderboards/b/entries/p", json!(null)),
        ("GET", "/leaderboards/b/entries/p/around", json!(null)),
        ("GET", "/leaderboards/b/periods", json!(null)),
        ("GET", "/leaderboards/b/distribution", json!(null)),
        ("GET", "/tenants", json!(null)),
        ("PUT", "/tenants/acme", json!({})),
        ("GET", "/tenants/acme/usage", json!(null)),
        ("GET", "/tenant", json!(null)),
        ("GET", "/tenant/usage", json!(null)),
        ("GET", "/audit", json!(null)),
        ("GET", "/operator/audit", json!(null)),
    ]
}

#[test]
fn routes_answer_with_one_problem_while_redis_is_down_and_recover_with_redis() {
    block_on(async {
        let mut service = TestService::start_on(Some(RedisServer::start_durable())).await;
        let api = service.api();
        api.create_leaderboard("b", &json!({"operator": "increment"}))
            .await;
        api.submit_score("b", "p", 5).await;
        let before = api.page("b", "").await;
        service.redis.as_mut().unwrap().kill();

        let mut actual: Option<Value> = None;
        for (verb, path, body) in list_requests() {
            let call = api.request(verb, path);
            let call = if body.is_null() { call } else { call.json(&body) };
            let answer = call.send().await;
            assert_unavailable(&answer);
            let mut document = answer.json();
            document["instance"].take();
            assert_eq!(
                *actual.get_or_insert_with(|| document.clone()),
                document,
                "{verb} {path}"
            );
        }
        // Requests that need no store are answered as before.
        api.post("/leaderboards/b/scores", &json!({"player": ""}))
            .await
            .expect_problem(422, "validation");
        assert_eq!(api.get("/health/live").await.expect_status(200)["status"], "pass");
        wait_until(async || check_readiness(&api).await, |status| *status == 503).await;
        let not_ready = api.get("/health/ready").await;
        assert_eq!(not_ready.header("retry-after"), "1");
        let actual = not_ready.expect_status(503);
        assert_eq!(
            (&actual["status"], &actual["components"]["store"]["status"]),
            (&json!("fail"), &json!("fail"))
        );

        service.redis.as_mut().unwrap().restart();
        wait_until(async || check_readiness(&api).await, |status| *status == 200).await;
        let page = retry_while_unavailable(async || api.get("/leaderboards/b/entries").await).await;
        assert_eq!(page.expect_status(200), before);
        let outcome = retry_while_unavailable(async || submit_with_id(&api, "x").await)
            .await
            .expect_status(200);
        assert_eq!(
            (&outcome["values"]["score"], &outcome["replayed"]),
            (&json!(6), &json!(false))
        );
    });
}

#[test]
fn acknowledged_scores_count_exactly_once_when_redis_is_killed() {
    const WRITERS: u32 = 8;
    block_on(async {
        let mut service = TestService::start_on(Some(RedisServer::start_durable())).await;
        let api = service.api();
        api.create_leaderboard("b", &json!({"operator": "increment"}))
            .await;
        let mut writers = JoinSet::new();
        for writer in 0..WRITERS {
            let api = api.clone();
            // Writes until the store fails. Returns how many writes succeeded, and the id of the failed one.
            writers.spawn_local(async move {
                let mut acknowledged = 0_u32;
                loop {
                    let id = format!("{writer}/{acknowledged}");
                    match submit_with_id(&api, &id).await.status {
                        200 => acknowledged += 1,
                        503 => return (acknowledged, id),
                        other => panic!("status {other}"),
                    }
                }
            });
        }
        wait_until(
            async || api.page("b", "").await["entries"][0]["values"]["score"].as_u64(),
            |sum| *sum > Some(100),
        )
        .await;
        service.redis.as_mut().unwrap().kill();
        let written = writers.join_all().await;
        service.redis.as_mut().unwrap().restart();
        wait_until(async || check_readiness(&api).await, |status| *status == 200).await;

        let acknowledged: u32 = written.iter().map(|(count, _)| count).sum();
        let page = retry_while_unavailable(async || api.get("/leaderboards/b/entries").await)
            .await
            .expect_status(200);
        let sum = page["entries"][0]["values"]["score"].as_u64().unwrap();
        // A score that was in flight when Redis was killed may have counted without an acknowledgement.
        assert!(
            (u64::from(acknowledged)..=u64::from(acknowledged + WRITERS)).contains(&sum),
            "{sum}, not {acknowledged}"
        );
        // Each writer sends its failed submission again, and then the sum is exact.
        for (_, id) in &written {
            retry_while_unavailable(async || submit_with_id(&api, id).await)
                .await
                .expect_status(200);
        }
        let sum = api.page("b", "").await["entries"][0]["values"]["score"]
            .as_u64()
            .unwrap();
        assert_eq!(sum, u64::from(acknowledged + WRITERS));
    });
}

#[test]
fn the_service_works_at_once_with_a_redis_that_lost_scripts_and_data() {
    block_on(async {
        let mut service = TestService::start(StoreKind::Redis).await;
        let api = service.api();
        api.create_leaderboard("b", &json!({})).await;
        api.submit_score("b", "p", 5).await;
        service.redis.as_mut().unwrap().restart();
        wait_until(async || check_readiness(&api).await, |status| *status == 200).await;
        // Instances and the key-value tier have the leaderboard's configuration, but the store lost it.
        let score = retry_while_unavailable(async || submit_with_id(&api, "x").await).await;
        score.expect_problem(404, "leaderboard-not-found");
        let page = retry_while_unavailable(async || api.get("/leaderboards/b/entries").await).await;
        page.expect_problem(404, "leaderboard-not-found");
        retry_while_unavailable(async || api.put("/leaderboards/b", &json!({})).await)
            .await
            .expect_status(201);
        assert_eq!(api.submit_score("b", "p", 1).await["status"], "created");
    });
}

#[test]
fn writes_to_a_locked_sqlite_file_get_503_until_the_lock_is_released() {
    block_on(async {
        let service = TestService::start(StoreKind::Sqlite).await;
        let api = service.api();
        api.create_leaderboard("b", &json!({"operator": "increment"}))
            .await;
        api.submit_score("b", "p", 5).await;
        let before = api.page("b", "").await;
        let lock = rusqlite::Connection::open(service.state.path().join("sqlite_db.db")).unwrap();
        lock.execute_batch("BEGIN EXCLUSIVE").unwrap();
        let submission = json!({"player": "p", "score": 1});
        let (score, put, ban) = tokio::join!(
            api.post("/leaderboards/b/scores", &submission),
            api.request("PUT", "/leaderboards/c").json(&json!({})).send(),
            api.request("PUT", "/players/p/ban").send(),
        );
        for answer in [score, put, ban] {
            assert_unavailable(&answer);
        }
        assert_eq!(api.get("/health/live").await.status, 200);
        lock.execute_batch("ROLLBACK").unwrap();
        drop(lock);
        assert_eq!(api.page("b", "").await, before);
        assert_eq!(api.submit_score("b", "p", 1).await["values"]["score"], 6);
        api.create_leaderboard("c", &json!({})).await;
    });
}

#[test]
fn a_host_that_starts_without_its_store_works_once_the_store_is_up() {
    block_on(async {
        let mut redis = RedisServer::start();
        redis.kill();
        let mut service = TestService::start_with_default_limits(Some(redis)).await;
        let api = service.api();
        assert_eq!(check_readiness(&api).await, 503);
        assert_unavailable(
            &api.put("/leaderboards/b", &Value::Object(serde_json::Map::new()))
                .await,
        );
        service.redis.as_mut().unwrap().restart();
        wait_until(async || check_readiness(&api).await, |status| *status == 200).await;
        wait_until(
            async || api.put("/leaderboards/b", &json!({})).await.status,
            |status| *status < 300,
        )
        .await;
    });
}
