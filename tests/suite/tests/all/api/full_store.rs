//! Tests with a Redis that is full up to its `maxmemory`: scores are refused, and deletions still work.

use leaderboard_redis::{Connection as RedisConnection, Reply as RedisReply};
use leaderboard_test_support::{RedisServer, TestService, block_on, native_redis, wait_until};
use serde_json::json;

/// How much more memory than at the start of the test the server may use, in bytes.
const SPARE_BYTES: u64 = 3 << 20;
/// How many batches of 500 scores the test sends at most. They do not fit into `SPARE_BYTES`.
const BATCHES: usize = 20;

/// Limits the memory of the server to what it uses now plus `SPARE_BYTES`.
async fn limit_memory(redis: &RedisServer) {
    let connection = native_redis::connect(&redis.url()).await;
    let info = connection.command("INFO", &[b"memory"]).await.unwrap();
    let [RedisReply::Bytes(info)] = info.as_slice() else {
        panic!("{info:?}")
    };
    let info = String::from_utf8_lossy(info);
    let used: u64 = info
        .lines()
        .find_map(|line| line.strip_prefix("used_memory:")?.parse().ok())
        .unwrap();
    set_maxmemory(redis, used + SPARE_BYTES).await;
}

/// Sets how many bytes the server may use. 0 means that there is no limit.
async fn set_maxmemory(redis: &RedisServer, bytes: u64) {
    let connection = native_redis::connect(&redis.url()).await;
    let most = bytes.to_string();
    for (name, value) in [("maxmemory-policy", "noeviction"), ("maxmemory", most.as_str())] {
        let set: [&[u8]; 3] = [b"SET", name.as_bytes(), value.as_bytes()];
        connection.command("CONFIG", &set).await.unwrap();
    }
}

#[test]
fn a_full_store_refuses_scores_but_accepts_bans_and_deletions() {
    block_on(async {
        let service = TestService::start_on(Some(RedisServer::start())).await;
        let api = service.api();
        let scopes = json!({"name": "k", "scopes": ["admin", "scores:read", "scores:write"]});
        let key = api.post("/keys", &scopes).await.expect_status(201)["key"]
            .as_str()
            .unwrap()
            .to_owned();
        let with_key = async |verb: &str, path: &str| {
            api.request(verb, path)
                .replace_header("x-api-key", &key)
                .send()
                .await
        };
        for board in ["small", "large"] {
            api.create_leaderboard(board, &json!({})).await;
            api.submit_score(board, "p", 1).await;
        }
        limit_memory(service.redis.as_ref().unwrap()).await;
        let metadata = json!({"text": "x".repeat(900)});
        let mut refused = None;
        for batch in 0..BATCHES {
            let scores: Vec<_> = (0..500)
                .map(|n| json!({"player": format!("p{batch}-{n}"), "score": n, "metadata": metadata}))
                .collect();
            let answer = api
                .post("/leaderboards/large/scores", &json!({"scores": scores}))
                .await;
            if answer.status != 207 {
                refused = Some(answer);
                break;
            }
        }
        refused
            .expect("the store is full")
            .expect_problem(503, "unavailable");
        with_key("PUT", "/players/p/ban").await.expect_status(204);
        assert_eq!(api.page("small", "").await["count"], 0);
        with_key("DELETE", "/leaderboards/small/scores/p")
            .await
            .expect_status(204);
        with_key("DELETE", "/leaderboards/large").await.expect_status(204);
        api.get("/leaderboards/large")
            .await
            .expect_problem(404, "leaderboard-not-found");
        // The store accepts writes again, and the removals have taken effect.
        let create = async || api.put("/leaderboards/large", &json!({})).await.status;
        wait_until(create, |status| *status < 300).await;
        api.submit_score("large", "q", 1).await;
        assert_eq!(api.page("large", "").await["count"], 1);
        api.read_entry("small", "p")
            .await
            .expect_problem(404, "entry-not-found");
    });
}

/// Ends the leases of all claimed items of the queue, as if 30 seconds had passed.
async fn end_leases(connection: &impl RedisConnection) {
    let script = b"for _, entry in ipairs(redis.call('XPENDING', KEYS[1], 'edgeboard', '-', '+', 100)) do \
        redis.call('XCLAIM', KEYS[1], 'edgeboard', 'edgeboard', 0, entry[1], 'IDLE', 60000, 'JUSTID') end";
    let arguments: [&[u8]; 3] = [script, b"1", b"eb::queue"];
    connection.command("EVAL", &arguments).await.unwrap();
}

#[test]
fn a_score_in_the_queue_waits_until_the_store_has_memory() {
    /// More than the attempts of an item.
    const TICKS: usize = 13;
    block_on(async {
        let service = TestService::start_on(Some(RedisServer::start())).await;
        let api = service.api();
        api.create_leaderboard("b", &json!({})).await;
        let redis = service.redis.as_ref().unwrap();
        let connection = native_redis::connect(&redis.url()).await;
        let message = json!({"tenant": api.tenant,
            "scores": [{"leaderboards": ["b"], "player": "p", "score": 7, "id": "1"}]});
        let message = message.to_string();
        let added: [&[u8]; 4] = [b"eb::queue", b"*", b"message", message.as_bytes()];
        connection.command("XADD", &added).await.unwrap();
        set_maxmemory(redis, 1).await;
        for _ in 0..TICKS {
            let tick = api.request_at("POST", "/internal/tick").send().await;
            assert_eq!(tick.expect_status(200)["retried"], 1);
            end_leases(&connection).await;
        }
        set_maxmemory(redis, 0).await;
        let tick = api.request_at("POST", "/internal/tick").send().await;
        assert_eq!(tick.expect_status(200)["finished"], 1);
        assert_eq!(api.page("b", "").await["entries"][0]["values"]["score"], 7);
        let letters = api.get("/dead-letters").await.expect_status(200);
        assert_eq!(letters["letters"], json!([]));
    });
}
