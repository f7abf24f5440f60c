//! The audit log: what is in it, and that nothing goes on without it.

use serde_json::{Value, json};

use crate::edgeboard::{Edgeboard, KEY, eventually, over_http};

async fn records(edgeboard: &Edgeboard, path: &str) -> Vec<Value> {
    let page = edgeboard.get(path).await.is(200);
    page["records"].as_array().unwrap().clone()
}

/// The records with this trace, newest first, once there are so many.
async fn traced(edgeboard: &Edgeboard, path: &str, trace: &str, count: usize) -> Vec<Value> {
    let ask = async || {
        let mut found = records(edgeboard, path).await;
        found.retain(|record| record["event"]["trace"] == trace);
        found
    };
    eventually(ask, |found| found.len() == count).await
}

over_http! {
    async fn acts_are_recorded_and_those_that_failed_twice(edgeboard) {
        let done = edgeboard.put("/leaderboards/b", &json!({})).await;
        let failed = edgeboard.delete("/leaderboards/none").await;
        assert_eq!((done.status, failed.status), (201, 404));
        let log = traced(edgeboard, "/audit", failed.header("x-request-id"), 2).await;
        let (outcome, act) = (&log[0]["event"], &log[1]["event"]);
        assert_eq!((&outcome["type"], &outcome["of"], &outcome["status"]), (&json!("outcome"), &log[1]["position"], &json!(404)));
        assert_eq!((&act["method"], &act["route"]), (&json!("DELETE"), &json!("/leaderboards/:leaderboard")));
        let log = traced(edgeboard, "/audit", done.header("x-request-id"), 1).await;
        let act = &log[0]["event"];
        assert_eq!((&act["who"], &act["parameters"]), (&json!({"credential": "operator"}), &json!({"leaderboard": "b"})));
        assert_eq!(act["from"], "127.0.0.1");
        assert!(!log[0].to_string().contains(KEY));
    }

    async fn reads_and_scores_leave_nothing_and_no_route_changes_the_log(edgeboard) {
        edgeboard.board("b", &json!({})).await;
        edgeboard.score("b", "p", 1).await;
        edgeboard.get("/leaderboards/b/entries").await.is(200);
        for verb in ["PUT", "POST", "PATCH", "DELETE"] {
            for path in ["/audit", "/operator/audit"] {
                edgeboard.call(verb, path).send().await.problem(405, "method-not-allowed");
            }
            edgeboard.call(verb, "/audit/1").send().await.problem(404, "not-found");
        }
        let log = records(edgeboard, "/audit").await;
        assert_eq!((log.len(), &log[0]["position"]), (1, &json!(1)));
    }

    async fn a_refused_credential_is_in_the_operators_log_without_its_secret(edgeboard) {
        let trace = format!("{:032x}", 1 + u128::from(edgeboard.tenant.bytes().map(u64::from).sum::<u64>()));
        let guess = format!("guessed-by-{}", edgeboard.tenant);
        let call = edgeboard.call("GET", "/leaderboards").instead("x-api-key", &guess);
        let call = call.header("traceparent", &format!("00-{trace}-00f067aa0ba902b7-01"));
        // Somebody else would be believed neither.
        call.header("spin-client-addr", "192.0.2.66:1").send().await.problem(401, "unauthenticated");
        let refused = |record: &Value| record["event"]["type"] == "refused" && record["event"]["from"] == "127.0.0.1";
        let log = eventually(
            async || records(edgeboard, "/operator/audit?limit=1000").await,
            |log| log.iter().any(refused),
        )
        .await;
        assert!(!json!(log).to_string().contains(&guess));
    }
}
