//! Tests of requests with `Prefer: respond-async`.

use leaderboard_test_support::{ApiClient, ApiResponse, wait_until};
use serde_json::{Value, json};

use crate::cases::api_cases;

const SCORES: &str = "/leaderboards/b/scores";

/// Posts a body with `Prefer: respond-async`.
async fn post_async(api: &ApiClient, path: &str, body: &Value) -> ApiResponse {
    let request = api.request("POST", path).header("prefer", "respond-async");
    request.json(body).send().await
}

/// Posts a body with `Prefer: respond-async` and an idempotency key.
async fn post_with_key(api: &ApiClient, key: &str, body: &Value) -> ApiResponse {
    let request = api.request("POST", SCORES).header("prefer", "respond-async");
    request.header("idempotency-key", key).json(body).send().await
}

/// Waits until a request is no longer pending, and returns its state.
async fn wait_for_state(api: &ApiClient, accepted: &ApiResponse) -> Value {
    accepted.expect_status(202);
    let path = accepted.header("location").to_owned();
    let read = async || api.request_at("GET", &path).send().await.expect_status(200);
    wait_until(read, |state| state["state"] != "pending").await
}

api_cases! {
    async fn a_request_with_respond_async_is_applied_after_its_response(api) {
        api.create_leaderboard("b", &json!({"operator": "increment"})).await;
        let accepted = post_async(api, SCORES, &json!({"player": "p", "score": 5})).await;
        let body = accepted.expect_status(202);
        assert_eq!(accepted.header("preference-applied"), "respond-async");
        assert_eq!(accepted.header("location"), format!("/api/v1/submissions/{}", body["id"].as_str().unwrap()));
        let state = wait_for_state(api, &accepted).await;
        assert_eq!((&state["state"], &state["id"]), (&json!("applied"), &body["id"]));
        let result = &state["results"][0];
        assert_eq!((&result["status_code"], &result["status"], &result["values"]), (&json!(200), &json!("created"), &json!({"score": 5})));
        assert_eq!(api.list_entries("b").await[0].score, 5);
    }

    async fn each_submission_of_a_queued_batch_has_its_result(api) {
        api.create_leaderboard("a", &json!({"limits": {"max": 10}})).await;
        api.create_leaderboard("b", &json!({})).await;
        let accepted = post_async(api, "/scores", &json!({"scores": [
            {"player": "p", "score": 1, "leaderboards": ["a", "b"]},
            {"player": "p", "score": 11, "leaderboards": ["a", "b"]},
            {"player": "p", "score": 1, "leaderboards": ["none"]},
        ]})).await;
        let state = wait_for_state(api, &accepted).await;
        assert_eq!(state["state"], "applied");
        let results = state["results"].as_array().unwrap();
        assert_eq!(results[0]["results"][1]["leaderboard"], "b");
        assert_eq!((&results[1]["status_code"], &results[1]["problem"]["errors"][0]["pointer"]), (&json!(422), &json!("#/scores/1/score")));
        assert_eq!(results[2]["problem"]["type"], "/problems/leaderboard-not-found");
        assert_eq!(api.list_entries("b").await[0].score, 1);
    }

    async fn a_refused_request_shows_its_problem_and_is_no_dead_letter(api) {
        let accepted = post_async(api, SCORES, &json!({"player": "p", "score": 5})).await;
        let state = wait_for_state(api, &accepted).await;
        assert_eq!((&state["state"], &state["results"][0]["status_code"]), (&json!("refused"), &json!(404)));
        let letters = api.get(&format!("/dead-letters?tenant={}", api.tenant)).await.expect_status(200);
        assert_eq!(letters["letters"], json!([]));
    }

    async fn bad_input_is_refused_at_once(api) {
        api.create_leaderboard("b", &json!({})).await;
        let refused = post_async(api, SCORES, &json!({"player": "", "score": 5})).await;
        assert_eq!(refused.expect_problem(422, "validation")["errors"][0]["pointer"], "#/player");
        post_async(api, SCORES, &json!({"player": "me", "score": 5})).await.expect_problem(422, "validation");
        post_async(api, &format!("{SCORES}?x=1"), &json!({"player": "p", "score": 5})).await.expect_problem(400, "invalid-parameter");
        let nobody = api.bare("POST", SCORES).header("prefer", "respond-async").json(&json!({"player": "p", "score": 5}));
        nobody.send().await.expect_problem(401, "unauthenticated");
    }

    async fn a_repeated_idempotency_key_is_the_same_queued_request(api) {
        api.create_leaderboard("b", &json!({"operator": "increment"})).await;
        let body = json!({"scores": [{"player": "p", "score": 1}, {"player": "p", "score": 1}]});
        let first = post_with_key(api, "\"k\"", &body).await;
        wait_for_state(api, &first).await;
        let again = post_with_key(api, "\"k\"", &body).await;
        assert_eq!(again.expect_status(202)["state"], "applied");
        assert_eq!(again.header("location"), first.header("location"));
        let other = post_with_key(api, "\"k\"", &json!({"player": "p", "score": 1})).await;
        assert_eq!(other.expect_problem(422, "id-conflict")["errors"][0]["header"], "Idempotency-Key");
        // A client that waits for the outcome instead gets that of the queued request.
        let direct = api.request("POST", SCORES).header("idempotency-key", "\"k\"").json(&body).send().await;
        assert_eq!(direct.expect_status(207)["results"][1]["replayed"], true);
        assert_eq!(api.list_entries("b").await[0].score, 2);
    }

    async fn a_queued_submission_keeps_its_own_id(api) {
        api.create_leaderboard("b", &json!({"operator": "increment"})).await;
        let one = json!({"player": "p", "score": 1, "id": "own"});
        api.submit("b", &one).await;
        let state = wait_for_state(api, &post_async(api, SCORES, &one).await).await;
        assert_eq!(state["results"][0]["replayed"], true);
        assert_eq!(api.list_entries("b").await[0].score, 1);
    }

    async fn a_queued_request_is_seen_by_its_tenant_and_its_player(api) {
        api.create_leaderboard("b", &json!({"access": {"write": "player"}})).await;
        let key = api.make_key(json!(["scores:read", "scores:write"])).await.1;
        let (own, other) = (api.issue_token(&key, "p").await, api.issue_token(&key, "q").await);
        let request = api.with_token(&own, "POST", SCORES).header("prefer", "respond-async");
        let accepted = request.json(&json!({"player": "me", "score": 5})).send().await;
        let state = wait_for_state(api, &accepted).await;
        assert_eq!((&state["state"], &state["results"][0]["player"]), (&json!("applied"), &json!("p")));
        let path = accepted.header("location");
        api.with_token(&own, "GET", path).send().await.expect_status(200);
        api.with_key(&key, "GET", path).send().await.expect_status(200);
        api.with_token(&other, "GET", path).send().await.expect_problem(404, "submission-not-found");
        api.bare("GET", path).send().await.expect_problem(401, "unauthenticated");
        let elsewhere = api.another_tenant();
        elsewhere.request_at("GET", path).send().await.expect_problem(404, "submission-not-found");
        api.get("/submissions/A").await.expect_problem(400, "invalid-parameter");
        // A player's request has the permissions of the player in the queue, too.
        let request = api.with_token(&own, "POST", SCORES).header("prefer", "respond-async");
        let accepted = request.json(&json!({"player": "q", "score": 5})).send().await;
        let state = wait_for_state(api, &accepted).await;
        assert_eq!((&state["state"], &state["results"][0]["status_code"]), (&json!("refused"), &json!(403)));
    }

    async fn the_location_has_the_version_of_the_request(api) {
        api.create_leaderboard("b", &json!({})).await;
        let request = api.request_at("POST", &format!("/api/v2{SCORES}")).header("prefer", "respond-async");
        let accepted = request.json(&json!({"player": "p", "score": 5})).send().await;
        assert!(accepted.header("location").starts_with("/api/v2/submissions/"));
        let state = wait_for_state(api, &accepted).await;
        assert_eq!(state["results"][0]["player"]["id"], "p");
    }

    async fn a_tick_needs_the_operators_key(api) {
        let key = api.make_key(json!(["admin"])).await.1;
        let tick = || api.request_at("POST", "/internal/tick");
        tick().replace_header("x-api-key", &key).send().await.expect_problem(403, "forbidden");
        tick().without_header("x-api-key").send().await.expect_problem(401, "unauthenticated");
        tick().send().await.expect_status(200);
        // A tick once per second would displace everything else in the audit log.
        let log = api.get("/operator/audit?limit=1000").await.expect_status(200);
        assert!(log["records"].as_array().unwrap().iter().all(|record| record["event"]["route"] != "/internal/tick"));
    }

    async fn a_player_reads_the_own_pending_scores(api) {
        api.create_leaderboard("b", &json!({"access": {"write": "player"}})).await;
        let key = api.make_key(json!(["scores:read", "scores:write"])).await.1;
        let (own, other) = (api.issue_token(&key, "p").await, api.issue_token(&key, "q").await);
        let path = |player: &str| format!("/api/v1/players/{player}/pending-scores");
        let request = api.with_token(&own, "POST", SCORES).header("prefer", "respond-async");
        let accepted = request.json(&json!({"player": "me", "score": 5})).send().await;
        wait_for_state(api, &accepted).await;
        let read = api.with_token(&own, "GET", &path("me")).send().await.expect_status(200);
        assert_eq!((&read["player"], &read["pending"]), (&json!("p"), &json!([])));
        api.with_key(&key, "GET", &path("p")).send().await.expect_status(200);
        api.with_token(&other, "GET", &path("p")).send().await.expect_problem(403, "forbidden");
        api.bare("GET", &path("p")).send().await.expect_problem(401, "unauthenticated");
        api.get("/players/p/pending-scores?x=1").await.expect_problem(400, "invalid-parameter");
    }
}
