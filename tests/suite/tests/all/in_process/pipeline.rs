//! Tests of log records, and of the order in which a request is checked.

use leaderboard_telemetry::Level;
use leaderboard_test_support::ADMIN_KEY;

use crate::in_process::environment::{Instance, METRICS_KEY};

fn build_problem(status: u16, kind: &str, place: &str) -> (u16, String, String) {
    (status, kind.to_owned(), place.to_owned())
}

#[test]
fn an_unreachable_store_gives_503_and_only_the_log_has_the_cause() {
    let service = Instance::new();
    service.store.down.set(true);
    service.anonymous("/health/live").expect_status(200);
    let ready = service.anonymous("/health/ready");
    assert_eq!(
        (
            ready.status,
            ready.json()["components"]["store"]["status"].as_str()
        ),
        (503, Some("fail"))
    );
    let answer = service.call("GET", "/leaderboards/goals", "");
    assert_eq!(answer.problem(), build_problem(503, "unavailable", ""));
    for answer in [ready, answer] {
        assert_eq!(answer.header("retry-after"), "1");
        assert!(!answer.text.contains("10.0.0.7"));
        assert_eq!(answer.log.level, Level::Error);
        assert!(answer.log.cause.unwrap().contains("10.0.0.7"));
    }
    service.store.down.set(false);
    service.pass_ms(1_000);
    service.anonymous("/health/ready").expect_status(200);
}

#[test]
fn a_log_record_has_the_pattern_of_the_route_and_not_the_path() {
    let service = Instance::new();
    let answer = service.call("GET", "/leaderboards/goals/entries/a%20secret%20name", "");
    assert_eq!(
        serde_json::to_string(&answer.log).unwrap(),
        r#"{"level":"info","trace_id":"07070707070707070707070707070707","method":"GET","route":"/leaderboards/:leaderboard/entries/:player","api_version":"1","status":404,"tenant":"default","problem":"/problems/leaderboard-not-found","duration_us":0}"#
    );
}

const CLIENT: (&str, &str) = ("spin-client-addr", "192.0.2.7:4711");

#[test]
fn a_denied_address_learns_nothing_about_credentials() {
    let service = Instance::new();
    let limits = r#"{"addresses":{"deny":["192.0.2.0/24"]}}"#;
    service.call("PUT", "/operator/limits", limits).expect_status(201);
    let headers: [&[(&str, &str)]; 4] = [
        &[CLIENT],
        &[CLIENT, ("x-api-key", "guess")],
        &[CLIENT, ("authorization", "Bearer guess")],
        &[CLIENT, ("x-api-key", METRICS_KEY)],
    ];
    for headers in headers {
        for path in [
            "/leaderboards",
            "/leaderboards/goals/entries",
            "/metrics",
            "/health/detailed",
        ] {
            let refused = service.send("GET", path, "", headers);
            assert_eq!(refused.problem().1, "address-denied", "{path} {headers:?}");
        }
        for path in ["/health/live", "/health/ready"] {
            service.send("GET", path, "", headers).expect_status(200);
        }
    }
    for path in ["/leaderboards", "/metrics", "/health/detailed"] {
        service
            .send("GET", path, "", &[CLIENT, ("x-api-key", ADMIN_KEY)])
            .expect_status(200);
    }
}

/// A client can send the same trace id with all its requests. So the log has a request id of the service,
/// too.
#[test]
fn the_log_has_a_request_id_that_no_client_can_choose() {
    let service = Instance::new();
    let id = "0af7651916cd43dd8448eb211c80319c";
    let parent = format!("00-{id}-b7ad6b7169203331-01");
    let traced = service.send("GET", "/health/live", "", &[("traceparent", &parent)]);
    let own = "07".repeat(16);
    assert_eq!(
        (traced.log.trace_id.as_str(), traced.log.request_id.as_deref()),
        (id, Some(own.as_str()))
    );
    assert_eq!(traced.header("x-request-id"), id);
    let plain = service.anonymous("/health/live");
    assert_eq!((plain.log.trace_id, plain.log.request_id), (own, None));
}
