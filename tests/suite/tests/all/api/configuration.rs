//! Leaderboards: create, replace, patch, read, list, delete.

use serde_json::{Value, json};

use crate::edgeboard::over_http;

/// A document with a value of its own in every field.
fn full() -> Value {
    json!({
        "id": "race",
        "title": "A race",
        "columns": [{"name": "laps", "order": "desc"}, {"name": "time_ms", "order": "asc"}],
        "operator": "set",
        "operator_override": true,
        "ties": "shared",
        "reset": {"cron": "30 4 * * 1", "time_zone": "Europe/Madrid"},
        "reset_takes_effect_at": null,
        "keep_periods": 53,
        "starts_at": "2026-01-01T00:00:00.000Z",
        "ends_at": "2100-01-01T00:00:00.000Z",
        "limits": {"min": 0, "max": "9223372036854775807", "max_change": 10, "max_attempts": 3, "max_entries": 1000},
        "access": {"read": "private", "write": "player"},
        "cache": {
            "lifetime_ms": 0,
            "stale_ms": 0,
            "stale_if_error_ms": 1,
            "strategy": "write_through",
            "warm": [{"view": "entries", "limit": 5}, {"view": "distribution", "buckets": 7}],
        },
        "log": {"keep_events": 10, "keep_days": 3650},
    })
}

