//! A Redis that is filled up to its `maxmemory`: it refuses scores, and can be emptied over HTTP.

use leaderboard_core::ports::{DeadLetter, DeadLetters};
use leaderboard_core::{TenantId, Timestamp};
use leaderboard_redis::{Connection as _, RedisStore, Reply as Value};
use leaderboard_suite::{RedisServer, native_redis};
use serde_json::json;

use crate::edgeboard::{Site, eventually};
use crate::harness::block_on;

/// How much more than at its start the server may take, in bytes.
const ROOM: u64 = 3 << 20;
/// More batches of a thousand scores than fit into that.
const BATCHES: usize = 20;

/// Lets the server take little more than it has.
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
    set_maxmemory(redis, used + ROOM).await;
}

/// Sets how many bytes the server may take; 0: as many as there are.
async fn set_maxmemory(redis: &RedisServer, bytes: u64) {
    let connection = native_redis::connect(&redis.url()).await;
    let most = bytes.to_string();
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

#[test]
fn keys_documents_and_dead_letters_of_a_store_that_is_full_are_deleted() {
    block_on(async {
        let site = Site::on(Some(RedisServer::start())).await;
        let (edgeboard, redis) = (site.edgeboard(), site.redis.as_ref().unwrap());
        let admin = json!({"name": "admin", "scopes": ["admin"]});
        let admin = edgeboard.post("/keys", &admin).await.is(201);
        let leaked = json!({"name": "leaked", "scopes": ["scores:read"]});
        let leaked = edgeboard.post("/keys", &leaked).await.is(201);
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        let (admin, id, leaked) = (text(&admin["key"]), text(&leaked["id"]), text(&leaked["key"]));
        let with_key = async |key: &str, verb: &str, path: &str| {
            edgeboard.call(verb, path).instead("x-api-key", key).send().await
        };
        let issuer = json!({"issuer": "https://full.example.com", "audiences": ["game"], "discovery": true});
        for (path, document) in [
            ("/issuers/games", issuer),
            ("/limits", json!({})),
            ("/flags", json!({"flags": {}})),
        ] {
            edgeboard.put(path, &document).await.is(201);
        }
        let letter = DeadLetter {
            at: Timestamp::from_unix_ms(0).unwrap(),
            reason: "bad".into(),
            payload: vec![1],
        };
        let tenant = TenantId::new(edgeboard.tenant.as_str()).unwrap();
        let store = RedisStore::new(native_redis::connect(&redis.url()).await);
        store.push_dead_letters(Some(&tenant), &[letter]).await.unwrap();
        let letters = edgeboard.get("/dead-letters").await.is(200);
        let letter = format!("/dead-letters/{}", text(&letters["letters"][0]["id"]));
        with_key(&leaked, "GET", "/leaderboards").await.is(200);

        set_maxmemory(redis, 1).await;
        edgeboard
            .put("/limits", &json!({"addresses": {"deny": ["192.0.2.0/24"]}}))
            .await
            .problem(503, "unavailable");
        let key = format!("/keys/{id}");
        for path in [key.as_str(), "/issuers/games", "/limits", "/flags", &letter] {
            with_key(&admin, "DELETE", path).await.is(204);
        }
        let refused = async || with_key(&leaked, "GET", "/leaderboards").await.status;
        eventually(refused, |status| *status == 401).await;

        set_maxmemory(redis, 0).await;
        for path in [key.as_str(), "/issuers/games", "/limits", "/flags"] {
            assert_eq!(edgeboard.get(path).await.status, 404, "{path}");
        }
        let letters = edgeboard.get("/dead-letters").await.is(200);
        assert_eq!(letters["letters"], json!([]));
    });
}
