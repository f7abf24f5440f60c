//! What operators look at: health in detail, metrics.

use serde_json::json;

use crate::service::{Answer, KEY, METRICS_KEY, Service};

fn metrics(service: &Service) -> String {
    let answer = service.call("GET", "/metrics", "");
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.text
}

fn detailed(service: &Service, accept: &str) -> Answer {
    service.with("GET", "/health/detailed", "", &[("accept", accept)])
}

#[test]
fn every_part_has_its_status() {
    let service = Service::new();
    let answer = detailed(&service, "*/*");
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (200, "application/json")
    );
    let health = answer.json();
    assert_eq!(health["status"], "pass");
    for part in ["store", "key_value"] {
        let part = &health["components"][part];
        assert_eq!(
            (&part["status"], &part["message"]),
            (&json!("pass"), &json!("answers"))
        );
        assert_eq!(part["last_checked"], "2026-07-19T21:04:00.000Z");
        assert_eq!(part["metadata"]["took_ms"], 0);
    }
    assert_eq!(service.anonymous("GET", "/health/detailed").problem().0, 401);
}

#[test]
fn a_store_that_fails_is_a_failure_and_a_region_that_fails_a_warning() {
    let service = Service::new();
    service.region.down.set(true);
    let warned = detailed(&service, "*/*");
    assert_eq!((warned.status, &warned.json()["status"]), (200, &json!("warn")));
    service.store.down.set(true);
    let failed = detailed(&service, "*/*");
    assert_eq!((failed.status, failed.header("retry-after")), (503, "1"));
    assert_eq!(failed.json()["components"]["store"]["status"], "fail");
    assert!(!failed.text.contains("10.0.0.7") && failed.log.cause.unwrap().contains("10.0.0.7"));
}

#[test]
fn health_comes_in_the_drafts_form_when_that_is_asked_for() {
    let service = Service::new();
    for accept in ["application/health+json", "application/health+json, */*;q=0.5"] {
        let answer = detailed(&service, accept);
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (200, "application/health+json")
        );
        let health = answer.json();
        assert_eq!(
            (&health["status"], &health["version"]),
            (&json!("pass"), &json!("1"))
        );
        let check = &health["checks"]["store:responseTime"][0];
        assert_eq!(
            (&check["status"], &check["observedUnit"]),
            (&json!("pass"), &json!("ms"))
        );
    }
    let plain = detailed(&service, "application/json, application/health+json;q=0.1");
    assert_eq!(plain.header("content-type"), "application/json");
    let elsewhere = service.with("GET", "/tenants", "", &[("accept", "application/health+json")]);
    assert_eq!(elsewhere.problem().0, 406);
}

#[test]
fn requests_are_counted_by_family_and_status() {
    let service = Service::new();
    service.call("PUT", "/leaderboards/goals", "{}");
    service.call("PUT", "/leaderboards/goals", "{");
    service.call("GET", "/leaderboards/goals/entries", "");
    service.anonymous("GET", "/leaderboards/goals/entries");
    service.raw("GET", "/leaderboards", "", &[("x-api-key", "wrong")]);
    let text = metrics(&service);
    for line in [
        "# TYPE edgeboard_requests_total counter",
        "edgeboard_requests_total{family=\"leaderboards\",status=\"2xx\"} 1",
        "edgeboard_requests_total{family=\"leaderboards\",status=\"4xx\"} 2",
        "edgeboard_requests_total{family=\"ranks\",status=\"2xx\"} 2",
        "edgeboard_credentials_refused_total 1",
        "edgeboard_store_up 1",
    ] {
        assert!(text.lines().any(|known| known == line), "{line} in {text}");
    }
}

#[test]
fn counting_needs_no_store_and_survives_its_absence() {
    let service = Service::new();
    service.store.down.set(true);
    service.call("GET", "/leaderboards", "");
    let text = metrics(&service);
    assert!(
        text.contains("edgeboard_requests_total{family=\"leaderboards\",status=\"5xx\"} 1"),
        "{text}"
    );
    assert!(text.contains("edgeboard_store_up 0"));
    service.region.down.set(true);
    assert_eq!(service.call("GET", "/leaderboards", "").status, 503);
    assert!(metrics(&service).contains("edgeboard_store_up 0"));
}

#[test]
fn metrics_are_for_the_operator_and_for_a_key_that_allows_nothing_else() {
    let service = Service::new();
    let bearer = format!("Bearer {METRICS_KEY}");
    for header in [
        ("x-api-key", KEY),
        ("x-api-key", METRICS_KEY),
        ("authorization", bearer.as_str()),
    ] {
        let answer = service.raw(
            "GET",
            "/metrics",
            "",
            &[header, ("accept", "text/plain;version=0.0.4")],
        );
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (200, "text/plain; version=0.0.4; charset=utf-8")
        );
    }
    let operator = format!("Bearer {KEY}");
    for header in [
        ("x-api-key", "wrong"),
        ("authorization", operator.as_str()),
        ("authorization", METRICS_KEY),
        ("x-a", "b"),
    ] {
        assert_eq!(
            service.raw("GET", "/metrics", "", &[header]).problem().0,
            401,
            "{header:?}"
        );
    }
    assert_eq!(
        service
            .raw("GET", "/tenants", "", &[("x-api-key", METRICS_KEY)])
            .problem()
            .0,
        401
    );
}
