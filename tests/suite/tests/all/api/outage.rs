//! The store out of reach: 503 without a cause, and recovery without a restart of the host.

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

#[track_caller]
fn assert_unavailable(answer: &ApiResponse) {
    answer.expect_problem(503, "unavailable");
    assert_eq!(answer.header("retry-after"), "1");
    let actual = String::from_utf8_lossy(&answer.body).to_lowercase();
    for cause in CAUSES {
        assert!(!actual.contains(cause), "{cause} in {actual}");
    }
}

async fn ready(api: &ApiClient) -> u16 {
    api.get("/health/ready").await.status
}

async fn submit_once(api: &ApiClient, id: &str) -> ApiResponse {
    let submission = json!({"player": "p", "score": 1, "id": id});
    api.post("/leaderboards/b/scores", &submission).await
}

/// The answer once it is no longer 503: the first call on a connection that has died meanwhile still is.
async fn answered(ask: impl AsyncFnMut() -> ApiResponse) -> ApiResponse {
    wait_until(ask, |answer| answer.status != 503).await
}

#[test]
fn without_redis_every_call_is_answered_503_and_with_it_again_all_work() {
    block_on(async {
        let mut service = TestService::start_on(Some(RedisServer::start_durable())).await;
        let api = service.api();
        api.create_leaderboard("b", &json!({"operator": "increment"}))
            .await;
        api.submit_score("b", "p", 5).await;
        let before = api.page("b", "").await;
        service.redis.as_mut().unwrap().kill();

        for path in [
            "/leaderboards",
            "/leaderboards/b",
            "/leaderboards/b/entries",
            "/leaderboards/b/entries/p",
            "/leaderboards/b/entries/p/around",
            "/leaderboards/b/periods",
            "/leaderboards/b/distribution",
            "/dead-letters",
        ] {
            assert_unavailable(&api.get(path).await);
        }
        let score = json!({"player": "p", "score": 1, "leaderboards": ["b"]});
        assert_unavailable(
            &api.post("/leaderboards/b/scores", &json!({"player": "p", "score": 1}))
                .await,
        );
        assert_unavailable(&api.post("/scores", &json!({"scores": [score]})).await);
        assert_unavailable(&api.put("/leaderboards/c", &json!({})).await);
        assert_unavailable(&api.patch("/leaderboards/b", &json!({})).await);
        for path in ["/leaderboards/b", "/leaderboards/b/scores/p", "/players/p/ban"] {
            assert_unavailable(&api.delete(path).await);
        }
        // What needs no store is answered as ever.
        api.post("/leaderboards/b/scores", &json!({"player": ""}))
            .await
            .expect_problem(422, "validation");
        assert_eq!(api.get("/health/live").await.expect_status(200)["status"], "pass");
        wait_until(async || ready(&api).await, |status| *status == 503).await;
        let not_ready = api.get("/health/ready").await;
        assert_eq!(not_ready.header("retry-after"), "1");
        let actual = not_ready.expect_status(503);
        assert_eq!(
            (&actual["status"], &actual["components"]["store"]["status"]),
            (&json!("fail"), &json!("fail"))
        );

        service.redis.as_mut().unwrap().restart();
        wait_until(async || ready(&api).await, |status| *status == 200).await;
        let page = answered(async || api.get("/leaderboards/b/entries").await).await;
        assert_eq!(page.expect_status(200), before);
        let outcome = answered(async || submit_once(&api, "x").await)
            .await
            .expect_status(200);
        assert_eq!(
            (&outcome["values"]["score"], &outcome["replayed"]),
            (&json!(6), &json!(false))
        );
    });
}

