//! Tests that a submission with an `id`, or in a request with an `Idempotency-Key`, counts once.

use leaderboard_test_support::{ApiClient, ApiResponse};
use serde_json::{Value, json};

use crate::cases::api_cases;

/// Posts a body with an `Idempotency-Key`.
async fn post_with_key(api: &ApiClient, path: &str, key: &str, body: &Value) -> ApiResponse {
    api.request("POST", path)
        .header("idempotency-key", key)
        .json(body)
        .send()
        .await
}

api_cases! {
    async fn a_repeated_id_is_replayed_and_refused_with_other_content(api) {
        api.create_leaderboard("b", &json!({"operator": "increment"})).await;
        let submission = json!({"player": "p", "score": 5, "id": "match 1/goal 1", "metadata": {"m": 1}});
        let first = api.submit("b", &submission).await;
        let mut replay = api.submit("b", &submission).await;
        assert_eq!(replay["replayed"].take(), true);
        replay["replayed"] = json!(false);
        assert_eq!(replay, first);
        let other = json!({"player": "p", "score": 6, "id": "match 1/goal 1"});
        let refused = api.post("/leaderboards/b/scores", &other).await.expect_problem(422, "id-conflict");
        assert_eq!(refused["errors"][0]["pointer"], "#/id");
        let answer = api.post("/leaderboards/b/scores", &json!({"scores": [other]})).await.expect_status(207);
        assert_eq!(answer["results"][0]["problem"]["errors"][0]["pointer"], "#/scores/0/id");
    }

    async fn an_idempotency_key_covers_the_whole_request(api) {
        api.create_leaderboard("b", &json!({"operator": "increment"})).await;
        let body = json!({"scores": [{"player": "p", "score": 1}, {"player": "p", "score": 1}, {"player": "q", "score": 7}]});
        let path = "/leaderboards/b/scores";
        let first = post_with_key(api, path, "\"req-1\"", &body).await.expect_status(207);
        let after = api.page("b", "").await;
        assert_eq!(after["entries"][1]["values"]["score"], 2);
        let again = post_with_key(api, path, "\"req-1\"", &body).await.expect_status(207);
        for at in 0..3 {
            assert_eq!((&first["results"][at]["replayed"], &again["results"][at]["replayed"]), (&json!(false), &json!(true)));
            assert_eq!(first["results"][at]["version"], again["results"][at]["version"]);
        }
        assert_eq!(api.page("b", "").await, after);
        // The same body with another key counts again.
        post_with_key(api, path, "\"req-2\"", &body).await.expect_status(207);
        assert_eq!(api.page("b", "").await["entries"][1]["values"]["score"], 4);
    }

    async fn an_idempotency_key_with_another_body_is_refused_for_every_submission(api) {
        api.create_leaderboard("b", &json!({"operator": "increment"})).await;
        let path = "/leaderboards/b/scores";
        let first = json!({"scores": [{"player": "p", "score": 1}, {"player": "q", "score": 1}]});
        let other = json!({"scores": [{"player": "p", "score": 1}, {"player": "q", "score": 2}]});
        post_with_key(api, path, "\"k\"", &first).await.expect_status(207);
        let before = api.page("b", "").await;
        let answer = post_with_key(api, path, "\"k\"", &other).await.expect_status(207);
        for result in answer["results"].as_array().unwrap() {
            assert_eq!(result["problem"]["type"], "/problems/id-conflict", "{result}");
            assert_eq!(result["problem"]["errors"][0]["header"], "Idempotency-Key");
        }
        assert_eq!(api.page("b", "").await, before);
    }

    async fn an_idempotency_key_works_for_one_and_for_several_leaderboards(api) {
        api.create_leaderboard("a", &json!({"operator": "increment"})).await;
        api.create_leaderboard("b", &json!({"operator": "increment"})).await;
        let body = json!({"player": "p", "score": 3, "leaderboards": ["a", "b"]});
        for replayed in [false, true] {
            let answer = post_with_key(api, "/scores", "\"k\"", &body).await.expect_status(200);
            assert_eq!((&answer["results"][0]["replayed"], &answer["results"][1]["replayed"]), (&json!(replayed), &json!(replayed)));
        }
        let other = json!({"player": "p", "score": 4, "leaderboards": ["a", "b"]});
        let refused = post_with_key(api, "/scores", "\"k\"", &other).await.expect_problem(422, "id-conflict");
        assert_eq!(refused["errors"][0]["header"], "Idempotency-Key");
        assert_eq!(api.list_entries("a").await[0].score, 3);
    }

    async fn a_submissions_own_id_takes_precedence_over_an_idempotency_key(api) {
        api.create_leaderboard("b", &json!({"operator": "increment"})).await;
        let body = json!({"player": "p", "score": 3, "id": "own"});
        let path = "/leaderboards/b/scores";
        assert_eq!(post_with_key(api, path, "\"k1\"", &body).await.expect_status(200)["replayed"], false);
        assert_eq!(post_with_key(api, path, "\"k2\"", &body).await.expect_status(200)["replayed"], true);
        // A key with quotes and the same key without quotes are one key.
        let body = json!({"player": "p", "score": 4});
        assert_eq!(post_with_key(api, path, "k3", &body).await.expect_status(200)["replayed"], false);
        assert_eq!(post_with_key(api, path, "\"k3\"", &body).await.expect_status(200)["replayed"], true);
    }

    async fn concurrent_retries_count_once(api) {
        api.create_leaderboard("b", &json!({"operator": "increment"})).await;
        let mut retries = tokio::task::JoinSet::new();
        for _ in 0..16 {
            let api = api.clone();
            retries.spawn_local(async move {
                api.submit("b", &json!({"player": "p", "score": 5, "id": "x"})).await["replayed"] == false
            });
        }
        let fresh = retries.join_all().await.into_iter().filter(|fresh| *fresh).count();
        assert_eq!((fresh, api.list_entries("b").await[0].score), (1, 5));
    }
}
