//! Tests of the event logs: of a leaderboard, and of a player in all leaderboards.

use leaderboard_test_support::ApiClient;
use serde_json::{Value, json};

use crate::cases::api_cases;

/// Returns these fields of all events of a page.
fn fields(page: &Value, names: &[&str]) -> Vec<Value> {
    let events = page["events"].as_array().unwrap();
    let of = |event: &Value| -> Value { names.iter().map(|name| event[*name].clone()).collect() };
    events.iter().map(of).collect()
}

async fn read(api: &ApiClient, path: &str) -> Value {
    api.get(path).await.expect_status(200)
}

api_cases! {
    async fn the_log_has_every_change_with_its_fields(api) {
        api.create_leaderboard("b", &json!({"title": "B"})).await;
        let first = json!({"player": "p", "score": 5, "id": "x", "metadata": {"a": 1}, "occurred_at": "2026-01-01T00:00:00Z"});
        api.submit("b", &first).await;
        api.submit_score("b", "p", 1).await;
        api.request("PUT", "/players/p/ban").send().await.expect_status(204);
        api.delete("/players/p/ban").await.expect_status(204);
        api.delete("/leaderboards/b/scores/p").await.expect_status(204);
        let log = read(api, "/leaderboards/b/events").await;
        let types = fields(&log, &["position", "type", "player", "period"]);
        assert_eq!(types, [
            json!([1, "configured", null, "all"]), json!([2, "submitted", "p", "all"]), json!([3, "submitted", "p", "all"]),
            json!([4, "banned", "p", null]), json!([5, "unbanned", "p", null]), json!([6, "removed", "p", "all"]),
        ]);
        assert_eq!((&log["from"], &log["last"], &log["next"]), (&json!(1), &json!(6), &Value::Null));
        let mut submitted = log["events"][1].clone();
        assert!(submitted["recorded_at"].take().is_string());
        assert_eq!(submitted, json!({
            "position": 2, "type": "submitted", "schema_version": 6, "recorded_at": null, "player": "p", "period": "all",
            "operator": "best", "values": [5], "metadata": {"a": 1}, "occurred_at": "2026-01-01T00:00:00.000Z", "id": "x",
            "kept": false, "banned": false,
        }));
        assert_eq!(log["events"][2]["kept"], true);
        assert_eq!(log["events"][0]["configuration"]["title"], "B");
        // In version 2, a player is an object, and a list is `data` and a `page`.
        let second = api.get_v2("/leaderboards/b/events?after=1&limit=1").await.expect_status(200);
        assert_eq!((&second["data"][0]["player"], &second["page"]["next"]), (&json!({"id": "p"}), &json!("2")));
    }

    async fn the_log_is_read_page_by_page_and_says_how_far_it_reaches(api) {
        api.create_leaderboard("b", &json!({"log": {"keep_events": 5, "keep_days": 2}})).await;
        for score in 1..=20 {
            api.submit_score("b", "p", score).await;
        }
        let mut path = "/leaderboards/b/events?limit=2".to_owned();
        let mut positions = Vec::new();
        loop {
            let page = read(api, &path).await;
            assert_eq!((&page["from"], &page["last"]), (&json!(17), &json!(21)));
            positions.extend(fields(&page, &["position"]));
            let Some(next) = page["next"].as_str() else { break };
            path = format!("/leaderboards/b/events?limit=2&after={next}");
        }
        assert_eq!(positions, (17..=21).map(|position| json!([position])).collect::<Vec<_>>());
        let page = read(api, "/leaderboards/b/events?limit=1").await;
        let instant = |value: &Value| leaderboard_core::Timestamp::parse(value.as_str().unwrap()).unwrap().as_unix_ms();
        let kept_ms = instant(&page["retained_until"]) - instant(&page["events"][0]["recorded_at"]);
        assert_eq!(kept_ms, 2 * 24 * 60 * 60 * 1000);
        let beyond = read(api, "/leaderboards/b/events?after=21").await;
        assert_eq!((fields(&beyond, &["position"]).len(), &beyond["next"]), (0, &Value::Null));
    }

    async fn only_an_administrator_reads_the_log_of_a_leaderboard(api) {
        api.create_leaderboard("b", &json!({})).await;
        let server = api.make_key(json!(["scores:read", "scores:write"])).await.1;
        api.with_key(&server, "GET", "/leaderboards/b/events").send().await.expect_problem(403, "forbidden");
        api.bare("GET", "/leaderboards/b/events").send().await.expect_problem(401, "unauthenticated");
        api.get("/leaderboards/none/events").await.expect_problem(404, "leaderboard-not-found");
        for (query, parameter) in [("after=-1", "after"), ("after=x", "after"), ("limit=1001", "limit"), ("cursor=a", "cursor")] {
            let problem = api.get(&format!("/leaderboards/b/events?{query}")).await.expect_problem(400, "invalid-parameter");
            assert_eq!(problem["errors"][0]["parameter"], parameter, "{query}");
        }
    }

    async fn a_players_events_come_from_all_leaderboards(api) {
        for id in ["a", "b", "c"] {
            api.create_leaderboard(id, &json!({})).await;
            api.submit_score(id, "q", 1).await;
            api.submit_score(id, "p", 2).await;
        }
        api.request("PUT", "/players/p/ban").send().await.expect_status(204);
        api.submit_score("b", "p", 9).await;
        let all = read(api, "/players/p/events").await;
        let names = ["leaderboard", "position", "type", "banned"];
        assert_eq!(fields(&all, &names), [
            json!(["a", 3, "submitted", false]), json!(["a", 4, "banned", null]),
            json!(["b", 3, "submitted", false]), json!(["b", 4, "banned", null]), json!(["b", 5, "submitted", true]),
            json!(["c", 3, "submitted", false]), json!(["c", 4, "banned", null]),
        ]);
        assert_eq!((&all["player"], &all["next"]), (&json!("p"), &Value::Null));
        let (mut path, mut found) = ("/players/p/events?limit=2".to_owned(), Vec::new());
        loop {
            let page = read(api, &path).await;
            found.extend(fields(&page, &names));
            let Some(next) = page["next"].as_str() else { break };
            path = format!("/players/p/events?limit=2&after={next}");
        }
        assert_eq!(found, fields(&all, &names));
        api.get("/players/p/events?after=x").await.expect_problem(400, "invalid-cursor");
    }

    async fn a_player_reads_the_own_events_without_bans(api) {
        api.create_leaderboard("b", &json!({})).await;
        let key = api.make_key(json!(["scores:read", "scores:write"])).await.1;
        let token = api.issue_token(&key, "p").await;
        api.submit_score("b", "p", 1).await;
        api.request("PUT", "/players/p/ban").send().await.expect_status(204);
        api.submit_score("b", "p", 2).await;
        let own = api.with_token(&token, "GET", "/players/me/events").send().await.expect_status(200);
        assert_eq!(fields(&own, &["position", "type", "banned"]), [json!([2, "submitted", null]), json!([4, "submitted", null])]);
        assert!(own["events"][0].get("banned").is_none());
        api.with_token(&token, "GET", "/players/q/events").send().await.expect_problem(403, "forbidden");
        api.bare("GET", "/players/p/events").send().await.expect_problem(401, "unauthenticated");
    }
}
