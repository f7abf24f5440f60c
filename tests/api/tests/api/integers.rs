//! `API-Integers: string`: all 64-bit integers of an answer in one wire type.

use http::Method;
use leaderboard_api::IntegerFormat;
use leaderboard_openapi::conformance::{self, Exchange};
use serde_json::{Value, json};

use crate::service::{Answer, KEY, Service};

const STRINGS: (&str, &str) = ("api-integers", "string");

fn ask(service: &Service, method: &str, path: &str, body: &str) -> Answer {
    service.at(
        method,
        path,
        body,
        &[("x-api-key", KEY), ("content-type", "application/json"), STRINGS],
    )
}

/// The answer, held to the description in which these integers are strings alone.
fn as_strings(service: &Service, method: &str, path: &str, body: &str) -> Value {
    let answer = ask(service, method, path, body);
    let exchange = Exchange {
        method: &Method::from_bytes(method.as_bytes()).unwrap(),
        path: path.split('?').next().unwrap_or(path),
        status: answer.status,
        headers: &answer.headers,
        body: &answer.bytes,
    };
    assert_eq!(
        conformance::check(&exchange, IntegerFormat::String),
        Ok(()),
        "{answer:?}"
    );
    answer.json()
}

#[test]
fn every_64_bit_integer_is_a_string_where_the_client_asks_for_it() {
    let service = Service::new();
    let board = r#"{"limits": {"max": 100, "max_entries": 5}}"#;
    let board = as_strings(&service, "PUT", "/api/v1/leaderboards/goals", board);
    assert_eq!(
        (&board["limits"]["max"], &board["limits"]["max_entries"]),
        (&json!("100"), &json!("5"))
    );
    assert_eq!(board["keep_periods"], 12);
    let submission = r#"{"player": "ann", "score": "7"}"#;
    let outcome = as_strings(&service, "POST", "/api/v1/leaderboards/goals/scores", submission);
    assert_eq!(
        (&outcome["values"], &outcome["rank"]),
        (&json!({"score": "7"}), &json!(1))
    );
    for version in ["v1", "v2"] {
        let base = format!("/api/{version}/leaderboards/goals");
        let list = as_strings(&service, "GET", &format!("{base}/entries"), "");
        let entries = list.get("entries").or(list.get("data")).unwrap();
        assert_eq!(entries[0]["values"]["score"], "7");
        assert!(list["version"].is_string());
        for below in [
            "/entries/ann",
            "/entries/ann/around",
            "/distribution",
            "/periods",
            "/entries?players=ann",
        ] {
            as_strings(&service, "GET", &format!("{base}{below}"), "");
        }
    }
    assert_eq!(
        as_strings(&service, "GET", "/api/v1/tenant", "")["holdings"]["entries"],
        "1"
    );
}

#[test]
fn cached_answers_of_both_forms_are_kept_apart() {
    let service = Service::new();
    service.call("PUT", "/leaderboards/goals", "{}");
    service.call(
        "POST",
        "/leaderboards/goals/scores",
        r#"{"player": "ann", "score": 7}"#,
    );
    let path = "/api/v1/leaderboards/goals/entries";
    let score = |answer: &Answer| answer.json()["entries"][0]["values"]["score"].clone();
    for _ in 0..2 {
        assert_eq!(score(&service.at("GET", path, "", &[])), 7);
        assert_eq!(score(&service.at("GET", path, "", &[STRINGS])), "7");
    }
    let vary = ask(&service, "GET", path, "").header("vary").to_owned();
    assert!(vary.contains("API-Integers"), "{vary}");
}

#[test]
fn another_value_is_refused() {
    let service = Service::new();
    for bad in ["number", "", "String"] {
        let answer = service.at(
            "GET",
            "/api/v1/leaderboards/goals/entries",
            "",
            &[("api-integers", bad)],
        );
        assert_eq!(
            answer.problem(),
            (400, "invalid-header".to_owned(), "API-Integers".to_owned())
        );
    }
}
