//! Tests of `If-Match` and `If-None-Match`, and of changes that would reorder entries.

use leaderboard_test_support::{ApiClient, ApiResponse};
use serde_json::json;

use crate::cases::api_cases;

/// Sends a request for the leaderboard `b` with a conditional header.
async fn send_conditional(api: &ApiClient, verb: &str, header: &str, tag: &str) -> ApiResponse {
    let call = api.request(verb, "/leaderboards/b").header(header, tag);
    let call = match verb {
        "PUT" | "PATCH" => call.json(&json!({"title": format!("{verb} {header} {tag}")})),
        _ => call,
    };
    call.send().await
}

api_cases! {
    async fn preconditions_restrict_a_put_to_creating_or_to_replacing(api) {
        send_conditional(api, "PUT", "if-match", "*").await.expect_problem(412, "precondition-failed");
        api.get("/leaderboards/b").await.expect_problem(404, "leaderboard-not-found");
        send_conditional(api, "PUT", "if-none-match", "*").await.expect_status(201);
        let refused = send_conditional(api, "PUT", "if-none-match", "*").await;
        refused.expect_problem(412, "precondition-failed");
        send_conditional(api, "PUT", "if-match", "*").await.expect_status(200);
    }

    async fn a_change_on_an_old_tag_is_refused_and_changes_nothing(api) {
        let old = api.put("/leaderboards/b", &json!({})).await.header("etag").to_owned();
        let new = api.patch("/leaderboards/b", &json!({"title": "mine"})).await.header("etag").to_owned();
        assert_ne!(old, new);
        for verb in ["PUT", "PATCH", "DELETE"] {
            let refused = send_conditional(api, verb, "if-match", &old).await;
            refused.expect_problem(412, "precondition-failed");
            let weak = send_conditional(api, verb, "if-match", &format!("W/{new}")).await;
            weak.expect_problem(412, "precondition-failed");
        }
        let read = api.get("/leaderboards/b").await;
        assert_eq!((read.expect_status(200)["title"].clone(), read.header("etag")), (json!("mine"), new.as_str()));
        let patched = send_conditional(api, "PATCH", "if-match", &format!("\"x\", {new}")).await;
        patched.expect_status(200);
        let newest = patched.header("etag").to_owned();
        send_conditional(api, "DELETE", "if-match", &newest).await.expect_status(204);
    }

    async fn a_reader_who_has_the_document_gets_304(api) {
        let tag = api.put("/leaderboards/b", &json!({})).await.header("etag").to_owned();
        for known in [tag.clone(), format!("W/{tag}"), "*".to_owned(), format!("\"0\", {tag}")] {
            let unchanged = send_conditional(api, "GET", "if-none-match", &known).await;
            assert_eq!((unchanged.status, unchanged.body.len()), (304, 0));
            assert_eq!(unchanged.header("etag"), tag);
        }
        send_conditional(api, "GET", "if-none-match", "\"0\"").await.expect_status(200);
        send_conditional(api, "GET", "if-match", &tag).await.expect_status(200);
        send_conditional(api, "GET", "if-match", "\"0\"").await.expect_problem(412, "precondition-failed");
    }

    async fn only_one_of_many_writers_with_the_same_tag_succeeds(api) {
        api.create_leaderboard("b", &json!({})).await;
        let tag = api.get("/leaderboards/b").await.header("etag").to_owned();
        let mut writers = tokio::task::JoinSet::new();
        for number in 0..12 {
            let (api, tag) = (api.clone(), tag.clone());
            writers.spawn_local(async move {
                let title = json!({"title": format!("writer {number}")});
                api.request("PUT", "/leaderboards/b").header("if-match", &tag).json(&title).send().await.status
            });
        }
        let mut statuses = writers.join_all().await;
        statuses.sort_unstable();
        assert_eq!((statuses[0], statuses[1..].iter().all(|status| *status == 412)), (200, true), "{statuses:?}");
    }

    async fn a_change_of_order_needs_a_rebuild(api) {
        api.create_leaderboard("b", &json!({"ties": "earliest"})).await;
        api.submit_score("b", "high", 9).await;
        api.submit_score("b", "low", 1).await;
        let ascending = json!({"columns": [{"name": "score", "order": "asc"}]});
        for (change, sent) in [(&ascending, "#/columns"), (&json!({"ties": "latest"}), "#/ties")] {
            let problem = api.patch("/leaderboards/b", change).await.expect_problem(409, "rebuild-needed");
            let pointers: Vec<_> = problem["errors"].as_array().unwrap().iter().map(|e| e["pointer"].clone()).collect();
            assert_eq!(pointers, [sent]);
        }
        api.patch("/leaderboards/b?rebuild=true", &ascending).await.expect_status(200);
        assert_eq!(api.list_ranks("b").await, [(1, "low".to_owned()), (2, "high".to_owned())]);
    }
}
