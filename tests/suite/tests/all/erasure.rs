//! Looks into the raw data of a store after the erasure of a player: nothing there names the player.

use leaderboard_test_support::{ApiClient, StoreKind, TestService, wait_until};
use serde_json::{Value, json};

use crate::cases::on_both_kinds;

/// The id of the player, with a character that JSON escapes and one that is no ASCII.
const PLAYER: &str = "zq-\"Pía\"-771";
/// Texts by which the player could be recognised: parts of the id, and what only the metadata, the ban and the submission ids have.
const TEXTS: [&str; 5] = ["zq-", "Pía", "Quastenflosser", "zq771mail", "zq-sub"];
/// The player who stays.
const OTHER: &str = "bob-882";
/// An address where nobody listens.
const NO_RECEIVER: &str = "http://127.0.0.1:9/hook";

/// Returns everything that SQLite's file has, after the free pages are gone.
fn read_sqlite(service: &TestService) -> Vec<u8> {
    let path = service.state.path().join("sqlite_db.db");
    let file = rusqlite::Connection::open(&path).unwrap();
    file.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
    file.execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE);")
        .unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    bytes.extend(std::fs::read(path.with_extension("db-wal")).unwrap_or_default());
    bytes
}

/// Returns the names and the serialised values of all Redis keys.
async fn read_redis(url: &str) -> Vec<u8> {
    let client = ::redis::Client::open(url).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let mut configure = ::redis::cmd("CONFIG");
    // A compressed value would hide the texts.
    configure.arg("SET").arg("rdbcompression").arg("no");
    let _: () = configure.query_async(&mut connection).await.unwrap();
    let mut keys = ::redis::cmd("KEYS");
    let keys: Vec<Vec<u8>> = keys.arg("*").query_async(&mut connection).await.unwrap();
    let mut bytes = Vec::new();
    for key in keys {
        let mut dump = ::redis::cmd("DUMP");
        let value: Option<Vec<u8>> = dump.arg(&key).query_async(&mut connection).await.unwrap();
        bytes.extend(key);
        bytes.extend(value.unwrap_or_default());
    }
    bytes
}

/// Returns which of the texts the store has.
async fn texts_in(service: &TestService) -> Vec<&'static str> {
    let bytes = match &service.redis {
        Some(redis) => read_redis(&redis.url()).await,
        None => read_sqlite(service),
    };
    let contains = |text: &str| bytes.windows(text.len()).any(|part| part == text.as_bytes());
    assert!(contains(OTHER), "the store has the other player");
    let quoted = |text: &&str| contains(text);
    TEXTS.into_iter().filter(quoted).collect()
}

fn score(player: &str, board: &str, id: &str) -> Value {
    let metadata = json!({"name": "Quastenflosser", "mail": "zq771mail"});
    let metadata = if player == PLAYER { metadata } else { json!({}) };
    json!({"player": player, "score": 5, "leaderboards": [board], "id": id, "metadata": metadata})
}

/// Sends a submission that waits in the queue.
async fn queue(api: &ApiClient, submission: &Value) {
    let request = api.request("POST", "/scores").header("prefer", "respond-async");
    request.json(submission).send().await.expect_status(202);
}

/// Creates a webhook whose receiver does not answer.
async fn create_failing_webhook(api: &ApiClient) {
    let events = [
        "score.accepted",
        "leader.changed",
        "ranks.changed",
        "player.banned",
    ];
    let hook = json!({"url": NO_RECEIVER, "events": events});
    api.put("/webhooks/hook", &hook).await.expect_status(201);
}

/// Runs deliveries.
async fn tick(api: &ApiClient) {
    let run = api.request_at("POST", "/internal/webhooks/tick");
    run.send().await.expect_status(200);
}

/// Leaves messages of the webhook that wait for another attempt.
async fn leave_messages(api: &ApiClient) {
    tick(api).await;
    let status = api.get("/webhooks/hook/status").await.expect_status(200);
    assert_ne!(status["pending"], 0, "{status}");
}

