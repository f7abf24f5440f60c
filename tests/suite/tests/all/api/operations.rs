//! Tests of detailed health and of metrics.

use leaderboard_test_support::wait_until;
use serde_json::json;

use crate::cases::api_cases;

api_cases! {
    async fn detailed_health_passes_in_both_formats(api) {
        let health = api.get("/health/detailed").await.expect_status(200);
        assert_eq!(health["status"], "pass");
        for part in ["store", "key_value"] {
            let part = &health["components"][part];
            assert_eq!((&part["status"], &part["message"]), (&json!("pass"), &json!("answers")));
            assert!(part["last_checked"].is_string() && part["metadata"]["took_ms"].is_i64());
        }
        let draft = api.request("GET", "/health/detailed").header("accept", "application/health+json").send().await;
        assert_eq!(draft.header("content-type"), "application/health+json");
        for (accept, media_type) in [
            ("application/health+json, */*;q=0.5", "application/health+json"),
            ("application/json, application/health+json;q=0.1", "application/json"),
        ] {
            let answer = api.request("GET", "/health/detailed").header("accept", accept).send().await;
            assert_eq!(answer.header("content-type"), media_type, "{accept}");
        }
        let other_route = api.request("GET", "/tenants").header("accept", "application/health+json").send().await;
        other_route.expect_problem(406, "not-acceptable");
        assert_eq!(draft.expect_status(200)["checks"]["store:responseTime"][0]["status"], "pass");
    }
}

mod over_http {
    use super::*;
    use crate::cases::http_cases;

    http_cases! {
        // This test needs HTTP, because all components count in one instance when they run in process.
        async fn requests_of_every_component_are_counted(api) {
            api.create_leaderboard("b", &json!({})).await;
            api.submit_score("b", "p", 1).await;
            api.get("/leaderboards/b/entries").await.expect_status(200);
            api.get("/leaderboards/none/entries").await.expect_problem(404, "leaderboard-not-found");
            let lines = ["leaderboards\",status=\"2xx", "scores\",status=\"2xx", "ranks\",status=\"2xx", "ranks\",status=\"4xx"];
            let metrics = async || {
                let answer = api.request("GET", "/metrics").send().await;
                assert_eq!((answer.status, answer.header("content-type")), (200, "text/plain; version=0.0.4; charset=utf-8"));
                String::from_utf8(answer.body.to_vec()).unwrap()
            };
            let text = wait_until(metrics, |text| {
                lines.iter().all(|line| text.contains(&format!("edgeboard_requests_total{{family=\"{line}\"}} ")))
            })
            .await;
            assert!(text.contains("# TYPE edgeboard_requests_total counter\n"));
            assert!(text.contains("edgeboard_store_up 1\n"));
        }
    }
}
