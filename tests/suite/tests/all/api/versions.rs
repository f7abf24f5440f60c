//! Tests of the API versions on the real components: a path, a header or a media type selects the version.

use leaderboard_test_support::{ApiClient, ApiResponse};
use serde_json::json;

use crate::cases::api_cases;

const V2: &str = "application/vnd.edgeboard.v2+json";

/// Reads a path with these headers.
async fn get_with_headers(api: &ApiClient, path: &str, headers: &[(&str, &str)]) -> ApiResponse {
    let call = api.request_at("GET", path);
    let call = headers
        .iter()
        .fold(call, |call, (name, value)| call.header(name, value));
    call.send().await
}

api_cases! {
    async fn a_version_is_selected_by_path_header_or_media_type(api) {
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
            let answer = get_with_headers(api, &format!("{base}/{path}"), &headers).await;
            let body = answer.expect_status(200);
            assert_eq!(answer.header("api-version"), version, "{base} {headers:?}");
            let player = if version == "1" { json!("p") } else { json!({"id": "p", "metadata": {"a": 1}}) };
            let entries = if version == "1" { "entries" } else { "data" };
            assert_eq!(body[entries][0]["player"], player, "{base} {headers:?}");
        }
        get_with_headers(api, &format!("/api/v2/{path}"), &[("api-version", "1")]).await.expect_problem(400, "version-conflict");
        for version in ["3", "one"] {
            let unknown = get_with_headers(api, &format!("/api/{path}"), &[("api-version", version)]).await;
            assert_eq!(unknown.expect_problem(400, "invalid-header")["errors"][0]["header"], "API-Version");
        }
        for (base, version) in [("/api", "1"), ("/api/v2", "2")] {
            let accept = [("accept", "application/vnd.edgeboard.v3+json")];
            let refused = get_with_headers(api, &format!("{base}/{path}"), &accept).await;
            refused.expect_problem(406, "not-acceptable");
            assert_eq!(refused.header("api-version"), version, "{base}");
        }
        for (base, problem) in [("/api/v3", "unknown-version"), ("/api/v01", "unknown-version"), ("/api/vx", "not-found")] {
            get_with_headers(api, &format!("{base}/{path}"), &[]).await.expect_problem(404, problem);
        }
        get_with_headers(api, "/api/v3/health/live", &[]).await.expect_problem(404, "unknown-version");
        get_with_headers(api, "/api/v2/health/live", &[]).await.expect_status(200);
        get_with_headers(api, "/api/health/live", &[]).await.expect_status(200);
    }

    async fn a_leaderboard_may_have_the_name_of_a_segment_of_a_route(api) {
        for id in ["leaderboards", "scores", "entries", "dead-letters", "players", "v1", "v2"] {
            let created = api.request_at("PUT", &format!("/api/leaderboards/{id}")).json(&json!({})).send().await;
            created.expect_status(201);
            assert_eq!(created.header("location"), format!("/api/v1/leaderboards/{id}"));
            let one = json!({"player": "around", "score": 1});
            let taken = api.request_at("POST", &format!("/api/leaderboards/{id}/scores")).json(&one).send().await.expect_status(200);
            assert_eq!(taken["leaderboard"], id);
            let entry = get_with_headers(api, &format!("/api/leaderboards/{id}/entries/around/around"), &[]).await.expect_status(200);
            assert_eq!(entry["entries"][0]["player"], "around");
        }
        let page = get_with_headers(api, "/api/leaderboards?limit=2", &[("api-version", "2")]).await.expect_status(200);
        assert_eq!((&page["data"][0]["id"], &page["data"][1]["id"]), (&json!("dead-letters"), &json!("entries")));
    }
}
