//! Tenants' records: kept by the operator, and obeyed by everything else.

use leaderboard_score_messages::MessageReport;
use serde_json::{Value, json};

use crate::service::{Answer, Service};

const ACME: &[(&str, &str)] = &[("x-tenant-id", "acme")];

fn put(service: &Service, id: &str, body: &Value) -> Answer {
    service.call("PUT", &format!("/tenants/{id}"), &body.to_string())
}

/// A request about the tenant acme, without a credential.
fn anonymous(service: &Service, path: &str) -> Answer {
    service.raw("GET", path, "", ACME)
}

fn as_operator(service: &Service, method: &str, path: &str, body: &str) -> Answer {
    service.with(method, path, body, ACME)
}

#[test]
fn a_record_is_created_replaced_patched_and_read() {
    let service = Service::new();
    let created = put(&service, "acme", &json!({"title": "Acme"}));
    assert_eq!(
        (created.status, created.header("location")),
        (201, "/api/v1/tenants/acme")
    );
    let whole = json!({"id": "acme", "title": "Acme", "state": "active",
        "quotas": {"leaderboards": null, "entries": null, "requests_per_day": null, "log_bytes": 1_073_741_824_u64}, "tokens_not_before": null});
    assert_eq!(created.json(), whole);
    let tag = created.header("etag").to_owned();
    let again = put(&service, "acme", &whole);
    assert_eq!((again.status, again.header("etag")), (200, tag.as_str()));

    let patched = service.call(
        "PATCH",
        "/tenants/acme",
        r#"{"state":"suspended","quotas":{"entries":5}}"#,
    );
    assert_eq!(patched.json()["title"], "Acme");
    let read = service.call("GET", "/tenants/acme", "");
    assert_eq!(read.json(), patched.json());
    assert_eq!(read.json()["quotas"]["entries"], 5);
    assert_ne!(read.header("etag"), tag);
    let known = service.with(
        "GET",
        "/tenants/acme",
        "",
        &[("if-none-match", read.header("etag"))],
    );
    assert_eq!(known.status, 304);
}

