//! 64-bit integers, exact from end to end.

use leaderboard_test_support::ApiClient;
use serde_json::{Value, json};

use crate::cases::api_cases;

const SAFE: i64 = (1 << 53) - 1;

/// Each value and how it is written in an answer.
fn extremes() -> Vec<(i64, Value)> {
    let number = |value: i64| (value, json!(value));
    let text = |value: i64| (value, json!(value.to_string()));
    vec![
        text(i64::MAX),
        text(i64::MAX - 1),
        text(SAFE + 2),
        text(SAFE + 1),
        number(SAFE),
        number(SAFE - 1),
        number(1),
        number(0),
        number(-1),
        number(-SAFE),
        text(-SAFE - 1),
        text(-SAFE - 2),
        text(i64::MIN + 1),
        text(i64::MIN),
    ]
}

async fn listed(api: &ApiClient, board: &str) -> Vec<Value> {
    let page = api.page(board, "?limit=1000").await;
    page["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["values"]["score"].clone())
        .collect()
}

api_cases! {
    async fn neighbours_at_the_extremes_stay_apart(api) {
        for (board, order) in [("desc", "desc"), ("asc", "asc")] {
            api.create_leaderboard(board, &json!({"columns": [{"name": "score", "order": order}]})).await;
            for (value, written) in extremes() {
                // As a number and as a string; the second one changes nothing.
                let outcome = api.submit(board, &json!({"player": value.to_string(), "score": value})).await;
                assert_eq!((&outcome["status"], &outcome["values"]["score"]), (&json!("created"), &written));
                let again = json!({"player": value.to_string(), "score": value.to_string()});
                assert_eq!(api.submit(board, &again).await["status"], "kept");
            }
            let mut expected: Vec<_> = extremes().into_iter().map(|(_, written)| written).collect();
            if order == "asc" {
                expected.reverse();
            }
            assert_eq!(listed(api, board).await, expected);
        }
    }

    async fn sums_are_exact_and_overflow_is_refused(api) {
        api.create_leaderboard("b", &json!({"operator": "increment"})).await;
        let add = async |by: i64| {
            api.post("/leaderboards/b/scores", &json!({"player": "p", "score": by.to_string()})).await
        };
        for (by, sum) in [(SAFE, SAFE), (1, SAFE + 1), (1, SAFE + 2), (i64::MAX - SAFE - 2, i64::MAX)] {
            let outcome = add(by).await.expect_status(200);
            let written = if sum <= SAFE { json!(sum) } else { json!(sum.to_string()) };
            assert_eq!(outcome["values"]["score"], written);
        }
        let before = api.page("b", "").await;
        let refused = add(1).await.expect_problem(422, "validation");
        assert_eq!(refused["errors"][0], json!({"pointer": "#/score", "detail": "leaves the range of a signed 64-bit integer"}));
        add(i64::MAX).await.expect_problem(422, "validation");
        assert_eq!(api.page("b", "").await, before);
        add(i64::MIN).await.expect_status(200);
        assert_eq!(listed(api, "b").await, [json!(-1)]);
        add(i64::MIN).await.expect_problem(422, "validation");
        add(i64::MIN + 1).await.expect_status(200);
        assert_eq!(listed(api, "b").await, [json!(i64::MIN.to_string())]);
    }

    async fn subtracting_the_least_integer_from_zero_overflows(api) {
        api.create_leaderboard("b", &json!({"operator": "decrement"})).await;
        let least = json!({"player": "p", "score": i64::MIN.to_string()});
        api.post("/leaderboards/b/scores", &least).await.expect_problem(422, "validation");
        api.submit("b", &json!({"player": "p", "score": i64::MAX.to_string()})).await;
        assert_eq!(listed(api, "b").await, [json!((-i64::MAX).to_string())]);
    }

    async fn three_columns_of_extremes_are_ordered_by_each(api) {
        let columns = json!([{"name": "a", "order": "desc"}, {"name": "b", "order": "asc"}, {"name": "c", "order": "desc"}]);
        api.create_leaderboard("b", &json!({"columns": columns})).await;
        let ends = [i64::MIN, -1, 0, i64::MAX];
        let mut expected = Vec::new();
        for a in ends.iter().rev() {
            for b in ends {
                for c in ends.iter().rev() {
                    expected.push(json!({"a": a.to_string(), "b": b.to_string(), "c": c.to_string()}));
                }
            }
        }
        // Given in another order than they stand in.
        let mut submissions: Vec<_> = expected.iter().map(|values| json!({"player": values.to_string(), "values": values})).collect();
        submissions.rotate_left(23);
        submissions.swap(3, 40);
        api.submit_all("b", &submissions).await;
        let page = api.page("b", "?limit=1000").await;
        let players: Vec<_> = page["entries"].as_array().unwrap().iter().map(|entry| entry["player"].clone()).collect();
        assert_eq!(players, expected.iter().map(|values| json!(values.to_string())).collect::<Vec<_>>());
    }

    async fn limits_and_changes_reach_over_the_whole_range(api) {
        let limits = json!({"min": i64::MIN.to_string(), "max": i64::MAX.to_string(), "max_change": u64::MAX.to_string()});
        api.create_leaderboard("b", &json!({"operator": "set", "limits": limits})).await;
        for score in [i64::MIN, i64::MAX, i64::MIN] {
            api.submit_score("b", "p", score).await;
        }
        let read = api.get("/leaderboards/b").await.expect_status(200);
        assert_eq!(read["limits"]["max_change"], u64::MAX.to_string());
    }
}
