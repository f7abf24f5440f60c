//! Tests of preconditions that hold at the check but not at the write, because another client writes in
//! between.

use leaderboard_core::ports::DocumentKind;
use serde_json::{Value, json};

use crate::in_process::environment::{Answer, Instance, Region, issuer_document};

/// Checks that a response reports a failed precondition, with its header and the current entity tag.
fn assert_precondition_failed(answer: &Answer, header: &str, tag: &str) {
    answer.expect_problem(412, "precondition-failed", header);
    assert!(
        !tag.is_empty() && answer.header("etag") == tag,
        "{tag}: {answer:?}"
    );
    let body = answer.json();
    let detail = body["errors"][0]["detail"].as_str().unwrap();
    assert!(detail.contains(tag), "{answer:?}");
}

/// Returns the current entity tag of a resource.
fn get_tag(service: &Instance, path: &str) -> String {
    service.call("GET", path, "").header("etag").to_owned()
}

#[test]
fn an_overtaken_change_reports_the_current_entity_tag() {
    let service = Instance::new();
    let limits = r#"{"policies": {"key": {"quota": 10, "window_s": 60, "burst": 1}}}"#;
    for (path, body, kind) in [
        ("/leaderboards/goals", "{}", None),
        ("/tenants/acme", "{}", Some(DocumentKind::Tenant)),
        ("/operator/limits", limits, Some(DocumentKind::Limits)),
    ] {
        let overtake = || {
            service.store.leaderboard_is_overtaken.set(kind.is_none());
            service.store.overtaken_kind.set(kind);
        };
        overtake();
        let created = service.call_with("PUT", path, body, &[("if-none-match", "*")]);
        assert_precondition_failed(&created, "If-None-Match", &get_tag(&service, path));
        for is_wildcard in [false, true] {
            let before = get_tag(&service, path);
            let condition = if is_wildcard { "*" } else { before.as_str() };
            overtake();
            let replaced = service.call_with("PUT", path, body, &[("if-match", condition)]);
            assert_precondition_failed(&replaced, "If-Match", &get_tag(&service, path));
            assert_ne!(before, get_tag(&service, path));
        }
    }
    let tag = get_tag(&service, "/operator/limits");
    service.store.overtaken_kind.set(Some(DocumentKind::Limits));
    let deleted = service.call_with("DELETE", "/operator/limits", "", &[("if-match", &tag)]);
    assert_precondition_failed(&deleted, "If-Match", &get_tag(&service, "/operator/limits"));
}

#[test]
fn an_overtaken_change_of_an_issuer_or_key_reports_the_current_tag() {
    let region = Region::of_acme();
    let instance = region.instance();
    let tag = |path: &str| {
        let found = instance.call("GET", path, &Value::Null);
        found.header("etag").to_owned()
    };
    let (path, document) = ("/issuers/main", issuer_document().to_string());
    region.store.overtaken_kind.set(Some(DocumentKind::Issuer));
    let created = instance.call_with("PUT", path, &document, &[("if-none-match", "*")]);
    assert_precondition_failed(&created, "If-None-Match", &tag(path));
    for (method, body) in [("PUT", document.as_str()), ("DELETE", "")] {
        let before = tag(path);
        region.store.overtaken_kind.set(Some(DocumentKind::Issuer));
        let overtaken = instance.call_with(method, path, body, &[("if-match", &before)]);
        assert_precondition_failed(&overtaken, "If-Match", &tag(path));
    }
    let (id, _) = instance.make_key(&json!({"name": "n", "scopes": ["admin"]}));
    let path = format!("/keys/{id}");
    // The first deletion revokes the key, and the second deletes its record.
    for _ in 0..2 {
        let before = tag(&path);
        region.store.overtaken_kind.set(Some(DocumentKind::Key));
        let overtaken = instance.call_with("DELETE", &path, "", &[("if-match", &before)]);
        assert_precondition_failed(&overtaken, "If-Match", &tag(&path));
        instance.call("DELETE", &path, &Value::Null).expect_status(204);
    }
}

#[test]
fn a_summary_reports_the_failed_precondition_and_its_entity_tag() {
    let service = Instance::new();
    service.call("PUT", "/leaderboards/goals", "{}");
    let path = "/leaderboards/goals/summary?player=p";
    let tag = get_tag(&service, path);
    let failed = service.call_with("GET", path, "", &[("if-match", "\"0\"")]);
    assert_precondition_failed(&failed, "If-Match", &tag);
}