#[test]
fn every_route_answers_an_outage_with_the_same_problem() {
    block_on(async {
        let mut service = TestService::start_on(Some(RedisServer::start())).await;
        let api = service.api();
        service.redis.as_mut().unwrap().kill();
        let score = json!({"player": "p", "score": 1, "leaderboards": ["b"]});
        let mut actual: Option<Value> = None;
        for (verb, path, body) in [
            ("GET", "/leaderboards", json!(null)),
            ("GET", "/leaderboards/b", json!(null)),
            ("PUT", "/leaderboards/b", json!({})),
            ("PATCH", "/leaderboards/b", json!({})),
            ("DELETE", "/leaderboards/b", json!(null)),
            ("POST", "/scores", score),
            ("DELETE", "/leaderboards/b/scores/p", json!(null)),
            ("PUT", "/players/p/ban", json!(null)),
            ("DELETE", "/players/p/ban", json!(null)),
            ("GET", "/dead-letters", json!(null)),
            ("GET", "/leaderboards/b/entries", json!(null)),
            ("GET", "/leaderboards/b/entries/p", json!(null)),
            ("GET", "/leaderboards/b/distribution", json!(null)),
            ("GET", "/tenants", json!(null)),
            ("PUT", "/tenants/acme", json!({})),
            ("GET", "/tenants/acme/usage", json!(null)),
            ("GET", "/tenant", json!(null)),
            ("GET", "/tenant/usage", json!(null)),
            ("GET", "/audit", json!(null)),
            ("GET", "/operator/audit", json!(null)),
        ] {
            let call = api.request(verb, path);
            let call = if body.is_null() { call } else { call.json(&body) };
            let mut document = call.send().await.expect_problem(503, "unavailable");
            document["instance"].take();
            assert_eq!(
                *actual.get_or_insert_with(|| document.clone()),
                document,
                "{verb} {path}"
            );
        }
    });
}

#[test]
fn no_acknowledged_score_is_lost_when_redis_is_killed_and_none_counts_twice() {
    const WRITERS: u32 = 8;
    block_on(async {
        let mut service = TestService::start_on(Some(RedisServer::start_durable())).await;
        let api = service.api();
        api.create_leaderboard("b", &json!({"operator": "increment"}))
            .await;
        let mut writers = JoinSet::new();
        for writer in 0..WRITERS {
            let api = api.clone();
            // Writes until the store is gone: which ids were acknowledged, and the one that was not.
            writers.spawn_local(async move {
                let mut acknowledged = 0_u32;
                loop {
                    let id = format!("{writer}/{acknowledged}");
                    match submit_once(&api, &id).await.status {
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
        wait_until(async || ready(&api).await, |status| *status == 200).await;

        let acknowledged: u32 = written.iter().map(|(count, _)| count).sum();
        let page = answered(async || api.get("/leaderboards/b/entries").await)
            .await
            .expect_status(200);
        let sum = page["entries"][0]["values"]["score"].as_u64().unwrap();
        // Those that were under way when it died may have counted, without an answer.
        assert!(
            (u64::from(acknowledged)..=u64::from(acknowledged + WRITERS)).contains(&sum),
            "{sum}, not {acknowledged}"
        );
        // Each client sends its last one again, and the sum is exact.
        for (_, id) in &written {
            answered(async || submit_once(&api, id).await)
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
        wait_until(async || ready(&api).await, |status| *status == 200).await;
        // The instance and the region still remember the leaderboard; the store has the last word.
        let score = answered(async || submit_once(&api, "x").await).await;
        score.expect_problem(404, "leaderboard-not-found");
        let page = answered(async || api.get("/leaderboards/b/entries").await).await;
        page.expect_problem(404, "leaderboard-not-found");
        answered(async || api.put("/leaderboards/b", &json!({})).await)
            .await
            .expect_status(201);
        assert_eq!(api.submit_score("b", "p", 1).await["status"], "created");
    });
}

#[test]
fn a_locked_sqlite_file_refuses_writes_with_503_until_it_is_free() {
    block_on(async {
        let service = TestService::start(StoreKind::Sqlite).await;
        let api = service.api();
        api.create_leaderboard("b", &json!({"operator": "increment"}))
            .await;
        api.submit_score("b", "p", 5).await;
        let before = api.page("b", "").await;
        let other = rusqlite::Connection::open(service.state.path().join("sqlite_db.db")).unwrap();
        other.execute_batch("BEGIN EXCLUSIVE").unwrap();
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
        other.execute_batch("ROLLBACK").unwrap();
        drop(other);
        assert_eq!(api.page("b", "").await, before);
        assert_eq!(api.submit_score("b", "p", 1).await["values"]["score"], 6);
        api.create_leaderboard("c", &json!({})).await;
    });
}

#[test]
fn a_host_starts_without_its_store_and_waits_for_it() {
    block_on(async {
        let mut redis = RedisServer::start();
        redis.kill();
        let mut service = TestService::start_with_default_limits(Some(redis)).await;
        let api = service.api();
        assert_eq!(ready(&api).await, 503);
        assert_unavailable(
            &api.put("/leaderboards/b", &Value::Object(serde_json::Map::new()))
                .await,
        );
        service.redis.as_mut().unwrap().restart();
        wait_until(async || ready(&api).await, |status| *status == 200).await;
        wait_until(
            async || api.put("/leaderboards/b", &json!({})).await.status,
            |status| *status < 300,
        )
        .await;
    });
}
