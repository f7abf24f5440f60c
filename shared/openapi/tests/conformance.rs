//! Tests of the check that answers conform to the OpenAPI document.

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use leaderboard_api::IntegerFormat;
use leaderboard_openapi::conformance::{self, Exchange};

/// The path of an operation that is always available.
const LIVE: &str = "/api/v1/health/live";
/// The required headers of an answer of this operation.
const ALWAYS: [(&str, &str); 3] = [
    ("content-type", "application/json"),
    ("cache-control", "no-store"),
    ("x-request-id", "0af7651916cd43dd8448eb211c80319c"),
];

fn check_answer(
    method: &Method,
    path: &str,
    status: u16,
    headers: &[(&str, &str)],
    body: &str,
) -> Result<(), String> {
    let mut all = HeaderMap::new();
    for (name, value) in headers {
        let (Ok(name), Ok(value)) = (HeaderName::try_from(*name), HeaderValue::try_from(*value)) else {
            return Err(format!("{name}: {value} is no header"));
        };
        all.insert(name, value);
    }
    let exchange = Exchange {
        method,
        path,
        status,
        headers: &all,
        body: body.as_bytes(),
    };
    conformance::check(&exchange, IntegerFormat::NumberOrString)
}

/// Returns the fault of an answer to `GET`; empty if the answer conforms.
fn find_fault(status: u16, headers: &[(&str, &str)], body: &str) -> String {
    check_answer(&Method::GET, LIVE, status, headers, body)
        .err()
        .unwrap_or_default()
}

#[test]
fn a_described_answer_conforms() {
    let body = r#"{"status": "pass"}"#;
    for path in [LIVE, "/api/v2/health/live", "/api/health/live"] {
        assert_eq!(
            check_answer(&Method::GET, path, 200, &ALWAYS, body),
            Ok(()),
            "{path}"
        );
        assert_eq!(
            check_answer(&Method::HEAD, path, 200, &ALWAYS, ""),
            Ok(()),
            "{path}"
        );
    }
}

#[test]
fn an_answer_that_is_not_described_is_a_fault() {
    let good = r#"{"status": "pass"}"#;
    assert!(find_fault(201, &ALWAYS, good).contains("status 201"));
    let without = [ALWAYS[0], ALWAYS[2]];
    assert!(find_fault(200, &without, good).contains("Cache-Control is missing"));
    let tagged = [ALWAYS.as_slice(), &[("etag", "\"1\"")]].concat();
    assert!(find_fault(200, &tagged, good).contains("ETag is not described"));
    let text = [("content-type", "text/plain"), ALWAYS[1], ALWAYS[2]];
    assert!(find_fault(200, &text, good).contains("text/plain"));
    for body in [
        r#"{"status": "well"}"#,
        r#"{"status": "pass", "more": 1}"#,
        "{}",
        "pass",
        "",
    ] {
        assert_ne!(find_fault(200, &ALWAYS, body), "", "{body}");
    }
    for (method, path) in [(Method::GET, "/api/v1/nothing"), (Method::PUT, LIVE)] {
        assert!(
            check_answer(&method, path, 200, &ALWAYS, good).is_err(),
            "{method} {path}"
        );
    }
    assert!(check_answer(&Method::HEAD, LIVE, 200, &ALWAYS, good).is_err());
}

#[test]
fn a_problem_must_have_a_type_of_its_status() {
    let check_problem = |kind: &str| {
        let problem = format!(
            r#"{{"type": "/problems/{kind}", "title": "t", "status": 404, "detail": "d", "instance": "i"}}"#
        );
        let headers = [("content-type", "application/problem+json"), ALWAYS[1], ALWAYS[2]];
        check_answer(&Method::GET, "/api/v1/leaderboards/b", 404, &headers, &problem)
    };
    assert_eq!(check_problem("leaderboard-not-found"), Ok(()));
    assert!(check_problem("unavailable").is_err());
}
