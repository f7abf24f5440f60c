//! What holds for every request.

use http::Request;
use leaderboard_pipeline::Body;
use leaderboard_telemetry::Level;

use crate::service::{KEY, METRICS_KEY, Service};

fn kind(status: u16, kind: &str, place: &str) -> (u16, String, String) {
    (status, kind.to_owned(), place.to_owned())
}

#[test]
fn health_needs_no_credential_and_minds_no_bad_one() {
    let service = Service::new();
    for path in ["/health/live", "/health/ready"] {
        let answer = service.raw("GET", path, "", &[("x-api-key", "wrong"), ("x-tenant-id", "NO")]);
        assert_eq!(
            (answer.status, answer.json()["status"].as_str()),
            (200, Some("pass"))
        );
        assert_eq!(answer.log.tenant, None);
    }
}

#[test]
fn a_store_out_of_reach_is_503_and_its_cause_is_in_the_log_alone() {
    let service = Service::new();
    service.store.down.set(true);
    assert_eq!(service.anonymous("GET", "/health/live").status, 200);
    let ready = service.anonymous("GET", "/health/ready");
    assert_eq!(
        (
            ready.status,
            ready.json()["components"]["store"]["status"].as_str()
        ),
        (503, Some("fail"))
    );
    let answer = service.call("GET", "/leaderboards/goals", "");
    assert_eq!(answer.problem(), kind(503, "unavailable", ""));
    for answer in [ready, answer] {
        assert_eq!(answer.header("retry-after"), "1");
        assert!(!answer.text.contains("10.0.0.7"));
        assert_eq!(answer.log.level, Level::Error);
        assert!(answer.log.cause.unwrap().contains("10.0.0.7"));
    }
    service.store.down.set(false);
    service.pass_ms(1_000);
    assert_eq!(service.anonymous("GET", "/health/ready").status, 200);
}

#[test]
fn every_answer_has_a_length_a_trace_and_says_what_it_depends_on() {
    let service = Service::new();
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    for path in ["/health/live", "/nothing"] {
        let answer = service.raw("GET", path, "", &[("traceparent", parent)]);
        assert_eq!(answer.header("content-length"), answer.text.len().to_string());
        assert_eq!(answer.header("x-request-id"), "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(answer.log.trace_id, "0af7651916cd43dd8448eb211c80319c");
        assert!(answer.header("vary").contains("X-Tenant-ID"));
    }
    assert_eq!(
        service.anonymous("GET", "/health/live").header("x-request-id"),
        "07".repeat(16)
    );
}

#[test]
fn head_is_get_without_the_body() {
    let answer = Service::new().anonymous("HEAD", "/health/live");
    assert_eq!((answer.status, answer.text.as_str()), (200, ""));
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.log.method, "HEAD");
}

#[test]
fn paths_and_methods_that_are_not_there() {
    let service = Service::new();
    assert_eq!(
        service.call("GET", "/nothing", "").problem(),
        kind(404, "not-found", "")
    );
    let other = service.call("POST", "/leaderboards/goals", "{}");
    assert_eq!(other.problem(), kind(405, "method-not-allowed", ""));
    assert_eq!(other.header("allow"), "GET, HEAD, PUT, PATCH, DELETE");
    let odd = service.raw("BREW", "/health/live", "", &[]);
    assert_eq!((odd.status, odd.log.method, odd.log.route), (405, "OTHER", None));
}

#[test]
fn credentials_are_needed_and_must_be_right() {
    let service = Service::new();
    let missing = service.anonymous("GET", "/limits");
    assert_eq!(missing.problem(), kind(401, "unauthenticated", ""));
    assert_eq!(
        missing.header("www-authenticate"),
        "Bearer realm=\"edgeboard\", ApiKey realm=\"edgeboard\""
    );
    for headers in [[("x-api-key", "wrong")], [("authorization", "Bearer abc")]] {
        let answer = service.raw("GET", "/leaderboards/goals/entries", "", &headers);
        assert_eq!(answer.problem(), kind(401, "unauthenticated", ""));
        assert!(!serde_json::to_string(&answer.log).unwrap().contains("abc"));
    }
    assert_eq!(service.call("GET", "/leaderboards", "").status, 200);
}

