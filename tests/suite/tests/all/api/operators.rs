//! Tests of the four operators of leaderboards, of limits, and of several columns.

use leaderboard_test_support::ApiClient;
use serde_json::{Value, json};

use crate::cases::api_cases;

/// Submits the scores in turn. Returns the status and the value after each submission.
async fn submit_in_turn(api: &ApiClient, board: &str, scores: &[i64]) -> Vec<(String, i64)> {
    let mut actual = Vec::new();
    for score in scores {
        let outcome = api.submit_score(board, "p", *score).await;
        actual.push((
            outcome["status"].as_str().unwrap().to_owned(),
            outcome["values"]["score"].as_i64().unwrap(),
        ));
    }
    actual
}

/// Returns statuses and values in the form that `submit_in_turn` returns.
fn expected_outcomes(outcomes: &[(&str, i64)]) -> Vec<(String, i64)> {
    outcomes
        .iter()
        .map(|(status, value)| ((*status).to_owned(), *value))
        .collect()
}

api_cases! {
    async fn best_keeps_the_better_score(api) {
        api.create_leaderboard("desc", &json!({"operator": "best"})).await;
        let expected = expected_outcomes(&[("created", 5), ("kept", 5), ("kept", 5), ("improved", 6), ("kept", 6)]);
        assert_eq!(submit_in_turn(api, "desc", &[5, 3, 5, 6, -1]).await, expected);
        api.create_leaderboard("asc", &json!({"operator": "best", "columns": [{"name": "score", "order": "asc"}]})).await;
        let expected = expected_outcomes(&[("created", 5), ("improved", 3), ("kept", 3), ("improved", -1)]);
        assert_eq!(submit_in_turn(api, "asc", &[5, 3, 4, -1]).await, expected);
    }

    async fn set_replaces_the_score(api) {
        api.create_leaderboard("b", &json!({"operator": "set"})).await;
        let expected = expected_outcomes(&[("created", 5), ("changed", 3), ("kept", 3), ("improved", 4)]);
        assert_eq!(submit_in_turn(api, "b", &[5, 3, 3, 4]).await, expected);
    }

    async fn increment_and_decrement_start_from_zero(api) {
        api.create_leaderboard("up", &json!({"operator": "increment"})).await;
        let expected = expected_outcomes(&[("created", 5), ("improved", 8), ("changed", 6), ("kept", 6)]);
        assert_eq!(submit_in_turn(api, "up", &[5, 3, -2, 0]).await, expected);
        api.create_leaderboard("down", &json!({"operator": "decrement"})).await;
        let expected = expected_outcomes(&[("created", -5), ("changed", -8), ("improved", -6)]);
        assert_eq!(submit_in_turn(api, "down", &[5, 3, -2]).await, expected);
    }

    async fn a_submission_overrides_the_operator_only_where_allowed(api) {
        api.create_leaderboard("fixed", &json!({"operator": "best"})).await;
        let other = json!({"player": "p", "score": 1, "operator": "increment"});
        let refused = api.post("/leaderboards/fixed/scores", &other).await.expect_problem(422, "validation");
        assert_eq!(refused["errors"][0]["pointer"], "#/operator");
        // A submission may name the leaderboard's own operator.
        api.submit("fixed", &json!({"player": "p", "score": 1, "operator": "best"})).await;
        api.create_leaderboard("free", &json!({"operator": "best", "operator_override": true})).await;
        for (operator, score, value) in [("best", 7, 7), ("increment", 3, 10), ("decrement", 1, 9), ("set", 2, 2)] {
            let outcome = api.submit("free", &json!({"player": "p", "score": score, "operator": operator})).await;
            assert_eq!(outcome["values"]["score"], value, "{operator}");
        }
    }

    async fn values_are_compared_column_by_column(api) {
        let columns = json!([
            {"name": "laps", "order": "desc"}, {"name": "time_ms", "order": "asc"}, {"name": "stops", "order": "asc"},
        ]);
        api.create_leaderboard("race", &json!({"columns": columns})).await;
        let run = async |player: &str, values: [i64; 3]| {
            let values = json!({"stops": values[2], "laps": values[0], "time_ms": values[1]});
            api.submit("race", &json!({"player": player, "values": values})).await["status"].clone()
        };
        assert_eq!(run("a", [50, 9000, 2]).await, "created");
        assert_eq!(run("a", [50, 9000, 3]).await, "kept");
        assert_eq!(run("a", [50, 8999, 9]).await, "improved");
        assert_eq!(run("a", [49, 1, 0]).await, "kept");
        assert_eq!(run("b", [51, 99_999, 9]).await, "created");
        assert_eq!(run("c", [50, 8999, 8]).await, "created");
        let ranks: Vec<_> = api.page("race", "").await["entries"].as_array().unwrap().clone();
        let players: Vec<_> = ranks.iter().map(|entry| entry["player"].clone()).collect();
        assert_eq!(players, ["b", "c", "a"]);
        // All values come from one submission, and they are in the order of the columns.
        let written = api.read_entry("race", "a").await;
        let written = String::from_utf8_lossy(&written.body);
        assert!(written.contains(r#""values":{"laps":50,"time_ms":8999,"stops":9}"#), "{written}");
    }

    async fn an_increment_adds_the_first_column_and_replaces_the_others(api) {
        let columns = json!([{"name": "points", "order": "desc"}, {"name": "level", "order": "desc"}]);
        api.create_leaderboard("b", &json!({"operator": "increment", "columns": columns})).await;
        for values in [json!({"points": 5, "level": 9}), json!({"points": 2, "level": 4})] {
            api.submit("b", &json!({"player": "p", "values": values})).await;
        }
        let entry = api.read_entry("b", "p").await.expect_status(200);
        assert_eq!(entry["entry"]["values"], json!({"points": 7, "level": 4}));
    }

    async fn a_score_beyond_a_limit_is_refused_and_changes_nothing(api) {
        let limits = json!({"min": -5, "max": 100, "max_change": 50});
        api.create_leaderboard("b", &json!({"operator": "set", "limits": limits})).await;
        api.submit_score("b", "p", 10).await;
        let before = api.page("b", "").await;
        for (score, detail) in [
            (101, "above the leaderboard's max of 100"),
            (-6, "below the leaderboard's min of -5"),
            (61, "changes the entry by more than 50"),
        ] {
            let refused = api.post("/leaderboards/b/scores", &json!({"player": "p", "score": score})).await;
            let problem = refused.expect_problem(422, "validation");
            assert_eq!(problem["errors"], json!([{"pointer": "#/score", "detail": detail}]));
        }
        assert_eq!(api.page("b", "").await, before);
        api.submit_score("b", "p", 60).await;
    }

    async fn submissions_beyond_max_attempts_and_max_entries_are_refused(api) {
        api.create_leaderboard("b", &json!({"limits": {"max_attempts": 2, "max_entries": 2}})).await;
        for player in ["a", "b", "a"] {
            api.submit_score("b", player, 1).await;
        }
        let submit = async |player: &str| {
            api.post("/leaderboards/b/scores", &json!({"player": player, "score": 9})).await
        };
        submit("a").await.expect_problem(409, "attempts-exhausted");
        submit("c").await.expect_problem(409, "leaderboard-full");
        assert_eq!(api.list_entries("b").await.iter().map(|entry| entry.score).collect::<Vec<_>>(), [1, 1]);
        // A removed entry makes room for another player.
        api.delete("/leaderboards/b/scores/a").await.expect_status(204);
        submit("c").await.expect_status(200);
    }

    async fn scores_before_the_start_and_after_the_end_are_refused(api) {
        let window = json!({"starts_at": "2020-01-01T00:00:00Z", "ends_at": "2021-01-01T00:00:00Z"});
        api.create_leaderboard("b", &window).await;
        let at = async |time: &str| {
            api.post("/leaderboards/b/scores", &json!({"player": "p", "score": 1, "occurred_at": time})).await
        };
        at("2019-12-31T23:59:59.999Z").await.expect_problem(409, "not-started");
        at("2021-01-01T00:00:00Z").await.expect_problem(409, "ended");
        api.post("/leaderboards/b/scores", &json!({"player": "p", "score": 1})).await.expect_problem(409, "ended");
        assert_eq!(api.page("b", "").await["count"], 0);
        at("2020-01-01T00:00:00Z").await.expect_status(200);
        at("2020-12-31T23:59:59.999Z").await.expect_status(200);
    }

    async fn a_change_of_metadata_alone_changes_no_rank(api) {
        api.create_leaderboard("b", &json!({"operator": "set"})).await;
        let submit = async |player: &str, metadata: Value, time: &str| {
            let submission = json!({"player": player, "score": 1, "metadata": metadata, "occurred_at": time});
            api.submit("b", &submission).await["status"].clone()
        };
        assert_eq!(submit("first", json!({"n": 1}), "2020-01-01T00:00:00Z").await, "created");
        assert_eq!(submit("second", json!({}), "2020-01-02T00:00:00Z").await, "created");
        assert_eq!(submit("first", json!({"n": 2}), "2020-01-03T00:00:00Z").await, "changed");
        let entries = api.page("b", "").await["entries"].clone();
        assert_eq!((&entries[0]["player"], &entries[0]["metadata"]), (&json!("first"), &json!({"n": 2})));
        assert_eq!(entries[0]["reached_at"], "2020-01-01T00:00:00.000Z");
    }
}
