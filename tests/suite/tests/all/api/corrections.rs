//! Tests of corrections: a server or an administrator sets an entry, whatever operator the leaderboard has.

use leaderboard_test_support::ApiResponse;
use serde_json::{Value, json};

use crate::cases::api_cases;

/// Asserts that the operator of a submission was refused.
#[track_caller]
fn assert_operator_refused(answer: &ApiResponse) {
    assert_eq!(
        answer.expect_problem(422, "validation")["errors"][0]["pointer"],
        "#/operator"
    );
}

api_cases! {
    async fn a_correction_downwards_is_recorded_with_the_values_before_and_after(api) {
        let server = api.make_key(json!(["scores:read", "scores:write"])).await.1;
        let reader = api.make_key(json!(["scores:read"])).await.1;
        let token = api.issue_token(&server, "p").await;
        for scope in ["scores:write", "admin"] {
            let board = scope.replace(':', "-");
            let path = format!("/leaderboards/{board}/scores");
            api.create_leaderboard(&board, &json!({"access": {"write": "player"}})).await;
            api.submit_score(&board, "p", 90).await;
            let corrector = api.make_key(json!([scope])).await.1;
            let set = json!({"player": "p", "score": 7, "operator": "set"});
            // Neither a player nor a key that may only read can correct an entry.
            assert_operator_refused(&api.with_token(&token, "POST", &path).json(&set).send().await);
            api.with_key(&reader, "POST", &path).json(&set).send().await.expect_problem(403, "forbidden");
            let records = async || api.get("/audit").await.expect_status(200)["records"].as_array().unwrap().clone();
            let before = records().await.len();
            for replayed in [false, true] {
                let correction = json!({"player": "p", "score": 7, "operator": "set", "id": "c"});
                let done = api.with_key(&corrector, "POST", &path).json(&correction).send().await.expect_status(200);
                assert_eq!((&done["previous"]["values"], &done["values"]), (&json!({"score": 90}), &json!({"score": 7})));
                assert_eq!(done["replayed"], replayed);
            }
            // `set` is the only operator of a correction.
            let other = json!({"player": "p", "score": 7, "operator": "increment"});
            assert_operator_refused(&api.with_key(&corrector, "POST", &path).json(&other).send().await);
            let log = records().await;
            assert_eq!(log.len(), before + 4, "two records for each correction");
            let (outcome, correction) = (&log[2]["event"], &log[3]["event"]);
            assert_eq!([&correction["type"], &correction["who"]["credential"]], ["correction", "key"]);
            assert_eq!([&correction["player"], &correction["leaderboard"]], ["p", board.as_str()]);
            assert_eq!((&correction["values"], &outcome["type"]), (&json!({"score": "7"}), &json!("corrected")));
            assert_eq!((&outcome["of"], &outcome["previous"]), (&log[3]["position"], &json!({"score": "90"})));
            assert_eq!([&outcome["replayed"], &log[0]["event"]["replayed"]], [&Value::Bool(false), &Value::Bool(true)]);
        }
    }
}
