//! The versions of the API on the real components: by path, by header, by media type, and by none of them.

use leaderboard_test_support::{ApiClient, ApiResponse};
use serde_json::{Value, json};

use crate::cases::api_cases;

const V2: &str = "application/vnd.edgeboard.v2+json";

async fn read(api: &ApiClient, path: &str, headers: &[(&str, &str)]) -> ApiResponse {
    let call = api.request_at("GET", path);
    let call = headers
        .iter()
        .fold(call, |call, (name, value)| call.header(name, value));
    call.send().await
}

fn players(page: &Value) -> Vec<&str> {
    let entries = page["data"].as_array().unwrap();
    entries
        .iter()
        .map(|entry| entry["player"]["id"].as_str().unwrap())
        .collect()
}

api_cases! {
    async fn every_way_to_ask_for_a_version_is_routed(api) {
        api.create_leaderboard("b", &json!({})).await;
        api.submit("b", &json!({"player": "p", "score": 1, "metadata": {"a": 1}})).await;
        let path = "leaderboards/b/entries";
        for (base, headers, version) in [
            ("/api/v1", vec![], "1"),
            ("/api/v2", vec![], "2"),
            ("/api", vec![], "1"),
            ("/api", vec![("api-version", "2")], "2"),
            ("/api", vec![("accept", V2)], "2"),
            ("/api", vec![("accept", V2), ("api-version", "1")], "1"),
            ("/api/v2", vec![("accept", "application/vnd.edgeboard.v1+json")], "2"),
        ] {
            let answer = read(api, &format!("{base}/{path}"), &headers).await;
            let body = answer.expect_status(200);
            assert_eq!(answer.header("api-version"), version, "{base} {headers:?}");
            let player = if version == "1" { json!("p") } else { json!({"id": "p", "metadata": {"a": 1}}) };
            let entries = if version == "1" { "entries" } else { "data" };
            assert_eq!(body[entries][0]["player"], player, "{base} {headers:?}");
        }
        read(api, &format!("/api/v2/{path}"), &[("api-version", "1")]).await.expect_problem(400, "version-conflict");
        read(api, &format!("/api/{path}"), &[("api-version", "3")]).await.expect_problem(400, "invalid-header");
        for (base, version) in [("/api", "1"), ("/api/v2", "2")] {
            let accept = [("accept", "application/vnd.edgeboard.v3+json")];
            let refused = read(api, &format!("{base}/{path}"), &accept).await;
            refused.expect_problem(406, "not-acceptable");
            assert_eq!(refused.header("api-version"), version, "{base}");
        }
        read(api, &format!("/api/v3/{path}"), &[]).await.expect_problem(404, "unknown-version");
        read(api, "/api/v3/health/live", &[]).await.expect_problem(404, "unknown-version");
        read(api, "/api/v2/health/live", &[]).await.expect_status(200);
        read(api, "/api/health/live", &[]).await.expect_status(200);
    }

    /// The name of a leaderboard may be that of a segment of the routes.
    async fn names_may_be_words_of_routes(api) {
        for id in ["leaderboards", "scores", "entries", "dead-letters", "players", "v1", "v2"] {
            let created = api.request_at("PUT", &format!("/api/leaderboards/{id}")).json(&json!({})).send().await;
            created.expect_status(201);
            assert_eq!(created.header("location"), format!("/api/v1/leaderboards/{id}"));
            let one = json!({"player": "around", "score": 1});
            let taken = api.request_at("POST", &format!("/api/leaderboards/{id}/scores")).json(&one).send().await.expect_status(200);
            assert_eq!(taken["leaderboard"], id);
            let entry = read(api, &format!("/api/leaderboards/{id}/entries/around/around"), &[]).await.expect_status(200);
            assert_eq!(entry["entries"][0]["player"], "around");
        }
        let page = read(api, "/api/leaderboards?limit=2", &[("api-version", "2")]).await.expect_status(200);
        assert_eq!((&page["data"][0]["id"], &page["data"][1]["id"]), (&json!("dead-letters"), &json!("entries")));
    }

    async fn a_list_shows_where_it_drifted(api) {
        api.create_leaderboard("b", &json!({})).await;
        for n in 1..=9 {
            api.submit_score("b", &format!("p{n}"), n * 10).await;
        }
        let first = read(api, "/api/v2/leaderboards/b/entries?limit=3", &[]).await.expect_status(200);
        assert_eq!(players(&first), ["p9", "p8", "p7"]);
        let start = first["page"]["snapshot"]["version"].clone();
        assert_eq!(first["version"], start);
        // Within the next page, from behind it to the top, and one that does not count.
        api.submit_score("b", "p4", 55).await;
        api.submit_score("b", "p1", 500).await;
        api.request("PUT", "/players/p8/ban").send().await.expect_status(204);
        let next = first["page"]["next"].as_str().unwrap();
        let second = read(api, &format!("/api/v2/leaderboards/b/entries?limit=3&cursor={next}"), &[]).await.expect_status(200);
        assert_eq!(players(&second), ["p6", "p4", "p5"]);
        assert_eq!(second["page"]["snapshot"], json!({
            "version": start, "drifted": true, "touched_ranks": [5], "moved_past": ["p1"], "gone": 1,
        }));
        assert_eq!(second["data"][1]["rank"], 5);
        let back = second["page"]["previous"].as_str().unwrap();
        let old = api.get(&format!("/leaderboards/b/entries?limit=9&cursor={back}")).await.expect_status(200);
        assert_eq!((&old["entries"][0]["player"], &old["drifted"]), (&json!("p1"), &json!(true)));
    }
}