over_http! {
    async fn a_new_leaderboard_has_defaults_in_every_field(edgeboard) {
        let created = edgeboard.put("/leaderboards/plain", &json!({})).await;
        let document = created.is(201);
        assert_eq!(created.header("location"), "/api/v1/leaderboards/plain");
        assert_eq!(document, json!({
            "id": "plain",
            "title": "",
            "columns": [{"name": "score", "order": "desc"}],
            "operator": "best",
            "operator_override": false,
            "ties": "earliest",
            "reset": null,
            "reset_takes_effect_at": null,
            "keep_periods": 12,
            "starts_at": null,
            "ends_at": null,
            "limits": {"min": null, "max": null, "max_change": null, "max_attempts": null, "max_entries": null},
            "access": {"read": "public", "write": "server"},
            "cache": {
                "lifetime_ms": 5000,
                "stale_ms": 5000,
                "stale_if_error_ms": 300_000,
                "strategy": "aside",
                "warm": [{"view": "entries", "limit": 10}],
            },
            "log": {"keep_events": 100_000, "keep_days": 30},
        }));
        let read = edgeboard.get("/leaderboards/plain").await;
        assert_eq!(read.is(200), document);
        assert_eq!(read.header("etag"), created.header("etag"));
    }

    async fn every_field_is_kept_as_it_was_sent(edgeboard) {
        assert_eq!(edgeboard.put("/leaderboards/race", &full()).await.is(201), full());
        assert_eq!(edgeboard.get("/leaderboards/race").await.is(200), full());
        // The document that is read can be written back.
        assert_eq!(edgeboard.put("/leaderboards/race", &full()).await.is(200), full());
    }

    async fn put_replaces_the_whole_document(edgeboard) {
        edgeboard.board("race", &full()).await;
        let replaced = edgeboard.put("/leaderboards/race", &json!({"title": "Another"})).await.is(200);
        assert_eq!(replaced["title"], "Another");
        assert_eq!(replaced["operator"], "best");
        assert_eq!(replaced["reset"], Value::Null);
        assert_eq!(edgeboard.get("/leaderboards/race").await.is(200), replaced);
    }

    async fn a_merge_patch_changes_what_it_names_and_null_is_the_default(edgeboard) {
        edgeboard.board("race", &full()).await;
        let patch = json!({"title": "New", "reset": null, "limits": {"min": null, "max": 5}, "access": {"read": "public"}});
        let mut expected = full();
        expected["title"] = json!("New");
        expected["reset"] = Value::Null;
        expected["limits"]["min"] = Value::Null;
        expected["limits"]["max"] = json!(5);
        expected["access"]["read"] = json!("public");
        let patched = edgeboard.patch("/leaderboards/race", &patch).await.is(200);
        // The week goes on to its end.
        assert!(patched["reset_takes_effect_at"].is_string(), "{patched}");
        expected["reset_takes_effect_at"] = patched["reset_takes_effect_at"].clone();
        assert_eq!(patched, expected);
        assert_eq!(edgeboard.get("/leaderboards/race").await.is(200), expected);
    }

    async fn a_patch_may_come_as_plain_json_too(edgeboard) {
        edgeboard.board("race", &full()).await;
        let patched = edgeboard.call("PATCH", "/leaderboards/race").json(&json!({"ties": null})).send().await;
        assert_eq!(patched.is(200)["ties"], "earliest");
    }

    async fn a_patch_of_nothing_is_not_found(edgeboard) {
        edgeboard.patch("/leaderboards/none", &json!({"title": "x"})).await.problem(404, "leaderboard-not-found");
        edgeboard.get("/leaderboards/none").await.problem(404, "leaderboard-not-found");
    }

    async fn an_unchanged_document_keeps_its_tag_and_a_changed_one_gets_another(edgeboard) {
        let first = edgeboard.put("/leaderboards/race", &full()).await;
        let same = edgeboard.put("/leaderboards/race", &full()).await;
        assert_eq!(first.header("etag"), same.header("etag"));
        let other = edgeboard.patch("/leaderboards/race", &json!({"title": "x"})).await;
        assert_ne!(first.header("etag"), other.header("etag"));
    }

    async fn the_list_is_in_order_of_ids_and_pages_do_not_overlap(edgeboard) {
        let mut ids: Vec<String> = (0..23).map(|n| format!("board-{:02}", n * 7 % 23)).collect();
        for id in &ids {
            edgeboard.board(id, &json!({"title": id})).await;
        }
        ids.sort();
        let whole = edgeboard.get("/leaderboards").await.is(200);
        assert_eq!(whole["next"], Value::Null);
        assert_eq!(ids_of(&whole), ids);
        assert_eq!(whole["leaderboards"][3], edgeboard.get("/leaderboards/board-03").await.is(200));
        let (mut seen, mut query) = (Vec::new(), "?limit=5".to_owned());
        loop {
            let page = edgeboard.get(&format!("/leaderboards{query}")).await.is(200);
            seen.push(ids_of(&page));
            let Some(next) = page["next"].as_str() else { break };
            query = format!("?limit=5&cursor={next}");
        }
        assert_eq!(seen.iter().map(Vec::len).collect::<Vec<_>>(), [5, 5, 5, 5, 3]);
        assert_eq!(seen.concat(), ids);
    }

    async fn a_tenant_sees_its_own_leaderboards_alone(edgeboard) {
        edgeboard.board("mine", &json!({})).await;
        edgeboard.score("mine", "p", 1).await;
        let other = crate::edgeboard::Edgeboard::new(&edgeboard.url);
        assert_eq!(ids_of(&other.get("/leaderboards").await.is(200)), Vec::<String>::new());
        other.get("/leaderboards/mine").await.problem(404, "leaderboard-not-found");
        other.get("/leaderboards/mine/entries").await.problem(404, "leaderboard-not-found");
        other.board("mine", &json!({"title": "another"})).await;
        assert_eq!(other.list("mine").await, []);
        assert_eq!(edgeboard.get("/leaderboards/mine").await.is(200)["title"], "");
        assert_eq!(edgeboard.list("mine").await.len(), 1);
    }

    async fn deleting_takes_everything_along(edgeboard) {
        edgeboard.board("race", &json!({})).await;
        edgeboard.submit("race", &json!({"player": "p", "score": 5, "id": "once"})).await;
        let deleted = edgeboard.delete("/leaderboards/race").await;
        assert_eq!(deleted.is(204), Value::Null);
        for path in ["", "/entries", "/entries/p", "/entries/p/around", "/periods", "/distribution"] {
            edgeboard.get(&format!("/leaderboards/race{path}")).await.problem(404, "leaderboard-not-found");
        }
        let submission = json!({"player": "p", "score": 1, "id": "once"});
        edgeboard.post("/leaderboards/race/scores", &submission).await.problem(404, "leaderboard-not-found");
        edgeboard.delete("/leaderboards/race").await.problem(404, "leaderboard-not-found");
        // Created again it is empty, and knows no id of its first life.
        edgeboard.board("race", &json!({})).await;
        assert_eq!(edgeboard.list("race").await, []);
        let outcome = edgeboard.submit("race", &submission).await;
        assert_eq!((&outcome["status"], &outcome["replayed"]), (&json!("created"), &json!(false)));
    }

    async fn a_change_holds_for_the_very_next_request(edgeboard) {
        edgeboard.board("race", &json!({"operator": "increment"})).await;
        for round in 1..=10 {
            // Whatever an instance or the region remembers of the configuration, the store has the last word.
            edgeboard.patch("/leaderboards/race", &json!({"operator": "increment"})).await.is(200);
            let added = edgeboard.score("race", "p", 100).await;
            assert_eq!(added["values"]["score"], 100 + round - 1);
            edgeboard.patch("/leaderboards/race", &json!({"operator": "set"})).await.is(200);
            let set = edgeboard.score("race", "p", round).await;
            assert_eq!(set["values"]["score"], round);
        }
    }
}

fn ids_of(page: &Value) -> Vec<String> {
    let boards = page["leaderboards"].as_array().unwrap();
    boards
        .iter()
        .map(|board| board["id"].as_str().unwrap().to_owned())
        .collect()
}
