//! Tests of published messages that cannot be applied: each becomes a dead letter, and later messages are still
//! applied.

use leaderboard_test_support::{ApiClient, RedisServer, wait_until};
use serde_json::{Value, json};

use super::{message, on_redis, publish, read_scores, score};
use crate::api::snapshots::compare;
use crate::tool::Tool;

/// Publishes a valid message and waits until it is applied. By then, all earlier messages have been handled.
async fn wait_for_earlier_messages(api: &ApiClient, redis: &RedisServer) {
    publish(redis, &message(api, &[score("after", 1, "after")])).await;
    wait_until(
        async || read_scores(api).await,
        |list| list.iter().any(|(player, _)| player == "after"),
    )
    .await;
}

/// Returns sorted pairs of the id of a submission and the id of its dead letter, as the tool lists them.
async fn list_letter_ids(tool: &Tool<'_>, tenant: &str) -> Vec<(String, String)> {
    let list = tool.json(&["dead-letters", "list", "--of-tenant", tenant]).await;
    let letters = list["letters"].as_array().unwrap().iter();
    let mut ids: Vec<(String, String)> = letters
        .map(|letter| {
            let payload: Value = serde_json::from_str(letter["payload"].as_str().unwrap()).unwrap();
            let submission = payload["scores"][0]["id"].as_str().unwrap().to_owned();
            (submission, letter["id"].as_str().unwrap().to_owned())
        })
        .collect();
    ids.sort();
    ids
}

#[test]
fn the_tool_replays_one_dead_letter_and_deletes_another() {
    on_redis(async |api, redis| {
        let late = |id: &str| json!({"player": id, "score": 5, "id": id, "leaderboards": ["later"]});
        publish(redis, &message(api, &[late("x"), late("y")])).await;
        wait_for_earlier_messages(api, redis).await;
        let tool = Tool::new(api);
        let letters = list_letter_ids(&tool, &api.tenant).await;
        let [(x, replayed), (y, dropped)] = &letters[..] else {
            panic!("{letters:?}")
        };
        assert_eq!((x.as_str(), y.as_str()), ("x", "y"));
        // The leaderboard still does not exist. The tool refuses the replay, and the letter stays.
        let refused = tool
            .run(&["dead-letters", "replay", replayed])
            .await
            .expect_refusal(404);
        assert!(refused.err.contains("later"), "{}", refused.err);
        assert_eq!(list_letter_ids(&tool, &api.tenant).await, letters);
        api.create_leaderboard("later", &json!({})).await;
        let done = tool.json(&["dead-letters", "replay", replayed]).await;
        assert_eq!(done["results"][0]["player"], "x", "{done}");
        tool.run(&["dead-letters", "drop", dropped])
            .await
            .expect_success();
        assert!(list_letter_ids(&tool, &api.tenant).await.is_empty());
        let players: Vec<String> = api
            .list_entries("later")
            .await
            .into_iter()
            .map(|entry| entry.player)
            .collect();
        assert_eq!(players, ["x"]);
        for (verb, id) in [("replay", replayed), ("drop", dropped)] {
            tool.run(&["dead-letters", verb, id]).await.expect_refusal(404);
        }
    });
}

#[test]
fn only_the_operator_lists_dead_letters() {
    on_redis(async |api, redis| {
        for n in 0..5 {
            publish(redis, format!("bad {n}").as_bytes()).await;
        }
        wait_for_earlier_messages(api, redis).await;
        api.request("GET", "/dead-letters")
            .without_header("x-api-key")
            .send()
            .await
            .expect_problem(401, "unauthenticated");
        compare("dead-letters", &api.get("/dead-letters?limit=2").await);
        compare(
            "v2-dead-letters",
            &api.request_at("GET", "/api/v2/dead-letters?limit=2").send().await,
        );
        let page = api.get("/dead-letters?limit=2").await.expect_status(200);
        let payloads: Vec<_> = page["letters"]
            .as_array()
            .unwrap()
            .iter()
            .map(|letter| letter["payload"].clone())
            .collect();
        assert_eq!(payloads, ["bad 4", "bad 3"]);
        assert!(page["letters"][0]["at"].as_str().unwrap().ends_with('Z'));
    });
}
