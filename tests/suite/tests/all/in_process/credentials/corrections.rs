//! Corrections: entries that a server sets whatever the leaderboard's operator is, and what the audit log has of them.

use serde_json::{Value, json};

use crate::in_process::environment::{Instance, Region, claims, issuer_with_key, sign, signing_key};

const SCORES: &str = "/leaderboards/b/scores";

/// The types of the newest events of acme's log, newest first.
fn newest(instance: &Instance, count: usize) -> Vec<Value> {
    let events = instance.list_audit_events("/audit").into_iter().take(count);
    events.map(|event| event["type"].clone()).collect()
}

#[test]
fn a_correction_is_refused_that_cannot_be_recorded_and_so_are_many_in_one_request() {
    let region = Region::of_acme();
    let instance = region.instance();
    instance.create_leaderboard();
    let path = "/leaderboards/b/scores";
    let set = |player: usize| json!({"player": player.to_string(), "score": 1, "operator": "set"});
    region.store.log_is_closed.set(true);
    instance.call("POST", path, set(0)).expect_status(503);
    region.store.log_is_closed.set(false);
    let many: Vec<Value> = (0..17).map(set).collect();
    let refused = instance.call("POST", path, json!({ "scores": many }));
    refused.expect_problem(422, "validation", "#/scores/16/operator");
    let entries = instance.call("GET", "/leaderboards/b/entries", &Value::Null);
    assert_eq!(entries.json()["count"], 0);
    let taken = instance.call("POST", path, json!({ "scores": many[..16] }));
    taken.expect_status(207);
    let log = instance.call("GET", "/audit", &Value::Null).json();
    let corrections = log["records"].as_array().unwrap().iter();
    let corrections = corrections.filter(|record| record["event"]["type"] == "correction");
    assert_eq!(corrections.count(), 16);
    // Where servers may set, `set` is no correction.
    let open = json!({"operator_override": true});
    instance.call("PUT", "/leaderboards/b", &open).expect_status(200);
    let sets = instance.call("POST", path, json!({ "scores": many }));
    sets.expect_status(207);
}

#[test]
fn a_servers_token_of_an_issuer_corrects_and_is_named() {
    let region = Region::of_acme();
    let instance = region.instance();
    instance.create_leaderboard();
    let granted = json!({"claims": {"player": ""}, "granted_scopes": ["scores:read", "scores:write"]});
    let made = instance.call("PUT", "/issuers/main", issuer_with_key(&granted));
    made.expect_status(201);
    let mut server = claims(json!({}));
    server["sub"] = json!("backend");
    server["scope"] = json!("scores:write");
    let token = sign("k", &signing_key(1), &server);
    let set = r#"{"player":"p","score":7,"operator":"set"}"#;
    let done = instance.with_token(&token, "POST", SCORES, set);
    done.expect_status(200);
    let events = instance.list_audit_events("/audit");
    assert_eq!(
        (&events[0]["type"], &events[1]["type"]),
        (&json!("corrected"), &json!("correction"))
    );
    assert_eq!(events[1]["who"]["subject"], "backend");
}

#[test]
fn a_correction_is_recorded_where_a_cached_configuration_still_lets_servers_set() {
    let region = Region::of_acme();
    let (here, other) = (region.instance(), region.instance());
    let open = json!({"operator_override": true});
    here.call("PUT", "/leaderboards/b", &open).expect_status(201);
    let (_, key) = here.make_key(&json!({"name": "server", "scopes": ["scores:write"]}));
    let set = r#"{"player":"p","score":7,"operator":"set"}"#;
    here.with_key(&key, "POST", SCORES, set).expect_status(200);
    assert_eq!(newest(&here, 1), ["act"]);
    other.call("PUT", "/leaderboards/b", json!({})).expect_status(200);
    let corrected = here.with_key(
        &key,
        "POST",
        SCORES,
        r#"{"player":"p","score":6,"operator":"set"}"#,
    );
    corrected.expect_status(200);
    assert_eq!(newest(&here, 3), ["corrected", "correction", "act"]);
}

#[test]
fn a_correction_that_is_refused_for_its_limits_writes_nothing_into_the_log() {
    let region = Region::of_acme();
    let instance = region.instance();
    instance.create_leaderboard();
    let limits = json!({"policies": {"key": {"quota": 1, "window_s": 3600, "burst": 2}}});
    instance.call("PUT", "/limits", &limits).expect_status(201);
    let (_, key) = instance.make_key(&json!({"name": "server", "scopes": ["scores:write"]}));
    region.store.audited.take();
    // New instances, which ask the store what is left.
    let statuses: Vec<u16> = (0..6)
        .map(|_| region.instance())
        .map(|instance| {
            instance.with_key(
                &key,
                "POST",
                SCORES,
                r#"{"player":"p","score":7,"operator":"set"}"#,
            )
        })
        .map(|answer| answer.status)
        .collect();
    let done = statuses.iter().filter(|status| **status == 200).count();
    assert!((1..=2).contains(&done), "{statuses:?}");
    assert!(
        statuses.iter().all(|status| matches!(status, 200 | 429)),
        "{statuses:?}"
    );
    let (records, _) = region.store.audited.take();
    assert_eq!(
        usize::try_from(records).unwrap(),
        2 * done,
        "two for each that was made"
    );
    // Each was charged once.
    assert_eq!(instance.list_audit_events("/audit")[0]["type"], "corrected");
}
