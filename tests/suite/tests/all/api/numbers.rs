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
}