/// Leaves traces of the player everywhere where the service keeps data.
async fn leave_traces(api: &ApiClient) {
    let reset = json!({"cron": "0 0 1 1 *", "time_zone": "UTC"});
    api.create_leaderboard("years", &json!({"reset": reset, "keep_periods": 1000, "prizes": [{"name": "cup", "from_rank": 1, "to_rank": 1}]})).await;
    api.create_leaderboard("own", &json!({"access": {"write": "player"}}))
        .await;
    api.create_leaderboard("gone", &json!({})).await;
    create_failing_webhook(api).await;
    let encoded = leaderboard_test_support::encode_segment(PLAYER);
    for (player, id) in [(PLAYER, "zq-sub"), (OTHER, "bob")] {
        for board in ["years", "own", "gone"] {
            api.post("/scores", &score(player, board, &format!("{id} {board}")))
                .await
                .expect_status(200);
        }
        let mut late = score(player, "years", &format!("{id} late"));
        late["occurred_at"] = json!("2001-05-05T00:00:00Z");
        late["score"] = json!(if player == PLAYER { 9 } else { 4 });
        api.post("/scores", &late).await.expect_status(200);
    }
    api.delete("/leaderboards/gone").await.expect_status(204);
    // Final standings with a claim.
    let claim = json!({"player": PLAYER, "period": "2001-05-05"});
    api.post("/leaderboards/years/claims", &claim)
        .await
        .expect_status(201);
    // A score of the player's own token, a queued one, a correction, and a removed entry.
    let key = api.make_key(json!(["scores:read", "scores:write"])).await.1;
    let token = api.issue_token(&key, PLAYER).await;
    let own = json!({"player": "me", "score": 6, "id": "zq-sub own"});
    api.with_token(&token, "POST", "/api/v1/leaderboards/own/scores")
        .json(&own)
        .send()
        .await
        .expect_status(200);
    api.with_token(&token, "GET", "/api/v1/keys")
        .send()
        .await
        .expect_problem(403, "forbidden");
    queue(api, &score(PLAYER, "own", "zq-sub queued")).await;
    queue(api, &score(PLAYER, "none", "zq-sub refused")).await;
    let mut correction = score(PLAYER, "own", "zq-sub correction");
    correction["operator"] = json!("set");
    api.post("/scores", &correction).await.expect_status(200);
    api.delete(&format!("/leaderboards/years/scores/{encoded}"))
        .await
        .expect_status(204);
    api.post("/scores", &score(PLAYER, "years", "zq-sub again"))
        .await
        .expect_status(200);
    leave_messages(api).await;
    let ban = json!({"reason": "Quastenflosser cheats", "expires_at": "2100-01-01T00:00:00Z"});
    api.put(&format!("/players/{encoded}/ban"), &ban)
        .await
        .expect_status(204);
    api.get("/leaderboards/years/entries").await.expect_status(200);
}

async fn nothing_in_the_store_names_an_erased_player(kind: StoreKind) {
    let service = TestService::start(kind).await;
    let api = service.api();
    leave_traces(&api).await;
    assert_eq!(texts_in(&service).await, TEXTS);
    let path = format!("/players/{}", leaderboard_test_support::encode_segment(PLAYER));
    let erased = wait_until(async || api.delete(&path).await, |answer| answer.status != 503).await;
    erased.expect_status(204);
    // What a delivery run finds now names nobody either.
    tick(&api).await;
    // The instance has work after the response, and the state of the player's rate limit ends by itself.
    wait_until(async || texts_in(&service).await, Vec::is_empty).await;
    // The other player is still there. The erased player was banned, and so has no place in final standings.
    assert_eq!(api.list_ranks("own").await, [(1, OTHER.to_owned())]);
    let standings = api
        .get("/leaderboards/years/standings?period=2001-05-05")
        .await
        .expect_status(200);
    assert_eq!(standings["entries"][0]["player"], OTHER, "{standings}");
    assert_eq!(standings["count"], 1);
}

on_both_kinds! { nothing_in_the_store_names_an_erased_player }
