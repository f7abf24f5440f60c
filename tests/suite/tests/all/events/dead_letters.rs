//! Tests of messages that cannot be applied: each becomes a dead letter with its reason, and later messages
//! are still applied.

use leaderboard_test_support::{ApiClient, RedisServer, block_on, wait_until};
use serde_json::{Value, json};

use super::{message, publish, read_letters, read_scores, score, start_region, wait_for_listeners};
use crate::api::snapshots::compare;
use crate::tool::Tool;

/// Runs a test on a host whose store and channel are one Redis server. The leaderboard `b` has a max of 100.
fn on_redis(test: impl AsyncFnOnce(&ApiClient, &RedisServer)) {
    block_on(async {
        let redis = RedisServer::start();
        let region = start_region(Some(&redis), &redis).await;
        wait_for_listeners(&redis, 1).await;
        let api = region.api();
        api.create_leaderboard("b", &json!({"operator": "increment", "limits": {"max": 100}}))
            .await;
        test(&api, &redis).await;
    });
}

/// Publishes a valid message and waits until it is applied. By then, all earlier messages have been handled.
async fn wait_for_earlier_messages(api: &ApiClient, redis: &RedisServer) {
    publish(redis, &message(api, &[score("after", 1, "after")])).await;
    wait_until(
        async || read_scores(api).await,
        |list| list.iter().any(|(player, _)| player == "after"),
    )
    .await;
}

#[test]
fn an_invalid_message_is_a_dead_letter_and_the_next_message_counts() {
    on_redis(async |api, redis| {
        let tenant = &api.tenant;
        let bad: Vec<(Vec<u8>, &str)> = vec![
            (b"not json".to_vec(), "not valid JSON"),
            (b"\xff\xfe".to_vec(), "not UTF-8"),
            (b"".to_vec(), "not valid JSON"),
            (b"[]".to_vec(), "#"),
            (
                json!({"scores": [score("p", 1, "1")]}).to_string().into(),
                "#/tenant",
            ),
            (
                json!({"tenant": "No Such", "scores": [score("p", 1, "1")]})
                    .to_string()
                    .into(),
                "#/tenant",
            ),
            (json!({"tenant": tenant}).to_string().into(), "#/scores"),
            (
                json!({"tenant": tenant, "scores": []}).to_string().into(),
                "#/scores",
            ),
            (
                json!({"tenant": tenant, "scores": [], "more": 1})
                    .to_string()
                    .into(),
                "#/more",
            ),
        ];
        for (payload, _) in &bad {
            publish(redis, payload).await;
        }
        wait_for_earlier_messages(api, redis).await;
        assert_eq!(read_scores(api).await, [("after".to_owned(), 1)]);
        let letters = read_letters(api).await;
        assert_eq!(letters.len(), bad.len(), "{letters:?}");
        for ((reason, kept), (payload, expected)) in letters.iter().rev().zip(&bad) {
            assert!(
                reason.contains(expected),
                "{reason:?} does not contain {expected:?}"
            );
            // A long payload is cut.
            assert!(
                String::from_utf8_lossy(payload).starts_with(kept.as_str()),
                "{kept:?}"
            );
        }
    });
}

#[test]
fn each_submission_of_a_too_large_batch_is_a_dead_letter() {
    on_redis(async |api, redis| {
        let batch: Vec<Value> = (0..1001).map(|n| score("p", 1, &n.to_string())).collect();
        publish(redis, &message(api, &batch)).await;
        wait_for_earlier_messages(api, redis).await;
        assert_eq!(read_scores(api).await, [("after".to_owned(), 1)]);
        // This page has the newest 1000 letters. The oldest letter is on the next page.
        let letters = read_letters(api).await;
        assert_eq!(letters.len(), 1000);
        for ((reason, payload), score) in letters.iter().rev().zip(&batch[1..]) {
            assert!(reason.contains("must have 1 to 1000 submissions"), "{reason:?}");
            let kept: Value = serde_json::from_str(payload).unwrap();
            assert_eq!(kept, json!({"tenant": api.tenant, "scores": [score]}));
        }
    });
}

#[test]
fn valid_submissions_of_a_message_count_and_bad_ones_are_dead_letters() {
    on_redis(async |api, redis| {
        let without_id = json!({"player": "p", "score": 5, "leaderboards": ["b"]});
        let unknown = json!({"player": "p", "score": 5, "id": "u", "leaderboards": ["b", "none"]});
        let batch = [
            score("p", 1, "1"),
            without_id.clone(),
            score("p", 2, "2"),
            score("p", 1000, "3"),
            json!({"player": "", "score": 1, "id": "4", "leaderboards": ["b"]}),
            unknown.clone(),
            score("p", 4, "5"),
        ];
        publish(redis, &message(api, &batch)).await;
        wait_for_earlier_messages(api, redis).await;
        assert_eq!(
            read_scores(api).await,
            [("after".to_owned(), 1), ("p".to_owned(), 7)]
        );
        let letters = read_letters(api).await;
        let dead_letters: Vec<Value> = letters
            .iter()
            .map(|(_, payload)| serde_json::from_str(payload).unwrap())
            .collect();
        let mut expected: Vec<Value> = [&without_id, &batch[3], &batch[4], &unknown]
            .map(|score| json!({"tenant": api.tenant, "scores": [score]}))
            .to_vec();
        let by_text = |value: &Value| value.to_string();
        let mut dead_letters = dead_letters;
        dead_letters.sort_by_key(by_text);
        expected.sort_by_key(by_text);
        assert_eq!(dead_letters, expected);
        for (id, reason) in [
            ("\"u\"", "The leaderboard none does not exist."),
            ("\"3\"", "above the leaderboard's max of 100"),
        ] {
            assert!(
                letters
                    .iter()
                    .any(|(actual, payload)| payload.contains(id) && actual.contains(reason)),
                "{letters:?}"
            );
        }
        assert!(
            letters.iter().any(|(actual, _)| actual.contains("#/scores/0/id")),
            "{letters:?}"
        );
    });
}

#[test]
fn a_dead_letter_can_be_replayed_when_its_reason_is_gone() {
    on_redis(async |api, redis| {
        let late = json!({"player": "p", "score": 5, "id": "x", "leaderboards": ["later"]});
        publish(redis, &message(api, &[late])).await;
        wait_for_earlier_messages(api, redis).await;
        let (reason, payload) = read_letters(api).await.remove(0);
        assert_eq!(reason, "The leaderboard later does not exist.");
        api.create_leaderboard("later", &json!({})).await;
        publish(redis, payload.as_bytes()).await;
        wait_until(async || api.list_entries("later").await, |list| list.len() == 1).await;
    });
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
fn an_id_with_other_content_is_a_dead_letter() {
    on_redis(async |api, redis| {
        for points in [1, 2] {
            publish(redis, &message(api, &[score("p", points, "same")])).await;
        }
        wait_for_earlier_messages(api, redis).await;
        assert_eq!(
            read_scores(api).await,
            [("after".to_owned(), 1), ("p".to_owned(), 1)]
        );
        let letters = read_letters(api).await;
        assert_eq!(letters.len(), 1);
        assert!(
            letters[0].0.contains("knows this id with other content"),
            "{letters:?}"
        );
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