#[test]
fn bodies_are_json_of_a_mebibyte_at_most() {
    let service = Service::new();
    let path = "/leaderboards/goals";
    let plain = service.raw(
        "PUT",
        path,
        "{}",
        &[("x-api-key", KEY), ("content-type", "text/plain")],
    );
    assert_eq!(plain.problem(), kind(415, "unsupported-media-type", ""));
    let request = Request::put(format!("/api/v1{path}"))
        .header("x-api-key", KEY)
        .body(Body::TooLarge)
        .unwrap();
    assert_eq!(service.send(request).problem(), kind(413, "body-too-large", ""));
    assert_eq!(
        service.call("PUT", path, "{").problem(),
        kind(400, "malformed", "#")
    );
}

#[test]
fn a_log_line_has_the_pattern_and_not_the_path() {
    let service = Service::new();
    let answer = service.call("GET", "/leaderboards/goals/entries/a%20secret%20name", "");
    assert_eq!(
        serde_json::to_string(&answer.log).unwrap(),
        r#"{"level":"info","trace_id":"07070707070707070707070707070707","method":"GET","route":"/leaderboards/:leaderboard/entries/:player","api_version":"1","status":404,"tenant":"default","problem":"/problems/leaderboard-not-found","duration_us":0}"#
    );
}

const FROM: (&str, &str) = ("spin-client-addr", "192.0.2.7:4711");

/// The operator's keys are guessed like any other, so they wait like any other where too much was guessed.
#[test]
fn no_key_of_the_operators_is_looked_at_where_too_many_were_guessed() {
    const ELSEWHERE: (&str, &str) = ("spin-client-addr", "198.51.100.7:1");
    let service = Service::new();
    let with = |from, path: &str, key: &str| service.raw("GET", path, "", &[from, ("x-api-key", key)]).status;
    while with(FROM, "/leaderboards", "guess") != 429 {}
    for (path, key) in [
        ("/leaderboards", KEY),
        ("/tenants", KEY),
        ("/health/detailed", KEY),
        ("/metrics", KEY),
        ("/metrics", METRICS_KEY),
    ] {
        let told = [
            with(FROM, path, "guess"),
            with(FROM, path, key),
            with(ELSEWHERE, path, key),
        ];
        assert_eq!(told, [429, 429, 200], "{path}");
    }
    service.pass_ms(1_000);
    assert_eq!(with(FROM, "/tenants", KEY), 200);
}

#[test]
fn who_is_not_let_in_tries_no_credentials() {
    let service = Service::new();
    let limits = r#"{"addresses":{"deny":["192.0.2.0/24"]}}"#;
    assert_eq!(service.call("PUT", "/operator/limits", limits).status, 201);
    let headers: [&[(&str, &str)]; 4] = [
        &[FROM],
        &[FROM, ("x-api-key", "guess")],
        &[FROM, ("authorization", "Bearer guess")],
        &[FROM, ("x-api-key", METRICS_KEY)],
    ];
    for headers in headers {
        for path in [
            "/leaderboards",
            "/leaderboards/goals/entries",
            "/metrics",
            "/health/detailed",
        ] {
            let refused = service.raw("GET", path, "", headers);
            assert_eq!(refused.problem().1, "address-denied", "{path} {headers:?}");
        }
        for path in ["/health/live", "/health/ready"] {
            assert_eq!(service.raw("GET", path, "", headers).status, 200, "{path}");
        }
    }
    for path in ["/leaderboards", "/metrics", "/health/detailed"] {
        assert_eq!(
            service.raw("GET", path, "", &[FROM, ("x-api-key", KEY)]).status,
            200,
            "{path}"
        );
    }
}

/// A client can send one trace id with everything, so the log has an id of our own beside it.
#[test]
fn the_log_has_an_id_that_no_client_chose() {
    let service = Service::new();
    let id = "0af7651916cd43dd8448eb211c80319c";
    let parent = format!("00-{id}-b7ad6b7169203331-01");
    let traced = service.raw("GET", "/health/live", "", &[("traceparent", &parent)]);
    let own = "07".repeat(16);
    assert_eq!(
        (traced.log.trace_id.as_str(), traced.log.request_id.as_deref()),
        (id, Some(own.as_str()))
    );
    assert_eq!(traced.header("x-request-id"), id);
    let plain = service.anonymous("GET", "/health/live");
    assert_eq!((plain.log.trace_id, plain.log.request_id), (own, None));
}
