//! Tests of submissions to several leaderboards at once.

use leaderboard_test_support::ApiClient;
use serde_json::{Value, json};

use crate::cases::api_cases;

/// Creates the leaderboard `open`, and the leaderboard `tight` with limits.
async fn create_two_leaderboards(api: &ApiClient) {
    api.create_leaderboard("open", &json!({"operator": "increment"}))
        .await;
    api.create_leaderboard("tight", &json!({"operator": "increment", "limits": {"max": 10}}))
        .await;
}

/// Returns a submission to both leaderboards.
fn submission_to_both(player: &str, score: i64) -> Value {
    json!({"player": player, "score": score, "leaderboards": ["open", "tight"]})
}

api_cases! {
    async fn a_submission_reaches_every_leaderboard_that_it_names(api) {
        create_two_leaderboards(api).await;
        let answer = api.post("/scores", &submission_to_both("p", 4)).await.expect_status(200);
        let results = answer["results"].as_array().unwrap();
        assert_eq!(results.len(), 2);
        for (result, board) in results.iter().zip(["open", "tight"]) {
            assert_eq!((&result["leaderboard"], &result["status"]), (&json!(board), &json!("created")));
            assert_eq!((&result["values"]["score"], &result["rank"]), (&json!(4), &json!(1)));
            assert!(result.get("status_code").is_none());
            assert_eq!(api.list_entries(board).await[0].score, 4);
        }
    }

    async fn a_problem_names_the_leaderboard_that_refuses(api) {
        create_two_leaderboards(api).await;
        let refused = api.post("/scores", &submission_to_both("p", 11)).await.expect_problem(422, "validation");
        assert_eq!(refused["errors"][0]["pointer"], "#/score");
        assert_eq!(refused["detail"], "The leaderboard tight did not accept the score.");
        let mut submission = submission_to_both("p", 1);
        submission["leaderboards"] = json!(["open", "none", "tight"]);
        let refused = api.post("/scores", &submission).await.expect_problem(404, "leaderboard-not-found");
        assert_eq!(refused["detail"], "The leaderboard none does not exist.");
    }

    async fn a_batch_accepts_or_refuses_each_submission_separately(api) {
        create_two_leaderboards(api).await;
        let batch = json!({"scores": [
            submission_to_both("a", 5),
            submission_to_both("b", 11),
            {"player": "b", "values": {"score": 11}, "leaderboards": ["open"]},
            {"player": "c", "score": 1, "leaderboards": ["nowhere"]},
        ]});
        let answer = api.post("/scores", &batch).await.expect_status(207);
        let results = answer["results"].as_array().unwrap();
        let codes: Vec<_> = results.iter().map(|result| result["status_code"].clone()).collect();
        assert_eq!(codes, [200, 422, 200, 404]);
        assert_eq!(results[0]["results"].as_array().unwrap().len(), 2);
        assert_eq!(results[1]["problem"]["errors"][0]["pointer"], "#/scores/1/score");
        assert_eq!(api.list_ranks("open").await, [(1, "b".to_owned()), (2, "a".to_owned())]);
        assert_eq!(api.list_ranks("tight").await, [(1, "a".to_owned())]);
    }

    async fn each_leaderboard_has_its_own_operator_and_period(api) {
        api.create_leaderboard("sum", &json!({"operator": "increment"})).await;
        api.create_leaderboard("best", &json!({"reset": {"cron": "0 0 1 1 *", "time_zone": "UTC"}, "keep_periods": 1000})).await;
        api.create_leaderboard("down", &json!({"operator": "decrement"})).await;
        for (score, day) in [(3, "2020-05-01"), (2, "2020-06-01")] {
            let submission = json!({
                "player": "p", "score": score, "leaderboards": ["sum", "best", "down"],
                "occurred_at": format!("{day}T00:00:00Z"),
            });
            api.post("/scores", &submission).await.expect_status(200);
        }
        assert_eq!(api.list_entries("sum").await[0].score, 5);
        assert_eq!(api.list_entries("down").await[0].score, -5);
        assert_eq!(api.list_entries("best").await, []);
        let year = api.page("best", "?period=2020-01-01T00:00:00Z").await;
        assert_eq!(year["entries"][0]["values"]["score"], 3);
    }
}
