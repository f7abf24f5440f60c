//! Tests of the outcomes of single submissions and of batches.

use leaderboard_test_support::ApiClient;
use serde_json::{Value, json};

use crate::cases::api_cases;

/// Creates the leaderboard `b` with a maximum of 1000. Returns `count` submissions with scores from 0 up.
async fn create_submissions(api: &ApiClient, count: i64) -> Vec<Value> {
    api.create_leaderboard("b", &json!({"limits": {"max": 1000}}))
        .await;
    (0..count)
        .map(|n| json!({"player": format!("p{n:04}"), "score": n}))
        .collect()
}

api_cases! {
    async fn an_outcome_has_the_ranks_before_and_after(api) {
        api.create_leaderboard("b", &json!({"operator": "best"})).await;
        let first = api.submit_score("b", "a", 10).await;
        let version = first["version"].as_u64().unwrap();
        assert_eq!(first, json!({
            "leaderboard": "b", "period": "all", "player": "a", "status": "created", "values": {"score": 10},
            "rank": 1, "previous": null, "version": version, "replayed": false,
        }));
        assert_eq!(api.submit_score("b", "b", 5).await["rank"], 2);
        let improved = api.submit_score("b", "b", 20).await;
        assert_eq!(improved, json!({
            "leaderboard": "b", "period": "all", "player": "b", "status": "improved", "values": {"score": 20},
            "rank": 1, "previous": {"values": {"score": 5}, "rank": 2}, "version": version + 2, "replayed": false,
        }));
        let kept = api.submit_score("b", "a", 3).await;
        assert_eq!(kept, json!({
            "leaderboard": "b", "period": "all", "player": "a", "status": "kept", "values": {"score": 10},
            "rank": 2, "previous": {"values": {"score": 10}, "rank": 2}, "version": version + 2, "replayed": false,
        }));
        assert_eq!(api.page("b", "").await["version"], version + 2);
    }

    async fn a_batch_of_one_submission_has_a_list_of_results(api) {
        let scores = create_submissions(api, 1).await;
        let answer = api.post("/leaderboards/b/scores", &json!({"scores": scores})).await.expect_status(207);
        assert_eq!(answer["results"].as_array().unwrap().len(), 1);
    }

    async fn a_refused_submission_does_not_affect_the_others_of_its_batch(api) {
        let mut scores = create_submissions(api, 4).await;
        scores[1]["score"] = json!(1001);
        scores[2]["operator"] = json!("increment");
        let answer = api.post("/leaderboards/b/scores", &json!({"scores": scores})).await;
        let document = answer.expect_status(207);
        let codes: Vec<_> = document["results"].as_array().unwrap().iter().map(|r| r["status_code"].clone()).collect();
        assert_eq!(codes, [200, 422, 422, 200]);
        let problem = &document["results"][1]["problem"];
        assert_eq!(problem["type"], "/problems/validation");
        assert_eq!(problem["instance"], answer.header("x-request-id"));
        assert_eq!(problem["errors"][0]["pointer"], "#/scores/1/score");
        assert_eq!(document["results"][2]["problem"]["errors"][0]["pointer"], "#/scores/2/operator");
        assert_eq!(api.list_ranks("b").await, [(1, "p0003".to_owned()), (2, "p0000".to_owned())]);
    }

    async fn prefer_minimal_leaves_values_and_ranks_out(api) {
        api.create_leaderboard("b", &json!({})).await;
        let minimal = |body: Value| {
            api.request("POST", "/leaderboards/b/scores").header("prefer", "return=minimal").json(&body).send()
        };
        let one = minimal(json!({"player": "p", "score": 1})).await;
        assert_eq!(one.header("preference-applied"), "return=minimal");
        let version = one.expect_status(200)["version"].clone();
        assert_eq!(one.json(), json!({
            "leaderboard": "b", "period": "all", "player": "p", "status": "created", "version": version, "replayed": false,
        }));
        let many = minimal(json!({"scores": [{"player": "p", "score": 2}, {"player": "q", "score": 3}]})).await;
        assert_eq!(many.header("preference-applied"), "return=minimal");
        let results = many.expect_status(207)["results"].clone();
        assert_eq!((&results[0]["status"], &results[1]["status"]), (&json!("improved"), &json!("created")));
        assert_eq!((results[0].get("rank"), results[0].get("values"), results[0].get("previous")), (None, None, None));
        let full = api.request("POST", "/leaderboards/b/scores").header("prefer", "return=representation");
        let full = full.json(&json!({"player": "p", "score": 9})).send().await;
        assert!(full.headers.get("preference-applied").is_none());
        assert_eq!(full.expect_status(200)["rank"], 1);
    }

    async fn metadata_and_time_are_returned_unchanged(api) {
        api.create_leaderboard("b", &json!({})).await;
        let metadata = json!({"car": "Lotus 72", "laps": [1, 2.5, null, {"deep": true}], "": "", "é": "日本"});
        let submission = json!({"player": "p", "score": 1, "metadata": metadata, "occurred_at": "1970-05-10T16:31:02.1234+02:00"});
        api.submit("b", &submission).await;
        let entry = api.read_entry("b", "p").await.expect_status(200)["entry"].clone();
        assert_eq!(entry, json!({
            "rank": 1, "player": "p", "values": {"score": 1}, "metadata": metadata,
            "reached_at": "1970-05-10T14:31:02.123Z",
        }));
        let number = api.request("POST", "/leaderboards/b/scores").json(&Value::Null);
        number.body(r#"{"player":"r","score":1,"metadata":{"n":7.10}}"#).send().await.expect_status(200);
        let entry = api.read_entry("b", "r").await;
        assert!(String::from_utf8_lossy(&entry.body).contains(r#""metadata":{"n":7.10}"#), "{entry:?}");
        api.submit("b", &json!({"player": "q", "score": 1})).await;
        assert_eq!(api.read_entry("b", "q").await.expect_status(200)["entry"]["metadata"], json!({}));
    }
}
