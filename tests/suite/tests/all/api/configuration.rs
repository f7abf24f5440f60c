//! Tests that leaderboards can be created, replaced, patched, read, listed and deleted.

use serde_json::{Value, json};

use crate::cases::api_cases;

/// Returns a document with every field. The values differ from the defaults, except `reset_takes_effect_at`.
fn full_document() -> Value {
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
        "late_scores": "refuse",
        "prizes": [{"name": "gold", "from_rank": 1, "to_rank": 3}, {"name": "badge", "top_percent": 10}],
        "claim_days": 7,
    })
}

api_cases! {
    async fn a_new_leaderboard_has_defaults_in_every_field(api) {
        let created = api.put("/leaderboards/plain", &json!({})).await;
        let document = created.expect_status(201);
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
            "late_scores": "refuse",
            "prizes": [],
            "claim_days": 30,
        }));
        let read = api.get("/leaderboards/plain").await;
        assert_eq!(read.expect_status(200), document);
        assert_eq!(read.header("etag"), created.header("etag"));
    }

    async fn every_field_is_returned_as_it_was_sent(api) {
        assert_eq!(api.put("/leaderboards/race", &full_document()).await.expect_status(201), full_document());
        assert_eq!(api.get("/leaderboards/race").await.expect_status(200), full_document());
        // A client can send the document that it read.
        assert_eq!(api.put("/leaderboards/race", &full_document()).await.expect_status(200), full_document());
    }

    async fn put_replaces_the_whole_document(api) {
        api.create_leaderboard("race", &full_document()).await;
        let replaced = api.put("/leaderboards/race", &json!({"title": "Another"})).await.expect_status(200);
        assert_eq!(replaced["title"], "Another");
        assert_eq!(replaced["operator"], "best");
        assert_eq!(replaced["reset"], Value::Null);
        assert_eq!(api.get("/leaderboards/race").await.expect_status(200), replaced);
    }

    async fn a_merge_patch_changes_the_fields_that_it_names_and_null_resets_a_field(api) {
        api.create_leaderboard("race", &full_document()).await;
        let patch = json!({"title": "New", "reset": null, "limits": {"min": null, "max": 5}, "access": {"read": "public"}});
        let mut expected = full_document();
        expected["title"] = json!("New");
        expected["reset"] = Value::Null;
        expected["limits"]["min"] = Value::Null;
        expected["limits"]["max"] = json!(5);
        expected["access"]["read"] = json!("public");
        let patched = api.patch("/leaderboards/race", &patch).await.expect_status(200);
        // The present period, a week, lasts until its planned end.
        assert!(patched["reset_takes_effect_at"].is_string(), "{patched}");
        expected["reset_takes_effect_at"] = patched["reset_takes_effect_at"].clone();
        assert_eq!(patched, expected);
        assert_eq!(api.get("/leaderboards/race").await.expect_status(200), expected);
    }

    async fn a_patch_may_have_the_media_type_application_json(api) {
        api.create_leaderboard("race", &full_document()).await;
        let patched = api.request("PATCH", "/leaderboards/race").json(&json!({"ties": null})).send().await;
        assert_eq!(patched.expect_status(200)["ties"], "earliest");
    }

    async fn a_patch_of_an_unknown_leaderboard_is_not_found(api) {
        api.patch("/leaderboards/none", &json!({"title": "x"})).await.expect_problem(404, "leaderboard-not-found");
        api.get("/leaderboards/none").await.expect_problem(404, "leaderboard-not-found");
    }

    async fn an_etag_changes_only_when_the_document_changes(api) {
        let first = api.put("/leaderboards/race", &full_document()).await;
        let same = api.put("/leaderboards/race", &full_document()).await;
        assert_eq!(first.header("etag"), same.header("etag"));
        let other = api.patch("/leaderboards/race", &json!({"title": "x"})).await;
        assert_ne!(first.header("etag"), other.header("etag"));
    }

    async fn the_list_is_in_order_of_ids_and_pages_do_not_overlap(api) {
        let mut ids: Vec<String> = (0..23).map(|n| format!("board-{:02}", n * 7 % 23)).collect();
        for id in &ids {
            api.create_leaderboard(id, &json!({"title": id})).await;
        }
        ids.sort();
        let whole = api.get("/leaderboards").await.expect_status(200);
        assert_eq!(whole["next"], Value::Null);
        assert_eq!(list_ids(&whole), ids);
        assert_eq!(whole["leaderboards"][3], api.get("/leaderboards/board-03").await.expect_status(200));
        let (mut seen, mut query) = (Vec::new(), "?limit=5".to_owned());
        loop {
            let page = api.get(&format!("/leaderboards{query}")).await.expect_status(200);
            seen.push(list_ids(&page));
            let Some(next) = page["next"].as_str() else { break };
            query = format!("?limit=5&cursor={next}");
        }
        assert_eq!(seen.iter().map(Vec::len).collect::<Vec<_>>(), [5, 5, 5, 5, 3]);
        assert_eq!(seen.concat(), ids);
    }

    async fn a_deleted_leaderboard_is_not_found(api) {
        api.create_leaderboard("race", &json!({})).await;
        let deleted = api.delete("/leaderboards/race").await;
        assert_eq!(deleted.expect_status(204), Value::Null);
        for path in ["", "/entries", "/entries/p", "/entries/p/around", "/periods", "/distribution"] {
            api.get(&format!("/leaderboards/race{path}")).await.expect_problem(404, "leaderboard-not-found");
        }
        let submission = json!({"player": "p", "score": 1});
        api.post("/leaderboards/race/scores", &submission).await.expect_problem(404, "leaderboard-not-found");
        api.delete("/leaderboards/race").await.expect_problem(404, "leaderboard-not-found");
    }

    async fn a_change_applies_to_the_next_request(api) {
        api.create_leaderboard("race", &json!({"operator": "increment"})).await;
        for round in 1..=10 {
            // Instances and the key-value tier may have an older configuration than the store, which decides.
            api.patch("/leaderboards/race", &json!({"operator": "increment"})).await.expect_status(200);
            let added = api.submit_score("race", "p", 100).await;
            assert_eq!(added["values"]["score"], 100 + round - 1);
            api.patch("/leaderboards/race", &json!({"operator": "set"})).await.expect_status(200);
            let set = api.submit_score("race", "p", round).await;
            assert_eq!(set["values"]["score"], round);
        }
    }
}

/// Returns the ids of the leaderboards on a page.
fn list_ids(page: &Value) -> Vec<String> {
    let boards = page["leaderboards"].as_array().unwrap();
    boards
        .iter()
        .map(|board| board["id"].as_str().unwrap().to_owned())
        .collect()
}
