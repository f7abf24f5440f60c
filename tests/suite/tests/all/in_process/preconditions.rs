//! Preconditions that hold at the check and no longer at the write, because another client was faster.

use leaderboard_core::ports::DocumentKind;
use leaderboard_test_support::ADMIN_KEY;
use serde_json::{Value, json};

use crate::in_process::environment::{Answer, Instance, Region, issuer_document};

/// Holds an answer to what a failed precondition tells: its header, and the entity tag of what is there.
fn assert_overtaken(answer: &Answer, header: &str, tag: &str) {
    answer.expect_problem(412, "precondition-failed", header);
    assert!(
        !tag.is_empty() && answer.header("etag") == tag,
        "{tag}: {answer:?}"
    );
    let body = answer.json();
    let told = body["errors"][0]["detail"].as_str().unwrap();
    assert!(told.contains(tag), "{answer:?}");
}

fn tag_of(service: &Instance, path: &str) -> String {
    service.call("GET", path, "").header("etag").to_owned()
}

#[test]
fn a_change_that_is_overtaken_tells_the_tag_of_what_is_there() {
    let service = Instance::new();
    let limits = r#"{"policies": {"key": {"quota": 10, "window_s": 60, "burst": 1}}}"#;
    for (path, body, kind) in [
        ("/leaderboards/goals", "{}", None),
        ("/tenants/acme", "{}", Some(DocumentKind::Tenant)),
        ("/operator/limits", limits, Some(DocumentKind::Limits)),
    ] {
        let overtake = || {
            service.store.board_is_overtaken.set(kind.is_none());
            service.store.overtaken.set(kind);
        };
        overtake();
        let created = service.call_with("PUT", path, body, &[("if-none-match", "*")]);
        assert_overtaken(&created, "If-None-Match", &tag_of(&service, path));
        for any in [false, true] {
            let before = tag_of(&service, path);
            let held = if any { "*" } else { before.as_str() };
            overtake();
            let replaced = service.call_with("PUT", path, body, &[("if-match", held)]);
            assert_overtaken(&replaced, "If-Match", &tag_of(&service, path));
            assert_ne!(before, tag_of(&service, path));
        }
    }
    let tag = tag_of(&service, "/operator/limits");
    service.store.overtaken.set(Some(DocumentKind::Limits));
    let deleted = service.call_with("DELETE", "/operator/limits", "", &[("if-match", &tag)]);
    assert_overtaken(&deleted, "If-Match", &tag_of(&service, "/operator/limits"));
}

#[test]
fn a_change_of_an_issuer_or_a_key_that_is_overtaken_does_too() {
    let region = Region::of_acme();
    let instance = region.instance();
    let with = |instance: &Instance, method: &str, path: &str, body: &str, header: (&str, &str)| {
        let headers = [("x-api-key", ADMIN_KEY), ("x-tenant-id", "acme"), header];
        instance.send(method, path, body, &headers)
    };
    let tag = |path: &str| {
        let there = instance.call("GET", path, &Value::Null);
        there.header("etag").to_owned()
    };
    let (path, document) = ("/issuers/main", issuer_document().to_string());
    region.store.overtaken.set(Some(DocumentKind::Issuer));
    let created = with(&instance, "PUT", path, &document, ("if-none-match", "*"));
    assert_overtaken(&created, "If-None-Match", &tag(path));
    for (method, body) in [("PUT", document.as_str()), ("DELETE", "")] {
        let before = tag(path);
        region.store.overtaken.set(Some(DocumentKind::Issuer));
        let overtaken = with(&instance, method, path, body, ("if-match", &before));
        assert_overtaken(&overtaken, "If-Match", &tag(path));
    }
    let (id, _) = instance.make_key(&json!({"name": "n", "scopes": ["admin"]}));
    let path = format!("/keys/{id}");
    // A revocation first; the next deletes the record.
    for _ in 0..2 {
        let before = tag(&path);
        region.store.overtaken.set(Some(DocumentKind::Key));
        let overtaken = with(&instance, "DELETE", &path, "", ("if-match", &before));
        assert_overtaken(&overtaken, "If-Match", &tag(&path));
        instance.call("DELETE", &path, &Value::Null).expect_status(204);
    }
}

#[test]
fn a_summary_names_the_header_that_does_not_hold_and_its_tag() {
    let service = Instance::new();
    service.call("PUT", "/leaderboards/goals", "{}");
    let path = "/leaderboards/goals/summary?player=p";
    let tag = tag_of(&service, path);
    let failed = service.call_with("GET", path, "", &[("if-match", "\"0\"")]);
    assert_overtaken(&failed, "If-Match", &tag);
}
