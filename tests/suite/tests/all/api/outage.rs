//! The store out of reach: 503 without a cause, and recovery without a restart of the host.

use leaderboard_suite::RedisServer;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::edgeboard::{Edgeboard, Reply, Site, Store, eventually};
use crate::harness::block_on;

/// What a client must not be told.
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
fn assert_unavailable(answer: &Reply) {
    answer.problem(503, "unavailable");
    assert_eq!(answer.header("retry-after"), "1");
    let told = String::from_utf8_lossy(&answer.body).to_lowercase();
    for cause in CAUSES {
        assert!(!told.contains(cause), "{cause} in {told}");
    }
}

async fn ready(edgeboard: &Edgeboard) -> u16 {
    edgeboard.get("/health/ready").await.status
}

async fn submit_once(edgeboard: &Edgeboard, id: &str) -> Reply {
    let submission = json!({"player": "p", "score": 1, "id": id});
    edgeboard.post("/leaderboards/b/scores", &submission).await
}

/// The answer once it is no longer 503: the first call on a connection that has died meanwhile still is.
async fn answered(ask: impl AsyncFnMut() -> Reply) -> Reply {
    eventually(ask, |answer| answer.status != 503).await
}

#[test]
fn without_redis_every_call_is_answered_503_and_with_it_again_all_work() {
    block_on(async {
        let mut site = Site::on(Some(RedisServer::start_durable())).await;
        let edgeboard = site.edgeboard();
        edgeboard.board("b", &json!({"operator": "increment"})).await;
        edgeboard.score("b", "p", 5).await;
        let before = edgeboard.page("b", "").await;
        site.redis.as_mut().unwrap().kill();

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
            assert_unavailable(&edgeboard.get(path).await);
        }
        let score = json!({"player": "p", "score": 1, "leaderboards": ["b"]});
        assert_unavailable(
            &edgeboard
                .post("/leaderboards/b/scores", &json!({"player": "p", "score": 1}))
                .await,
        );
        assert_unavailable(&edgeboard.post("/scores", &json!({"scores": [score]})).await);
        assert_unavailable(&edgeboard.put("/leaderboards/c", &json!({})).await);
        assert_unavailable(&edgeboard.patch("/leaderboards/b", &json!({})).await);
        for path in ["/leaderboards/b", "/leaderboards/b/scores/p", "/players/p/ban"] {
            assert_unavailable(&edgeboard.delete(path).await);
        }
        // What needs no store is answered as ever.
        edgeboard
            .post("/leaderboards/b/scores", &json!({"player": ""}))
            .await
            .problem(422, "validation");
        assert_eq!(edgeboard.get("/health/live").await.is(200)["status"], "pass");
        eventually(async || ready(&edgeboard).await, |status| *status == 503).await;
        let not_ready = edgeboard.get("/health/ready").await;
        assert_eq!(not_ready.header("retry-after"), "1");
        let told = not_ready.is(503);
        assert_eq!(
            (&told["status"], &told["components"]["store"]["status"]),
            (&json!("fail"), &json!("fail"))
        );

        site.redis.as_mut().unwrap().restart();
        eventually(async || ready(&edgeboard).await, |status| *status == 200).await;
        let page = answered(async || edgeboard.get("/leaderboards/b/entries").await).await;
        assert_eq!(page.is(200), before);
        let outcome = answered(async || submit_once(&edgeboard, "x").await)
            .await
            .is(200);
        assert_eq!(
            (&outcome["values"]["score"], &outcome["replayed"]),
            (&json!(6), &json!(false))
        );
    });
}

