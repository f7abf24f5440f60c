//! Tests that 64-bit integers stay exact in requests, in the store and in responses.

use leaderboard_test_support::ApiClient;
use serde_json::{Value, json};

use crate::cases::api_cases;

/// The largest integer that a response has as a JSON number. A response has larger integers as strings.
const MAX_SAFE: i64 = (1 << 53) - 1;

/// Returns extreme values, largest first, each with its JSON form in a response.
fn extremes() -> Vec<(i64, Value)> {
    let number = |value: i64| (value, json!(value));
    let text = |value: i64| (value, json!(value.to_string()));
    vec![
        text(i64::MAX),
        text(i64::MAX - 1),
        text(MAX_SAFE + 2),
        text(MAX_SAFE + 1),
        number(MAX_SAFE),
        number(MAX_SAFE - 1),
        number(1),
        number(0),
        number(-1),
        number(-MAX_SAFE),
        text(-MAX_SAFE - 1),
        text(-MAX_SAFE - 2),
        text(i64::MIN + 1),
        text(i64::MIN),
    ]
}

/// Returns the scores of the list, in the order of ranks.
async fn list_scores(api: &ApiClient, board: &str) -> Vec<Value> {
    let page = api.page(board, "?limit=1000").await;
    page["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["values"]["score"].clone())
        .collect()
}

api_cases! {
    async fn neighbouring_extreme_scores_have_different_ranks(api) {
        for (board, order) in [("desc", "desc"), ("asc", "asc")] {
            api.create_leaderboard(board, &json!({"columns": [{"name": "score", "order": order}]})).await;
            for (value, written) in extremes() {
                // The score is sent as a number and then as a string. The second submission changes nothing.
                let outcome = api.submit(board, &json!({"player": value.to_string(), "score": value})).await;
                assert_eq!((&outcome["status"], &outcome["values"]["score"]), (&json!("created"), &written));
                let again = json!({"player": value.to_string(), "score": value.to_string()});
                assert_eq!(api.submit(board, &again).await["status"], "kept");
            }
            let mut expected: Vec<_> = extremes().into_iter().map(|(_, written)| written).collect();
            if order == "asc" {
                expected.reverse();
            }
            assert_eq!(list_scores(api, board).await, expected);
        }
    }

    async fn sums_are_exact_and_overflow_is_refused(api) {
        api.create_leaderboard("b", &json!({"operator": "increment"})).await;
        let add = async |by: i64| {
            api.post("/leaderboards/b/scores", &json!({"player": "p", "score": by.to_string()})).await
        };
        for (by, sum) in [(MAX_SAFE, MAX_SAFE), (1, MAX_SAFE + 1), (1, MAX_SAFE + 2), (i64::MAX - MAX_SAFE - 2, i64::MAX)] {
            let outcome = add(by).await.expect_status(200);
            let written = if sum <= MAX_SAFE { json!(sum) } else { json!(sum.to_string()) };
            assert_eq!(outcome["values"]["score"], written);
        }
        let before = api.page("b", "").await;
        let refused = add(1).await.expect_problem(422, "validation");
        assert_eq!(refused["errors"][0], json!({"pointer": "#/score", "detail": "leaves the range of a signed 64-bit integer"}));
        add(i64::MAX).await.expect_problem(422, "validation");
        assert_eq!(api.page("b", "").await, before);
        add(i64::MIN).await.expect_status(200);
        assert_eq!(list_scores(api, "b").await, [json!(-1)]);
        add(i64::MIN).await.expect_problem(422, "validation");
        add(i64::MIN + 1).await.expect_status(200);
        assert_eq!(list_scores(api, "b").await, [json!(i64::MIN.to_string())]);
    }

    async fn subtracting_the_least_integer_from_zero_overflows(api) {
        api.create_leaderboard("b", &json!({"operator": "decrement"})).await;
        let least = json!({"player": "p", "score": i64::MIN.to_string()});
        api.post("/leaderboards/b/scores", &least).await.expect_problem(422, "validation");
        api.submit("b", &json!({"player": "p", "score": i64::MAX.to_string()})).await;
        assert_eq!(list_scores(api, "b").await, [json!((-i64::MAX).to_string())]);
    }

    async fn extreme_values_in_three_columns_are_ordered_column_by_column(api) {
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
        // The order of the submissions differs from the order of the ranks.
        let mut submissions: Vec<_> = expected.iter().map(|values| json!({"player": values.to_string(), "values": values})).collect();
        submissions.rotate_left(23);
        submissions.swap(3, 40);
        api.submit_all("b", &submissions).await;
        let page = api.page("b", "?limit=1000").await;
        let players: Vec<_> = page["entries"].as_array().unwrap().iter().map(|entry| entry["player"].clone()).collect();
        assert_eq!(players, expected.iter().map(|values| json!(values.to_string())).collect::<Vec<_>>());
    }

    async fn limits_may_span_the_whole_range_of_integers(api) {
        let limits = json!({"min": i64::MIN.to_string(), "max": i64::MAX.to_string(), "max_change": u64::MAX.to_string()});
        api.create_leaderboard("b", &json!({"operator": "set", "limits": limits})).await;
        for score in [i64::MIN, i64::MAX, i64::MIN] {
            api.submit_score("b", "p", score).await;
        }
        let read = api.get("/leaderboards/b").await.expect_status(200);
        assert_eq!(read["limits"]["max_change"], u64::MAX.to_string());
    }
}
