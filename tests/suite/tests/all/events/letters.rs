//! Messages that cannot be applied: kept with their reason, and in nobody's way.

use leaderboard_suite::RedisServer;
use serde_json::{Value, json};

use super::{letters, listened_to, message, publish, region, score, scores};
use crate::api::snapshots::compare;
use crate::edgeboard::{Edgeboard, eventually};
use crate::harness::block_on;
use crate::tool::Tool;

/// Runs a test on a host whose store and channel are one Redis, with a leaderboard `b` of at most 100.
fn on_redis(test: impl AsyncFnOnce(&Edgeboard, &RedisServer)) {
    block_on(async {
        let redis = RedisServer::start();
        let region = region(Some(&redis), &redis).await;
        listened_to(&redis, 1).await;
        let edgeboard = region.edgeboard();
        edgeboard
            .board("b", &json!({"operator": "increment", "limits": {"max": 100}}))
            .await;
        test(&edgeboard, &redis).await;
    });
}

/// Publishes a good message and waits until it has been applied: all before it have been handled then.
async fn after(edgeboard: &Edgeboard, redis: &RedisServer) {
    publish(redis, &message(edgeboard, &[score("after", 1, "after")])).await;
    eventually(
        async || scores(edgeboard).await,
        |list| list.iter().any(|(player, _)| player == "after"),
    )
    .await;
}

#[test]
fn a_message_that_is_none_is_kept_with_its_reason_and_the_next_one_counts() {
    on_redis(async |edgeboard, redis| {
        let tenant = &edgeboard.tenant;
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
        after(edgeboard, redis).await;
        assert_eq!(scores(edgeboard).await, [("after".to_owned(), 1)]);
        let letters = letters(edgeboard).await;
        assert_eq!(letters.len(), bad.len(), "{letters:?}");
        for ((reason, kept), (payload, expected)) in letters.iter().rev().zip(&bad) {
            assert!(reason.contains(expected), "{reason:?} does not tell {expected:?}");
            // What is very long is cut.
            assert!(
                String::from_utf8_lossy(payload).starts_with(kept.as_str()),
                "{kept:?}"
            );
        }
    });
}

#[test]
fn of_a_batch_of_too_many_each_submission_is_kept() {
    on_redis(async |edgeboard, redis| {
        let batch: Vec<Value> = (0..1001).map(|n| score("p", 1, &n.to_string())).collect();
        publish(redis, &message(edgeboard, &batch)).await;
        after(edgeboard, redis).await;
        assert_eq!(scores(edgeboard).await, [("after".to_owned(), 1)]);
        // The newest thousand; the first one is on the next page.
        let letters = letters(edgeboard).await;
        assert_eq!(letters.len(), 1000);
        for ((reason, payload), score) in letters.iter().rev().zip(&batch[1..]) {
            assert!(reason.contains("must have 1 to 1000 submissions"), "{reason:?}");
            let kept: Value = serde_json::from_str(payload).unwrap();
            assert_eq!(kept, json!({"tenant": edgeboard.tenant, "scores": [score]}));
        }
    });
}

#[test]
fn of_a_message_the_good_parts_count_and_each_bad_one_is_buried_alone() {
    on_redis(async |edgeboard, redis| {
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
        publish(redis, &message(edgeboard, &batch)).await;
        after(edgeboard, redis).await;
        assert_eq!(
            scores(edgeboard).await,
            [("after".to_owned(), 1), ("p".to_owned(), 7)]
        );
        let letters = letters(edgeboard).await;
        let buried: Vec<Value> = letters
            .iter()
            .map(|(_, payload)| serde_json::from_str(payload).unwrap())
            .collect();
        let mut expected: Vec<Value> = [&without_id, &batch[3], &batch[4], &unknown]
            .map(|score| json!({"tenant": edgeboard.tenant, "scores": [score]}))
            .to_vec();
        let by_text = |value: &Value| value.to_string();
        let mut buried = buried;
        buried.sort_by_key(by_text);
        expected.sort_by_key(by_text);
        assert_eq!(buried, expected);
        for (id, reason) in [
            ("\"u\"", "The leaderboard none does not exist."),
            ("\"3\"", "above the leaderboard's max of 100"),
        ] {
            assert!(
                letters
                    .iter()
                    .any(|(told, payload)| payload.contains(id) && told.contains(reason)),
                "{letters:?}"
            );
        }
        assert!(
            letters.iter().any(|(told, _)| told.contains("#/scores/0/id")),
            "{letters:?}"
        );
    });
}