/// Who replaces a record without a thought of tokens takes no revocation back.
#[test]
fn a_revocation_of_tokens_is_taken_back_by_null_alone() {
    let service = Service::new();
    let instant = "2026-07-19T21:00:00.000Z";
    let revoked = |answer: &Answer| answer.json()["tokens_not_before"].clone();
    let put = |body: Value| put(&service, "acme", &body);
    assert_eq!(revoked(&put(json!({"tokens_not_before": instant}))), instant);
    let replaced = put(json!({"title": "Acme"}));
    assert_eq!((replaced.status, revoked(&replaced)), (200, json!(instant)));
    let tag = replaced.header("etag").to_owned();
    let matched = service.with("PUT", "/tenants/acme", "{}", &[("if-match", &tag)]);
    assert_eq!((matched.status, revoked(&matched)), (200, json!(instant)));
    let read = service.call("GET", "/tenants/acme", "");
    assert_eq!(
        (&read.json()["title"], revoked(&read)),
        (&json!(""), json!(instant))
    );
    assert_eq!(revoked(&put(json!({"tokens_not_before": null}))), Value::Null);
    assert_eq!(revoked(&put(json!({"tokens_not_before": instant}))), instant);
    let patch = |body: &str| service.call("PATCH", "/tenants/acme", body);
    assert_eq!(revoked(&patch(r#"{"title":"x"}"#)), instant);
    assert_eq!(revoked(&patch(r#"{"tokens_not_before":null}"#)), Value::Null);
    assert_eq!(revoked(&put(json!({}))), Value::Null);
}

#[test]
fn preconditions_hold_or_nothing_is_changed() {
    let service = Service::new();
    let body = "{}";
    let with = |name, value: &str| service.with("PUT", "/tenants/acme", body, &[(name, value)]);
    assert_eq!(with("if-match", "*").problem().0, 412);
    let created = with("if-none-match", "*");
    assert_eq!(created.status, 201);
    let refused = with("if-none-match", "*");
    assert_eq!(
        (refused.status, refused.header("etag")),
        (412, created.header("etag"))
    );
    assert_eq!(with("if-match", "\"0\"").status, 412);
    assert_eq!(with("if-match", created.header("etag")).status, 200);
    let stale = service.with(
        "PATCH",
        "/tenants/acme",
        r#"{"title":"x"}"#,
        &[("if-match", "\"0\"")],
    );
    assert_eq!(stale.status, 412);
    assert_eq!(service.call("GET", "/tenants/acme", "").json()["title"], "");
}

#[test]
fn records_are_listed_in_pages() {
    let service = Service::new();
    for id in ["b", "c", "a"] {
        put(&service, id, &json!({"title": id}));
    }
    let first = service.call("GET", "/tenants?limit=2", "").json();
    let ids = |page: &Value| -> Vec<String> {
        let tenants = page["tenants"].as_array().unwrap().iter();
        tenants
            .map(|tenant| tenant["id"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(ids(&first), ["a", "b"]);
    let next = first["next"].as_str().unwrap();
    let second = service
        .call("GET", &format!("/tenants?limit=2&cursor={next}"), "")
        .json();
    assert_eq!(
        (ids(&second), &second["next"]),
        (vec!["c".to_owned()], &Value::Null)
    );
    let bad = service.call("GET", "/tenants?cursor=!", "");
    assert_eq!(bad.problem(), (400, "invalid-cursor".into(), "cursor".into()));
}

#[test]
fn a_tenant_without_a_record_works_with_the_defaults() {
    let service = Service::new();
    for method in ["GET", "PATCH"] {
        let body = if method == "PATCH" { "{}" } else { "" };
        let answer = service.call(method, "/tenants/acme", body);
        assert_eq!(answer.problem(), (404, "tenant-not-found".into(), String::new()));
    }
    assert_eq!(
        as_operator(&service, "PUT", "/leaderboards/goals", "{}").status,
        201
    );
    let own = as_operator(&service, "GET", "/tenant", "").json();
    assert_eq!((&own["id"], &own["state"]), (&json!("acme"), &json!("active")));
    let held = &own["holdings"];
    assert_eq!((&held["leaderboards"], &held["entries"]), (&json!(1), &json!(0)));
    assert!(held["log_bytes"].as_u64().unwrap() > 0);
}

#[test]
fn records_are_the_operators_alone() {
    let service = Service::new();
    put(&service, "acme", &json!({}));
    for (method, path) in [
        ("GET", "/tenants"),
        ("GET", "/tenants/acme"),
        ("PUT", "/tenants/acme"),
        ("PATCH", "/tenants/acme"),
        ("GET", "/tenants/acme/usage"),
        ("GET", "/tenant"),
        ("GET", "/dead-letters"),
    ] {
        let answer = service.raw(method, path, "", ACME);
        assert_eq!(answer.problem().0, 401, "{method} {path}");
    }
}

#[test]
fn bad_records_are_refused_with_their_place() {
    let service = Service::new();
    let refused = put(&service, "acme", &json!({"quotas": {"entries": "many"}}));
    assert_eq!(
        refused.problem(),
        (422, "validation".into(), "#/quotas/entries".into())
    );
    assert_eq!(put(&service, "Acme", &json!({})).problem().0, 400);
    assert_eq!(service.call("GET", "/tenants", "").json()["tenants"], json!([]));
}

#[test]
fn a_suspended_tenant_is_closed_to_all_but_the_operator() {
    let service = Service::new();
    let public = r#"{"access":{"read":"public"}}"#;
    assert_eq!(
        as_operator(&service, "PUT", "/leaderboards/goals", public).status,
        201
    );
    assert_eq!(anonymous(&service, "/leaderboards/goals/entries").status, 200);
    put(&service, "acme", &json!({"state": "suspended"}));
    let refused = anonymous(&service, "/leaderboards/goals/entries");
    assert_eq!(refused.problem(), (403, "tenant-suspended".into(), String::new()));
    assert_eq!(
        as_operator(&service, "GET", "/leaderboards/goals/entries", "").status,
        200
    );

    let message =
        r#"{"tenant":"acme","scores":[{"leaderboards":["goals"],"player":"p","score":1,"id":"1"}]}"#;
    let buried = MessageReport {
        buried: 1,
        ..MessageReport::default()
    };
    assert_eq!(service.message(message), buried);
    let letter = &service.call("GET", "/dead-letters", "").json()["letters"][0];
    assert_eq!(letter["payload"], message);
    assert_eq!(letter["reason"], "The tenant is suspended");

    service.call("PATCH", "/tenants/acme", r#"{"state":"active"}"#);
    assert_eq!(anonymous(&service, "/leaderboards/goals/entries").status, 200);
    assert_eq!(service.message(message).applied, 1);
}

#[test]
fn quotas_hold_for_leaderboards_and_for_entries_however_they_come() {
    let service = Service::new();
    put(
        &service,
        "acme",
        &json!({"quotas": {"leaderboards": 1, "entries": 2}}),
    );
    assert_eq!(
        as_operator(&service, "PUT", "/leaderboards/one", "{}").status,
        201
    );
    assert_eq!(
        as_operator(&service, "PUT", "/leaderboards/one", "{}").status,
        200
    );
    let full = as_operator(&service, "PUT", "/leaderboards/two", "{}");
    assert_eq!(full.problem(), (409, "quota-reached".into(), String::new()));

    let score = |player: &str| {
        let body = json!({"player": player, "score": 1}).to_string();
        as_operator(&service, "POST", "/leaderboards/one/scores", &body)
    };
    let message = |player: &str| {
        let score = json!({"leaderboards": ["one"], "player": player, "score": 1, "id": player});
        service.message(&json!({"tenant": "acme", "scores": [score]}).to_string())
    };
    assert_eq!(score("a").status, 200);
    assert_eq!(message("b").applied, 1);
    assert_eq!(score("c").problem(), (409, "quota-reached".into(), String::new()));
    assert_eq!(message("d").buried, 1);
    assert_eq!(score("a").status, 200);
    // Another tenant has quotas of its own.
    assert_eq!(service.call("PUT", "/leaderboards/two", "{}").status, 201);
}

#[test]
fn logs_and_ids_have_a_quota_of_bytes() {
    let service = Service::new();
    // Two records of 242 bytes fit, and no third one.
    let record = json!({"quotas": {"log_bytes": 600}});
    assert_eq!(put(&service, "acme", &record).json()["quotas"]["log_bytes"], 600);
    let policy = r#"{"log":{"keep_events":3,"keep_days":7}}"#;
    let board = as_operator(&service, "PUT", "/leaderboards/one", policy).json();
    assert_eq!(board["log"], json!({"keep_events": 3, "keep_days": 7}));
    let score = |body: serde_json::Value| {
        as_operator(&service, "POST", "/leaderboards/one/scores", &body.to_string())
    };
    for id in ["a", "b"] {
        assert_eq!(score(json!({"player": "p", "score": 1, "id": id})).status, 200);
    }
    let full = score(json!({"player": "p", "score": 1, "id": "c"}));
    assert_eq!(full.problem(), (409, "quota-reached".into(), String::new()));
    assert!(
        full.json()["detail"].as_str().unwrap().contains("log_bytes"),
        "{}",
        full.text
    );
    // A known id is answered, and a score without one is taken.
    assert_eq!(
        score(json!({"player": "p", "score": 1, "id": "a"})).json()["replayed"],
        true
    );
    assert_eq!(
        score(json!({"player": "p", "score": 2})).json()["status"],
        "improved"
    );
    let held = as_operator(&service, "GET", "/tenant", "").json()["holdings"]["log_bytes"].clone();
    assert!(held.as_u64().is_some_and(|bytes| bytes > 2 * 242), "{held}");
    // More room is room at once.
    service.call("PATCH", "/tenants/acme", r#"{"quotas":{"log_bytes":null}}"#);
    assert_eq!(score(json!({"player": "p", "score": 1, "id": "c"})).status, 200);
}

#[test]
fn usage_is_counted_for_the_tenant_and_the_day() {
    let service = Service::new();
    as_operator(&service, "PUT", "/leaderboards/goals", "{}");
    let scores = r#"{"scores":[{"player":"a","score":1},{"player":"b","score":2}]}"#;
    as_operator(&service, "POST", "/leaderboards/goals/scores", scores);
    service.message(
        r#"{"tenant":"acme","scores":[{"leaderboards":["goals"],"player":"c","score":1,"id":"1"}]}"#,
    );
    let own = as_operator(&service, "GET", "/tenant/usage", "");
    let days = &own.json()["days"];
    assert_eq!(
        (days.as_array().unwrap().len(), &days[0]["scores"]),
        (1, &json!(3))
    );
    let held = &own.json()["holdings"];
    assert_eq!((&held["leaderboards"], &held["entries"]), (&json!(1), &json!(3)));
    let seen = service.call("GET", "/tenants/acme/usage?days=7", "");
    assert_eq!(seen.json(), own.json());
    let bad = service.call("GET", "/tenants/acme/usage?days=0", "");
    assert_eq!(bad.problem(), (400, "invalid-parameter".into(), "days".into()));
    let other = service.call("GET", "/tenants/other/usage", "").json();
    assert_eq!(
        (&other["days"], &other["holdings"]["entries"]),
        (&json!([]), &json!(0))
    );
}
