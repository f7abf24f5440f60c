//! What operators look at.

use serde_json::json;

use crate::edgeboard::{eventually, over_http};

over_http! {
    async fn every_part_of_the_region_is_healthy(edgeboard) {
        let health = edgeboard.get("/health/detailed").await.is(200);
        assert_eq!(health["status"], "pass");
        for part in ["store", "key_value"] {
            let part = &health["components"][part];
            assert_eq!((&part["status"], &part["message"]), (&json!("pass"), &json!("answers")));
            assert!(part["last_checked"].is_string() && part["metadata"]["took_ms"].is_i64());
        }
        let draft = edgeboard.call("GET", "/health/detailed").header("accept", "application/health+json").send().await;
        assert_eq!(draft.header("content-type"), "application/health+json");
        assert_eq!(draft.is(200)["checks"]["store:responseTime"][0]["status"], "pass");
    }

    async fn requests_of_every_component_are_counted(edgeboard) {
        edgeboard.board("b", &json!({})).await;
        edgeboard.score("b", "p", 1).await;
        edgeboard.get("/leaderboards/b/entries").await.is(200);
        edgeboard.get("/leaderboards/none/entries").await.problem(404, "leaderboard-not-found");
        let lines = ["leaderboards\",status=\"2xx", "scores\",status=\"2xx", "ranks\",status=\"2xx", "ranks\",status=\"4xx"];
        let metrics = async || {
            let answer = edgeboard.call("GET", "/metrics").send().await;
            assert_eq!((answer.status, answer.header("content-type")), (200, "text/plain; version=0.0.4; charset=utf-8"));
            String::from_utf8(answer.body.to_vec()).unwrap()
        };
        let text = eventually(metrics, |text| {
            lines.iter().all(|line| text.contains(&format!("edgeboard_requests_total{{family=\"{line}\"}} ")))
        })
        .await;
        assert!(text.contains("# TYPE edgeboard_requests_total counter\n"));
        assert!(text.contains("edgeboard_store_up 1\n"));
    }
}