#[test]
fn a_letter_can_be_sent_again_once_its_reason_is_gone() {
    on_redis(async |edgeboard, redis| {
        let late = json!({"player": "p", "score": 5, "id": "x", "leaderboards": ["later"]});
        publish(redis, &message(edgeboard, &[late])).await;
        after(edgeboard, redis).await;
        let (reason, payload) = letters(edgeboard).await.remove(0);
        assert_eq!(reason, "The leaderboard later does not exist.");
        edgeboard.board("later", &json!({})).await;
        publish(redis, payload.as_bytes()).await;
        eventually(async || edgeboard.list("later").await, |list| list.len() == 1).await;
    });
}

/// The ids of the tenant's dead letters as the tool lists them, by the ids of their submissions.
async fn listed(tool: &Tool<'_>, tenant: &str) -> Vec<(String, String)> {
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
fn the_tool_replays_one_letter_and_drops_another() {
    on_redis(async |edgeboard, redis| {
        let late = |id: &str| json!({"player": id, "score": 5, "id": id, "leaderboards": ["later"]});
        publish(redis, &message(edgeboard, &[late("x"), late("y")])).await;
        after(edgeboard, redis).await;
        let tool = Tool::of(edgeboard);
        let letters = listed(&tool, &edgeboard.tenant).await;
        let [(x, replayed), (y, dropped)] = &letters[..] else {
            panic!("{letters:?}")
        };
        assert_eq!((x.as_str(), y.as_str()), ("x", "y"));
        // Its reason is not gone yet, and it stays.
        let refused = tool.run(&["dead-letters", "replay", replayed]).await.refused(404);
        assert!(refused.err.contains("later"), "{}", refused.err);
        assert_eq!(listed(&tool, &edgeboard.tenant).await, letters);
        edgeboard.board("later", &json!({})).await;
        let done = tool.json(&["dead-letters", "replay", replayed]).await;
        assert_eq!(done["results"][0]["player"], "x", "{done}");
        tool.run(&["dead-letters", "drop", dropped]).await.done();
        assert!(listed(&tool, &edgeboard.tenant).await.is_empty());
        let players: Vec<String> = edgeboard
            .list("later")
            .await
            .into_iter()
            .map(|one| one.player)
            .collect();
        assert_eq!(players, ["x"]);
        for (verb, id) in [("replay", replayed), ("drop", dropped)] {
            tool.run(&["dead-letters", verb, id]).await.refused(404);
        }
    });
}

#[test]
fn an_id_that_was_used_for_something_else_is_told() {
    on_redis(async |edgeboard, redis| {
        for points in [1, 2] {
            publish(redis, &message(edgeboard, &[score("p", points, "same")])).await;
        }
        after(edgeboard, redis).await;
        assert_eq!(
            scores(edgeboard).await,
            [("after".to_owned(), 1), ("p".to_owned(), 1)]
        );
        let letters = letters(edgeboard).await;
        assert_eq!(letters.len(), 1);
        assert!(
            letters[0].0.contains("knows this id with other content"),
            "{letters:?}"
        );
    });
}

#[test]
fn letters_are_for_the_operator_and_newest_first() {
    on_redis(async |edgeboard, redis| {
        for n in 0..5 {
            publish(redis, format!("bad {n}").as_bytes()).await;
        }
        after(edgeboard, redis).await;
        edgeboard
            .call("GET", "/dead-letters")
            .without("x-api-key")
            .send()
            .await
            .problem(401, "unauthenticated");
        compare("dead-letters", &edgeboard.get("/dead-letters?limit=2").await);
        compare(
            "v2-dead-letters",
            &edgeboard
                .anywhere("GET", "/api/v2/dead-letters?limit=2")
                .send()
                .await,
        );
        let page = edgeboard.get("/dead-letters?limit=2").await.is(200);
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
