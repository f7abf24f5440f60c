//! Tests of the override of an operator, of several columns, and of the problem of each refusal.

use serde_json::json;

use crate::cases::api_cases;

api_cases! {
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

    async fn values_of_several_columns_are_returned_in_the_order_of_the_columns(api) {
        let columns = json!([{"name": "laps", "order": "desc"}, {"name": "time_ms", "order": "asc"}]);
        api.create_leaderboard("race", &json!({"columns": columns})).await;
        for (player, time_ms) in [("a", 9000), ("b", 8999)] {
            api.submit("race", &json!({"player": player, "values": {"time_ms": time_ms, "laps": 50}})).await;
        }
        let entries = api.page("race", "").await["entries"].take();
        assert_eq!([&entries[0]["player"], &entries[1]["player"]], ["b", "a"]);
        let written = api.read_entry("race", "a").await;
        let written = String::from_utf8_lossy(&written.body);
        assert!(written.contains(r#""values":{"laps":50,"time_ms":9000}"#), "{written}");
    }

    async fn a_score_beyond_a_limit_is_refused(api) {
        let limits = json!({"min": -5, "max": 100, "max_change": 50});
        api.create_leaderboard("b", &json!({"operator": "set", "limits": limits})).await;
        api.create_leaderboard("sum", &json!({"operator": "increment"})).await;
        api.submit_score("b", "p", 10).await;
        api.submit_score("sum", "p", i64::MAX).await;
        for (board, score, detail) in [
            ("b", 101, "above the leaderboard's max of 100"),
            ("b", -6, "below the leaderboard's min of -5"),
            ("b", 61, "changes the entry by more than 50"),
            ("sum", 1, "leaves the range of a signed 64-bit integer"),
        ] {
            let refused = api.post(&format!("/leaderboards/{board}/scores"), &json!({"player": "p", "score": score})).await;
            let problem = refused.expect_problem(422, "validation");
            assert_eq!(problem["errors"], json!([{"pointer": "#/score", "detail": detail}]));
        }
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
    }

    async fn scores_before_the_start_and_after_the_end_are_refused(api) {
        let window = json!({"starts_at": "2020-01-01T00:00:00Z", "ends_at": "2021-01-01T00:00:00Z"});
        api.create_leaderboard("b", &window).await;
        let at = async |time: &str| {
            api.post("/leaderboards/b/scores", &json!({"player": "p", "score": 1, "occurred_at": time})).await
        };
        at("2019-12-31T23:59:59.999Z").await.expect_problem(409, "not-started");
        at("2021-01-01T00:00:00Z").await.expect_problem(409, "ended");
        at("2020-01-01T00:00:00Z").await.expect_status(200);
    }
}
