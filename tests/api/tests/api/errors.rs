//! What errors tell: every fault at once, at the fields that were sent, in words that help.

use serde_json::Value;

use crate::service::{Answer, KEY, Service};

/// The places of the errors of an answer, each with its detail.
fn faults(answer: &Answer) -> Vec<(String, String)> {
    let body = answer.json();
    let errors = body["errors"].as_array().cloned().unwrap_or_default();
    let text = |error: &Value, name: &str| error[name].as_str().map(str::to_owned);
    let place = |error: &Value| {
        ["pointer", "parameter", "header"]
            .iter()
            .find_map(|name| text(error, name))
            .unwrap_or_default()
    };
    errors
        .iter()
        .map(|error| (place(error), text(error, "detail").unwrap()))
        .collect()
}

fn places(answer: &Answer) -> Vec<String> {
    faults(answer).into_iter().map(|(place, _)| place).collect()
}

fn detail(answer: &Answer) -> String {
    answer.json()["detail"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn every_fault_of_a_leaderboard_is_reported_at_once() {
    let service = Service::new();
    let put = |body: &str| service.call("PUT", "/leaderboards/goals", body);
    let several = r#"{"ties": "first", "operator": "max", "keep_periods": 0, "limits": {"min": 5, "max": 1}, "title": "a\u0007"}"#;
    assert_eq!(
        places(&put(several)),
        [
            "#/operator",
            "#/ties",
            "#/title",
            "#/keep_periods",
            "#/limits/min",
            "#/limits/max"
        ]
    );
    let columns =
        r#"{"columns": [{"name": "A", "order": "up"}, {"name": "b", "order": "down"}, {"name": "c"}]}"#;
    assert_eq!(
        places(&put(columns)),
        ["#/columns/0/order", "#/columns/0/name", "#/columns/1/order"]
    );
    let named_twice = r#"{"columns": [{"name": "a"}, {"name": "a"}, {"name": "a"}]}"#;
    assert_eq!(
        places(&put(named_twice)),
        ["#/columns/1/name", "#/columns/2/name"]
    );
    let reset = r#"{"reset": {"cron": "0 25 * * *", "time_zone": "Europe/Madird"}}"#;
    let found = faults(&put(reset));
    assert_eq!(
        (found[0].0.as_str(), found[1].0.as_str()),
        ("#/reset/cron", "#/reset/time_zone")
    );
    assert!(
        found[0].1.starts_with("the field hour (25) must be 0 to 23"),
        "{found:?}"
    );
    assert!(found[1].1.ends_with("did you mean Europe/Madrid?"), "{found:?}");
}

#[test]
fn a_faulty_part_hides_no_fault_beside_it() {
    let service = Service::new();
    let put = |body: &str| service.call("PUT", "/leaderboards/goals", body);
    assert_eq!(
        places(&put(r#"{"reset": {"cron": "0 25 * * *"}}"#)),
        ["#/reset/time_zone", "#/reset/cron"]
    );
    assert_eq!(
        places(&put(r#"{"reset": {"time_zone": "Nowhere/Else", "cron": 7}}"#)),
        ["#/reset/cron", "#/reset/time_zone"]
    );
    let crons = faults(&put(r#"{"reset": {"cron": "60 25 * * 9", "time_zone": "UTC"}}"#));
    assert_eq!(crons.len(), 3, "{crons:?}");
    for (fault, field) in crons.iter().zip(["minute (60)", "hour (25)", "day of week (9)"]) {
        assert!(fault.0 == "#/reset/cron" && fault.1.contains(field), "{crons:?}");
    }
    let columns = r#"{"columns": [{"name": "a", "order": "up"}, {"name": "a"}, {"name": 7}, {"name": "A"}, {"name": "A"}]}"#;
    assert_eq!(
        places(&put(columns)),
        [
            "#/columns/0/order",
            "#/columns/2/name",
            "#/columns/3/name",
            "#/columns/4/name",
            "#/columns",
            "#/columns/1/name",
        ]
    );
    let title = format!(r#"{{"title": "\u0007{}"}}"#, "x".repeat(200));
    assert_eq!(places(&put(&title)), ["#/title", "#/title"]);
    let limits = r#"{"limits": {"min": 5, "max": 1, "max_attempts": "x"}}"#;
    assert_eq!(
        places(&put(limits)),
        ["#/limits/max_attempts", "#/limits/min", "#/limits/max"]
    );
    let cache = r#"{"cache": {"warm": [7, {"view": "entries", "limit": 0}]}}"#;
    assert_eq!(places(&put(cache)), ["#/cache/warm/0", "#/cache/warm/1/limit"]);
}

#[test]
fn errors_point_at_what_was_sent() {
    let service = Service::new();
    service.call(
        "PUT",
        "/leaderboards/goals",
        r#"{"limits": {"min": 5}, "ties": "shared"}"#,
    );
    service.call(
        "POST",
        "/leaderboards/goals/scores",
        r#"{"player": "p", "score": 7}"#,
    );
    let patch = |body: &str| service.call("PATCH", "/leaderboards/goals", body);
    assert_eq!(places(&patch(r#"{"limits": {"max": 1}}"#)), ["#/limits/max"]);
    assert_eq!(
        places(&patch(r#"{"limits": {"max": 1, "max_attempts": "x"}}"#)),
        ["#/limits/max_attempts", "#/limits/max"]
    );
    let reorders = patch(r#"{"ties": "dense"}"#);
    assert_eq!(
        (reorders.status, places(&reorders)),
        (409, vec!["#/ties".to_owned()])
    );
    // A PUT that leaves the columns' order out gives it its default: nothing that was sent is at fault.
    let replaces = service.call("PUT", "/leaderboards/goals", "{}");
    assert!(
        replaces.status == 409 && places(&replaces).iter().all(|place| place == "#"),
        "{replaces:?}"
    );
}

#[test]
fn an_unknown_field_is_told_the_nearest() {
    let service = Service::new();
    let unknown = faults(&service.call("PUT", "/leaderboards/b", r#"{"titel": "x"}"#));
    assert_eq!(
        unknown,
        [(
            "#/titel".to_owned(),
            "is not a field of this object; did you mean title?".to_owned()
        )]
    );
}

#[test]
fn a_refusal_tells_what_would_be_accepted() {
    let service = Service::new();
    let methods = service.call("POST", "/leaderboards/b", "{}");
    assert_eq!(methods.status, 405);
    assert!(
        detail(&methods).contains("GET, HEAD") && detail(&methods).contains("DELETE"),
        "{methods:?}"
    );
    for (path, named) in [
        ("/leaderboards/none", "none"),
        ("/leaderboards/none/entries", "none"),
        ("/tenants/none", "none"),
    ] {
        let missing = service.call("GET", path, "");
        assert!(
            missing.status == 404 && detail(&missing).contains(named),
            "{path}: {missing:?}"
        );
    }
    service.call("PUT", "/leaderboards/goals", "{}");
    let missing = service.call("GET", "/leaderboards/goals/entries/jo%C3%A9", "");
    assert!(
        detail(&missing).contains("joé") && detail(&missing).contains("goals"),
        "{missing:?}"
    );
    let missing = service.call("GET", "/players/jo%C3%A9/ban", "");
    assert_eq!(missing.status, 404);
    assert!(detail(&missing).contains("joé"), "{missing:?}");
    let daily = r#"{"reset": {"cron": "0 0 * * *", "time_zone": "UTC"}}"#;
    service.call("PUT", "/leaderboards/daily", daily);
    for (asked, named) in [
        (
            "2020-01-01T00:00:00%2B01:00",
            "no period 2020-01-01T00:00:00+01:00",
        ),
        ("2020-01-01&limit=3", "no period 2020-01-01,"),
    ] {
        let missing = service.call("GET", &format!("/leaderboards/daily/entries?period={asked}"), "");
        assert_eq!(missing.problem().1, "period-not-found");
        assert!(
            detail(&missing).contains("daily") && detail(&missing).contains(named),
            "{missing:?}"
        );
    }
}

#[test]
fn a_failed_precondition_names_its_header_and_the_current_tag() {
    let service = Service::new();
    let tag = service
        .call("PUT", "/leaderboards/goals", "{}")
        .header("etag")
        .to_owned();
    for (method, body, name, value) in [
        ("PUT", "{}", "if-match", "\"0\""),
        ("DELETE", "", "if-match", "\"0\""),
        ("GET", "", "if-match", "\"0\""),
        ("PUT", "{}", "if-none-match", "*"),
    ] {
        let headers = [
            ("x-api-key", KEY),
            ("content-type", "application/json"),
            (name, value),
        ];
        let failed = service.raw(method, "/leaderboards/goals", body, &headers);
        assert_eq!(
            (failed.status, failed.header("etag")),
            (412, tag.as_str()),
            "{method}"
        );
        let found = faults(&failed);
        assert!(
            found[0].0.eq_ignore_ascii_case(name) && found[0].1.contains(&tag),
            "{method}: {found:?}"
        );
    }
}

#[test]
fn a_score_of_the_future_is_told_the_time() {
    let service = Service::new();
    service.call("PUT", "/leaderboards/goals", "{}");
    let body = r#"{"player": "p", "score": 1, "occurred_at": "2099-01-01T00:00:00Z"}"#;
    let found = faults(&service.call("POST", "/leaderboards/goals/scores", body));
    assert_eq!(found[0].0, "#/occurred_at");
    assert!(found[0].1.contains("it is 2026-07-19T21:04"), "{found:?}");
}

#[test]
fn an_idempotency_key_works_without_quotes() {
    let service = Service::new();
    service.call("PUT", "/leaderboards/goals", r#"{"operator": "increment"}"#);
    let submit = |key: &str| {
        let headers = [
            ("x-api-key", KEY),
            ("content-type", "application/json"),
            ("idempotency-key", key),
        ];
        service.raw(
            "POST",
            "/leaderboards/goals/scores",
            r#"{"player": "p", "score": 1}"#,
            &headers,
        )
    };
    assert_eq!(submit("abc").json()["replayed"], false);
    assert_eq!(submit("\"abc\"").json()["replayed"], true);
}
