//! Tests of the header `API-Integers: string`: all 64-bit integers of a response are JSON strings.

use http::Method;
use leaderboard_api::IntegerFormat;
use leaderboard_openapi::conformance::{self, Exchange};
use leaderboard_test_support::ApiClient;
use serde_json::{Value, json};

use crate::cases::api_cases;

/// Sends a request with `API-Integers: string`. Compares the response with the API description in which
/// 64-bit integers are only strings, and returns its body.
async fn send_for_strings(api: &ApiClient, method: Method, path: &str, body: &Value) -> Value {
    let call = api
        .request_at(method.as_str(), path)
        .header("api-integers", "string");
    let call = if body.is_null() { call } else { call.json(body) };
    let answer = call.send().await;
    let exchange = Exchange {
        method: &method,
        path: path.split('?').next().unwrap_or(path),
        status: answer.status,
        headers: &answer.headers,
        body: &answer.body,
    };
    assert_eq!(
        conformance::check(&exchange, IntegerFormat::String),
        Ok(()),
        "{answer:?}"
    );
    assert!(answer.header("vary").contains("API-Integers"));
    answer.json()
}

api_cases! {
    async fn every_64_bit_integer_is_a_string_if_the_client_asks_for_strings(api) {
        let board = json!({"limits": {"max": 100, "max_entries": 5}});
        let board = send_for_strings(api, Method::PUT, "/api/v1/leaderboards/b", &board).await;
        assert_eq!(board["limits"]["max"], "100");
        assert_eq!((&board["limits"]["max_entries"], &board["keep_periods"]), (&json!("5"), &json!(12)));
        let submission = json!({"player": "ann", "score": "7"});
        let outcome = send_for_strings(api, Method::POST, "/api/v1/leaderboards/b/scores", &submission).await;
        assert_eq!((&outcome["values"], &outcome["rank"]), (&json!({"score": "7"}), &json!(1)));
        for (version, entries) in [("v1", "entries"), ("v2", "data")] {
            let base = format!("/api/{version}/leaderboards/b");
            let list = send_for_strings(api, Method::GET, &format!("{base}/entries"), &Value::Null).await;
            assert_eq!(list[entries][0]["values"]["score"], "7");
            assert!(list["version"].is_string());
            for below in ["/entries/ann", "/entries/ann/around", "/distribution", "/periods", "/entries?players=ann"] {
                send_for_strings(api, Method::GET, &format!("{base}{below}"), &Value::Null).await;
            }
        }
        let own = send_for_strings(api, Method::GET, "/api/v1/tenant", &Value::Null).await;
        assert_eq!(own["holdings"]["entries"], "1");
    }

    async fn responses_with_numbers_and_with_strings_are_cached_separately(api) {
        api.create_leaderboard("b", &json!({})).await;
        api.submit_score("b", "ann", 7).await;
        let score = async |form: Option<&str>| {
            let call = api.request("GET", "/leaderboards/b/entries").without_header("cache-control");
            let call = if let Some(form) = form { call.header("api-integers", form) } else { call };
            call.send().await.expect_status(200)["entries"][0]["values"]["score"].clone()
        };
        for _ in 0..3 {
            assert_eq!((score(None).await, score(Some("string")).await), (json!(7), json!("7")));
        }
        for form in ["number", "", "String"] {
            let refused = api.request("GET", "/leaderboards/b/entries").header("api-integers", form).send().await;
            assert_eq!(refused.expect_problem(400, "invalid-header")["errors"][0]["header"], "API-Integers");
        }
    }
}