#[test]
fn an_outage_is_told_in_the_same_words_on_every_route() {
    block_on(async {
        let mut site = Site::on(Some(RedisServer::start())).await;
        let edgeboard = site.edgeboard();
        site.redis.as_mut().unwrap().kill();
        let score = json!({"player": "p", "score": 1, "leaderboards": ["b"]});
        let mut told: Option<Value> = None;
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
            let call = edgeboard.call(verb, path);
            let call = if body.is_null() { call } else { call.json(&body) };
            let mut document = call.send().await.problem(503, "unavailable");
            document["instance"].take();
            assert_eq!(
                *told.get_or_insert_with(|| document.clone()),
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
        let mut site = Site::on(Some(RedisServer::start_durable())).await;
        let edgeboard = site.edgeboard();
        edgeboard.board("b", &json!({"operator": "increment"})).await;
        let mut writers = JoinSet::new();
        for writer in 0..WRITERS {
            let edgeboard = edgeboard.clone();
            // Writes until the store is gone: which ids were acknowledged, and the one that was not.
            writers.spawn(async move {
                let mut acknowledged = 0_u32;
                loop {
                    let id = format!("{writer}/{acknowledged}");
                    match submit_once(&edgeboard, &id).await.status {
                        200 => acknowledged += 1,
                        503 => return (acknowledged, id),
                        other => panic!("status {other}"),
                    }
                }
            });
        }
        eventually(
            async || edgeboard.page("b", "").await["entries"][0]["values"]["score"].as_u64(),
            |sum| *sum > Some(100),
        )
        .await;
        site.redis.as_mut().unwrap().kill();
        let written = writers.join_all().await;
        site.redis.as_mut().unwrap().restart();
        eventually(async || ready(&edgeboard).await, |status| *status == 200).await;

        let acknowledged: u32 = written.iter().map(|(count, _)| count).sum();
        let page = answered(async || edgeboard.get("/leaderboards/b/entries").await)
            .await
            .is(200);
        let sum = page["entries"][0]["values"]["score"].as_u64().unwrap();
        // Those that were under way when it died may have counted, without an answer.
        assert!(
            (u64::from(acknowledged)..=u64::from(acknowledged + WRITERS)).contains(&sum),
            "{sum}, not {acknowledged}"
        );
        // Each client sends its last one again, and the sum is exact.
        for (_, id) in &written {
            answered(async || submit_once(&edgeboard, id).await).await.is(200);
        }
        let sum = edgeboard.page("b", "").await["entries"][0]["values"]["score"]
            .as_u64()
            .unwrap();
        assert_eq!(sum, u64::from(acknowledged + WRITERS));
    });
}

#[test]
fn a_redis_that_forgot_its_scripts_and_data_is_worked_with_at_once() {
    block_on(async {
        let mut site = Site::start(Store::Redis).await;
        let edgeboard = site.edgeboard();
        edgeboard.board("b", &json!({})).await;
        edgeboard.score("b", "p", 5).await;
        site.redis.as_mut().unwrap().restart();
        eventually(async || ready(&edgeboard).await, |status| *status == 200).await;
        // The instance and the region still remember the leaderboard; the store has the last word.
        let score = answered(async || submit_once(&edgeboard, "x").await).await;
        score.problem(404, "leaderboard-not-found");
        let page = answered(async || edgeboard.get("/leaderboards/b/entries").await).await;
        page.problem(404, "leaderboard-not-found");
        answered(async || edgeboard.put("/leaderboards/b", &json!({})).await)
            .await
            .is(201);
        assert_eq!(edgeboard.score("b", "p", 1).await["status"], "created");
    });
}

#[test]
fn a_locked_sqlite_file_refuses_writes_with_503_until_it_is_free() {
    block_on(async {
        let site = Site::start(Store::Sqlite).await;
        let edgeboard = site.edgeboard();
        edgeboard.board("b", &json!({"operator": "increment"})).await;
        edgeboard.score("b", "p", 5).await;
        let before = edgeboard.page("b", "").await;
        let other = rusqlite::Connection::open(site.state.path().join("sqlite_db.db")).unwrap();
        other.execute_batch("BEGIN EXCLUSIVE").unwrap();
        let submission = json!({"player": "p", "score": 1});
        let (score, put, ban) = tokio::join!(
            edgeboard.post("/leaderboards/b/scores", &submission),
            edgeboard.call("PUT", "/leaderboards/c").json(&json!({})).send(),
            edgeboard.call("PUT", "/players/p/ban").send(),
        );
        for answer in [score, put, ban] {
            assert_unavailable(&answer);
        }
        assert_eq!(edgeboard.get("/health/live").await.status, 200);
        other.execute_batch("ROLLBACK").unwrap();
        drop(other);
        assert_eq!(edgeboard.page("b", "").await, before);
        assert_eq!(edgeboard.score("b", "p", 1).await["values"]["score"], 6);
        edgeboard.board("c", &json!({})).await;
    });
}

#[test]
fn a_host_starts_without_its_store_and_waits_for_it() {
    block_on(async {
        let mut redis = RedisServer::start();
        redis.kill();
        let mut site = Site::limited(Some(redis)).await;
        let edgeboard = site.edgeboard();
        assert_eq!(ready(&edgeboard).await, 503);
        assert_unavailable(
            &edgeboard
                .put("/leaderboards/b", &Value::Object(serde_json::Map::new()))
                .await,
        );
        site.redis.as_mut().unwrap().restart();
        eventually(async || ready(&edgeboard).await, |status| *status == 200).await;
        eventually(
            async || edgeboard.put("/leaderboards/b", &json!({})).await.status,
            |status| *status < 300,
        )
        .await;
    });
}
