//! Tests of the audit logs: which events they contain, what an event records, and how a log is read in pages.

use leaderboard_test_support::{ADMIN_KEY, ApiClient, wait_until};
use serde_json::{Value, json};

use crate::cases::api_cases;

/// Returns the records of one page of an audit log.
async fn read_records(api: &ApiClient, path: &str) -> Vec<Value> {
    let page = api.get(path).await.expect_status(200);
    page["records"].as_array().unwrap().clone()
}

/// Waits until the log has `count` records with this trace id, and returns them, newest first.
async fn wait_for_records(api: &ApiClient, path: &str, trace: &str, count: usize) -> Vec<Value> {
    let find = async || {
        let mut found = read_records(api, path).await;
        found.retain(|record| record["event"]["trace"] == trace);
        found
    };
    wait_until(find, |found| found.len() == count).await
}

api_cases! {
    async fn a_change_has_one_record_and_a_failed_change_two(api) {
        let done = api.put("/leaderboards/b", &json!({})).await;
        let failed = api.delete("/leaderboards/none").await;
        assert_eq!((done.status, failed.status), (201, 404));
        let log = wait_for_records(api, "/audit", failed.header("x-request-id"), 2).await;
        let (outcome, change) = (&log[0]["event"], &log[1]["event"]);
        assert_eq!((&outcome["type"], &outcome["of"], &outcome["status"]), (&json!("outcome"), &log[1]["position"], &json!(404)));
        assert_eq!((&change["method"], &change["route"]), (&json!("DELETE"), &json!("/leaderboards/:leaderboard")));
        let log = wait_for_records(api, "/audit", done.header("x-request-id"), 1).await;
        let change = &log[0]["event"];
        assert_eq!((&change["who"], &change["parameters"]), (&json!({"credential": "operator"}), &json!({"leaderboard": "b"})));
        assert_eq!(change["from"], "127.0.0.1");
        assert!(!log[0].to_string().contains(ADMIN_KEY));
    }

    async fn reads_and_scores_leave_no_record_and_no_route_changes_the_log(api) {
        api.create_leaderboard("b", &json!({})).await;
        api.submit_score("b", "p", 1).await;
        api.get("/leaderboards/b/entries").await.expect_status(200);
        for verb in ["PUT", "POST", "PATCH", "DELETE"] {
            for path in ["/audit", "/operator/audit"] {
                api.request(verb, path).send().await.expect_problem(405, "method-not-allowed");
            }
            api.request(verb, "/audit/1").send().await.expect_problem(404, "not-found");
        }
        let log = read_records(api, "/audit").await;
        assert_eq!((log.len(), &log[0]["position"]), (1, &json!(1)));
    }

    async fn a_refused_credential_is_in_the_operators_log_without_its_secret(api) {
        let trace = format!("{:032x}", 1 + u128::from(api.tenant.bytes().map(u64::from).sum::<u64>()));
        let guess = format!("guessed-by-{}", api.tenant);
        let call = api.request("GET", "/leaderboards").replace_header("x-api-key", &guess);
        let call = call.header("traceparent", &format!("00-{trace}-00f067aa0ba902b7-01"));
        // The server ignores this header, so a client cannot choose the address in the audit log.
        call.header("spin-client-addr", "192.0.2.66:1").send().await.expect_problem(401, "unauthenticated");
        let refused = |record: &Value| record["event"]["type"] == "refused" && record["event"]["from"] == "127.0.0.1";
        let log = wait_until(
            async || read_records(api, "/operator/audit?limit=1000").await,
            |log| log.iter().any(refused),
        )
        .await;
        assert!(!json!(log).to_string().contains(&guess));
    }

    async fn each_tenant_and_the_operator_have_separate_logs(api) {
        api.put("/leaderboards/b?rebuild=true", &json!({})).await.expect_status(201);
        api.put(&format!("/tenants/{}", api.tenant), &json!({})).await.expect_status(201);
        // The tenant's log does not record a request with an invalid parameter or without a credential.
        api.put("/leaderboards/NO", &json!({})).await.expect_problem(400, "invalid-parameter");
        let anonymous = api.request("PUT", "/leaderboards/b").without_header("x-api-key").json(&json!({}));
        anonymous.send().await.expect_problem(401, "unauthenticated");
        let log = read_records(api, "/audit").await;
        assert_eq!((log.len(), &log[0]["event"]["query"]), (1, &json!("rebuild=true")));
        let operators = read_records(api, "/operator/audit?limit=1000").await;
        let own = json!({"tenant": api.tenant});
        assert!(operators.iter().any(|record| record["event"]["parameters"] == own));
    }

    async fn the_log_is_read_in_pages_newest_first(api) {
        for _ in 0..5 {
            api.request("PUT", "/players/p/ban").send().await.expect_status(204);
        }
        let page = async |query: &str| {
            let page = api.get(&format!("/audit{query}")).await.expect_status(200);
            let positions = page["records"].as_array().unwrap().iter().map(|record| record["position"].as_u64().unwrap());
            (positions.collect::<Vec<_>>(), page["next"].clone())
        };
        assert_eq!(page("?limit=2").await, (vec![5, 4], json!(4)));
        assert_eq!(page("?limit=2&before=4").await, (vec![3, 2], json!(2)));
        assert_eq!(page("?limit=2&before=2").await, (vec![1], Value::Null));
        for query in ["before=0", "before=x", "before=-1", "limit=0", "after=1"] {
            api.get(&format!("/audit?{query}")).await.expect_problem(400, "invalid-parameter");
        }
    }
}
