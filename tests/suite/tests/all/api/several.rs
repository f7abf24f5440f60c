//! Several leaderboards at once: all are changed or none.

use serde_json::{Value, json};

use crate::edgeboard::{Edgeboard, over_http};

async fn two_boards(edgeboard: &Edgeboard) {
    edgeboard.board("open", &json!({"operator": "increment"})).await;
    edgeboard
        .board(
            "tight",
            &json!({"operator": "increment", "limits": {"max": 10, "max_attempts": 3}}),
        )
        .await;
}

/// Version and entries of both leaderboards.
async fn state(edgeboard: &Edgeboard) -> (Value, Value) {
    (
        edgeboard.page("open", "").await,
        edgeboard.page("tight", "").await,
    )
}

fn to_both(player: &str, score: i64) -> Value {
    json!({"player": player, "score": score, "leaderboards": ["open", "tight"]})
}

over_http! {
    async fn one_submission_reaches_all_it_names(edgeboard) {
        two_boards(edgeboard).await;
        let answer = edgeboard.post("/scores", &to_both("p", 4)).await.is(200);
        let results = answer["results"].as_array().unwrap();
        assert_eq!(results.len(), 2);
        for (result, board) in results.iter().zip(["open", "tight"]) {
            assert_eq!((&result["leaderboard"], &result["status"]), (&json!(board), &json!("created")));
            assert_eq!((&result["values"]["score"], &result["rank"]), (&json!(4), &json!(1)));
            assert!(result.get("status_code").is_none());
            assert_eq!(edgeboard.list(board).await[0].score, 4);
        }
    }

    async fn a_target_that_refuses_keeps_the_others_unchanged(edgeboard) {
        two_boards(edgeboard).await;
        edgeboard.post("/scores", &to_both("p", 4)).await.is(200);
        let before = state(edgeboard).await;
        let refused = edgeboard.post("/scores", &to_both("p", 7)).await.problem(422, "validation");
        assert_eq!(refused["errors"][0]["pointer"], "#/score");
        assert_eq!(refused["detail"], "The leaderboard tight did not accept the score.");
        let overflow = to_both("p", i64::MAX);
        edgeboard.post("/scores", &overflow).await.problem(422, "validation");
        assert_eq!(state(edgeboard).await, before);
    }

    async fn an_unknown_target_keeps_the_known_ones_unchanged(edgeboard) {
        two_boards(edgeboard).await;
        let before = state(edgeboard).await;
        let mut submission = to_both("p", 1);
        submission["leaderboards"] = json!(["open", "none", "tight"]);
        let refused = edgeboard.post("/scores", &submission).await.problem(404, "leaderboard-not-found");
        assert_eq!(refused["detail"], "The leaderboard none does not exist.");
        assert_eq!(state(edgeboard).await, before);
    }

    async fn a_batch_settles_each_submission_on_its_own(edgeboard) {
        two_boards(edgeboard).await;
        let batch = json!({"scores": [
            to_both("a", 5),
            to_both("b", 11),
            {"player": "b", "values": {"score": 11}, "leaderboards": ["open"]},
            {"player": "c", "score": 1, "leaderboards": ["nowhere"]},
        ]});
        let answer = edgeboard.post("/scores", &batch).await.is(207);
        let results = answer["results"].as_array().unwrap();
        let codes: Vec<_> = results.iter().map(|result| result["status_code"].clone()).collect();
        assert_eq!(codes, [200, 422, 200, 404]);
        assert_eq!(results[0]["results"].as_array().unwrap().len(), 2);
        assert_eq!(results[1]["problem"]["errors"][0]["pointer"], "#/scores/1/score");
        assert_eq!(edgeboard.ranks("open").await, [(1, "b".to_owned()), (2, "a".to_owned())]);
        assert_eq!(edgeboard.ranks("tight").await, [(1, "a".to_owned())]);
    }

    async fn each_leaderboard_has_its_own_operator_and_period(edgeboard) {
        edgeboard.board("sum", &json!({"operator": "increment"})).await;
        edgeboard.board("best", &json!({"reset": {"cron": "0 0 1 1 *", "time_zone": "UTC"}, "keep_periods": 1000})).await;
        edgeboard.board("down", &json!({"operator": "decrement"})).await;
        for (score, day) in [(3, "2020-05-01"), (2, "2020-06-01")] {
            let submission = json!({
                "player": "p", "score": score, "leaderboards": ["sum", "best", "down"],
                "occurred_at": format!("{day}T00:00:00Z"),
            });
            edgeboard.post("/scores", &submission).await.is(200);
        }
        assert_eq!(edgeboard.list("sum").await[0].score, 5);
        assert_eq!(edgeboard.list("down").await[0].score, -5);
        assert_eq!(edgeboard.list("best").await, []);
        let year = edgeboard.page("best", "?period=2020-01-01T00:00:00Z").await;
        assert_eq!(year["entries"][0]["values"]["score"], 3);
    }

    async fn an_id_reaches_each_leaderboard_once(edgeboard) {
        two_boards(edgeboard).await;
        edgeboard.submit("open", &json!({"player": "p", "score": 2, "id": "m1"})).await;
        // The retry names one more: it counts there, and is a replay here.
        let mut both = to_both("p", 2);
        both["id"] = json!("m1");
        for replayed in [[true, false], [true, true]] {
            let answer = edgeboard.post("/scores", &both).await.is(200);
            let flags = [0, 1].map(|at| answer["results"][at]["replayed"].as_bool().unwrap());
            assert_eq!(flags, replayed);
        }
        assert_eq!(edgeboard.list("open").await[0].score, 2);
        assert_eq!(edgeboard.list("tight").await[0].score, 2);
    }
}
