//! A Redis that is filled up to its `maxmemory`: it refuses scores, and can be emptied over HTTP.

use leaderboard_redis::{Connection as _, Reply as Value};
use leaderboard_suite::{RedisServer, native_redis};
use serde_json::json;

use crate::edgeboard::{Site, eventually};
use crate::harness::block_on;

/// How much more than at its start the server may take, in bytes.
const ROOM: u64 = 3 << 20;
/// More batches of a thousand scores than fit into that.
const BATCHES: usize = 20;

async fn limit_memory(redis: &RedisServer) {
    let connection = native_redis::connect(&redis.url()).await;
    let info = connection.command("INFO", &[b"memory"]).await.unwrap();
    let [Value::Bytes(info)] = info.as_slice() else {
        panic!("{info:?}")
    };
    let info = String::from_utf8_lossy(info);
    let used: u64 = info
        .lines()
        .find_map(|line| line.strip_prefix("used_memory:")?.parse().ok())
        .unwrap();
    let most = (used + ROOM).to_string();
    for (name, value) in [("maxmemory-policy", "noeviction"), ("maxmemory", most.as_str())] {
        let set: [&[u8]; 3] = [b"SET", name.as_bytes(), value.as_bytes()];
        connection.command("CONFIG", &set).await.unwrap();
    }
}

#[test]
fn a_store_that_is_full_can_be_emptied() {
    block_on(async {
        let site = Site::on(Some(RedisServer::start())).await;
        let edgeboard = site.edgeboard();
        let scopes = json!({"name": "k", "scopes": ["admin", "scores:read", "scores:write"]});
        let key = edgeboard.post("/keys", &scopes).await.is(201)["key"]
            .as_str()
            .unwrap()
            .to_owned();
        let with_key =
            async |verb: &str, path: &str| edgeboard.call(verb, path).instead("x-api-key", &key).send().await;
        for board in ["small", "large"] {
            edgeboard.board(board, &json!({})).await;
            edgeboard.score(board, "p", 1).await;
        }
        limit_memory(site.redis.as_ref().unwrap()).await;
        let metadata = json!({"text": "x".repeat(900)});
        let mut refused = None;
        for batch in 0..BATCHES {
            let scores: Vec<_> = (0..500)
                .map(|n| json!({"player": format!("p{batch}-{n}"), "score": n, "metadata": metadata}))
                .collect();
            let answer = edgeboard
                .post("/leaderboards/large/scores", &json!({"scores": scores}))
                .await;
            if answer.status != 207 {
                refused = Some(answer);
                break;
            }
        }
        refused.expect("the store is full").problem(503, "unavailable");
        with_key("PUT", "/players/p/ban").await.is(204);
        assert_eq!(edgeboard.page("small", "").await["count"], 0);
        with_key("DELETE", "/leaderboards/small/scores/p").await.is(204);
        with_key("DELETE", "/leaderboards/large").await.is(204);
        edgeboard
            .get("/leaderboards/large")
            .await
            .problem(404, "leaderboard-not-found");
        // There is room again, and what was done is as it should be.
        let made = async || edgeboard.put("/leaderboards/large", &json!({})).await.status;
        eventually(made, |status| *status < 300).await;
        edgeboard.score("large", "q", 1).await;
        assert_eq!(edgeboard.page("large", "").await["count"], 1);
        edgeboard
            .entry("small", "p")
            .await
            .problem(404, "entry-not-found");
    });
}
