//! Tests of invalid submissions and bans.

use serde_json::{Value, json};

use super::{At, Row, assert_all_refused};
use crate::cases::api_cases;

const PATH: &str = "/leaderboards/b/scores";

/// Returns a row with a submission whose JSON is malformed at `at`.
fn malformed(body: impl Into<Vec<u8>>, at: At) -> Row {
    Row::new("POST", PATH, 400, "malformed", at).body(body)
}

/// Returns a row with a submission that is invalid at this JSON pointer.
fn invalid(body: &Value, pointer: &'static str) -> Row {
    Row::new("POST", PATH, 422, "validation", At::Body(pointer)).body(body.to_string())
}

/// Returns a valid submission with one field replaced.
fn with(field: &str, value: Value) -> Value {
    let mut submission = json!({"player": "p", "score": 1});
    submission[field] = value;
    submission
}

api_cases! {
    async fn malformed_json_is_refused(api) {
        assert_all_refused(api, vec![
            malformed(" ", At::Body("#")),
            malformed(r#"{"player":"p","score":1}x"#, At::Body("#")),
            malformed(r#"{"player":"p","score":NaN}"#, At::Body("#/score")),
            malformed(r#"{"player":"p","player":"q","score":1}"#, At::Body("#/player")),
            malformed(b"{\"player\":\"\xff\",\"score\":1}".as_slice(), At::Nothing),
            malformed("[".repeat(100_000), At::Nothing),
        ]).await;
    }

    async fn invalid_submissions_are_refused(api) {
        let values = |values: Value| json!({"player": "p", "values": values});
        let to_two = |row: Row| Row { path: "/leaderboards/two/scores".into(), ..row };
        assert_all_refused(api, vec![
            invalid(&json!([]), "#"),
            invalid(&json!({}), "#/player"),
            invalid(&with("score", json!(1.5)), "#/score"),
            invalid(&with("a/b~c d", json!(1)), "#/a~1b~0c%20d"),
            invalid(&with("leaderboards", json!(["b"])), "#/leaderboards"),
            invalid(&with("player", json!("x".repeat(129))), "#/player"),
            invalid(&with("occurred_at", json!("2020-02-30T00:00:00Z")), "#/occurred_at"),
            invalid(&with("id", json!("")), "#/id"),
            invalid(&with("metadata", json!([1])), "#/metadata"),
            invalid(&with("operator", json!("max")), "#/operator"),
            invalid(&with("values", json!({"score": 1})), "#/values"),
            // The values do not fit the columns.
            invalid(&values(json!({"points": 1})), "#/values"),
            invalid(&values(json!({"score": 1, "points": 2})), "#/values"),
            to_two(invalid(&with("score", json!(1)), "#/score")),
            to_two(invalid(&values(json!({"points": 1})), "#/values")),
        ]).await;
    }

    async fn too_large_batches_and_invalid_items_are_refused(api) {
        let good = json!({"player": "p", "score": 1});
        assert_all_refused(api, vec![
            invalid(&json!({"scores": vec![good.clone(); 1001]}), "#/scores"),
            invalid(&json!({"scores": [good, good], "player": "p"}), "#/player"),
            invalid(&json!({"scores": [good, with("score", json!(1.5)), good]}), "#/scores/1/score"),
        ]).await;
    }

    async fn invalid_lists_of_leaderboards_are_refused(api) {
        let to = |body: Value, pointer: &'static str| Row { path: "/scores".into(), ..invalid(&body, pointer) };
        assert_all_refused(api, vec![
            to(with("score", json!(1)), "#/leaderboards"),
            to(with("leaderboards", json!(["b", "b"])), "#/leaderboards/1"),
            Row::new("POST", "/scores", 404, "leaderboard-not-found", At::Nothing).body(with("leaderboards", json!(["b", "none"])).to_string()),
            Row::new("POST", "/leaderboards/none/scores", 404, "leaderboard-not-found", At::Nothing).body(with("score", json!(1)).to_string()),
        ]).await;
    }

    async fn invalid_bans_and_scores_of_me_are_refused(api) {
        let long = "x".repeat(501);
        let mut rows: Vec<Row> = [
            (json!({"for": "ever"}), "#/for"),
            (json!({"reason": 7}), "#/reason"),
            (json!({"reason": "a\nb"}), "#/reason"),
            (json!({"reason": long}), "#/reason"),
            (json!({"expires_at": "tomorrow"}), "#/expires_at"),
            (json!({"expires_at": "2020-07-19T21:04:00Z"}), "#/expires_at"),
            (json!([]), "#"),
        ]
        .iter()
        .map(|(body, pointer)| Row::new("PUT", "/players/a/ban", 422, "validation", At::Body(pointer)).body(body.to_string()))
        .collect();
        rows.push(Row::new("PUT", "/players/a/ban", 400, "malformed", At::Body("#")).body("{"));
        let scores = json!({"scores": [{"player": "p", "score": 1}, {"player": "me", "score": 1}]});
        rows.push(invalid(&scores, "#/scores/1/player"));
        assert_all_refused(api, rows).await;
    }

    async fn every_error_of_a_body_is_listed_up_to_twenty(api) {
        api.create_leaderboard("b", &json!({})).await;
        let bad = json!({"player": "", "score": "x", "more": 1});
        let answer = api.post(PATH, &json!({"scores": [bad, bad]})).await.expect_problem(422, "validation");
        let mut pointers: Vec<_> = answer["errors"].as_array().unwrap().iter().map(|e| e["pointer"].as_str().unwrap()).collect();
        pointers.sort_unstable();
        assert_eq!(pointers, ["#/scores/0/more", "#/scores/0/player", "#/scores/0/score",
            "#/scores/1/more", "#/scores/1/player", "#/scores/1/score"]);
        let answer = api.post(PATH, &json!({"scores": vec![bad; 1000]})).await.expect_problem(422, "validation");
        assert_eq!(answer["errors"].as_array().unwrap().len(), 20);
        assert_eq!(answer["detail"], "3000 values are not valid; the first 20 are listed.");
    }
}
