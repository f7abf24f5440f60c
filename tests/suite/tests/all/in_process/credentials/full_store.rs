//! A store that is out of memory: it refuses every charge, every audit record and every score. Removals are done.

use futures::executor::block_on;
use leaderboard_core::ports::{DeadLetter, DeadLetters};
use leaderboard_core::{TenantId, Timestamp};
use serde_json::{Value, json};

use crate::in_process::environment::{BEGIN_S, Instance, Region, issuer_document};

/// A leaderboard of acme with a score, and a key that may do everything.
fn full_setup() -> (Region, Instance, String) {
    let region = Region::of_acme();
    let instance = region.instance();
    let (_, key) =
        instance.make_key(&json!({"name": "k", "scopes": ["admin", "scores:write", "scores:read"]}));
    for id in ["b", "c"] {
        let path = format!("/leaderboards/{id}");
        instance.with_key(&key, "PUT", &path, "{}").expect_status(201);
        let score = r#"{"player":"p","score":1}"#;
        instance
            .with_key(&key, "POST", &format!("{path}/scores"), score)
            .expect_status(200);
    }
    (region, instance, key)
}

/// How many acts the audit log has, and how many it refused.
fn acts(instance: &Instance) -> (usize, u64) {
    let log = instance.call("GET", "/audit?limit=1000", &Value::Null).json();
    let records = log["records"].as_array().unwrap().iter();
    let acts = records.filter(|record| record["event"]["type"] == "act").count();
    let slots = instance.counted();
    (
        acts,
        slots.get("edgeboard_acts_unrecorded_total").copied().unwrap_or(0),
    )
}

#[test]
fn removals_are_done_and_additions_are_refused() {
    let (region, instance, key) = full_setup();
    let before = acts(&instance);
    region.store.is_full.set(true);
    for (method, path, body) in [
        ("PUT", "/leaderboards/d", "{}"),
        ("PATCH", "/leaderboards/b", r#"{"title":"B"}"#),
        ("POST", "/leaderboards/b/scores", r#"{"player":"q","score":1}"#),
    ] {
        let refused = instance.with_key(&key, method, path, body);
        refused.expect_problem(503, "unavailable", "");
    }
    for (method, path) in [
        ("PUT", "/players/q/ban"),
        ("DELETE", "/players/q/ban"),
        ("DELETE", "/leaderboards/b/scores/p"),
        ("DELETE", "/leaderboards/c"),
    ] {
        let done = instance.with_key(&key, method, path, "");
        done.expect_status(204);
        assert!(done.headers.contains_key("ratelimit"), "{done:?}");
        // The log line says what the audit log does not have.
        assert_eq!(done.log.level, leaderboard_telemetry::Level::Error);
        assert!(done.log.cause.unwrap().contains("not recorded"));
    }
    region.store.is_full.set(false);
    instance
        .with_key(&key, "GET", "/leaderboards/c", "")
        .expect_status(404);
    let gone = instance.with_key(&key, "GET", "/leaderboards/b/entries/p", "");
    assert_eq!(gone.problem().1, "entry-not-found");
    assert_eq!(acts(&instance), (before.0, before.1 + 4));
}

#[test]
fn an_act_is_recorded_afterwards_when_it_made_room() {
    let (region, instance, key) = full_setup();
    let before = acts(&instance);
    region.store.is_full.set(true);
    region.store.has_room_after_deleting.set(true);
    let done = instance.with_key(&key, "DELETE", "/leaderboards/c", "");
    assert_eq!((done.status, done.log.cause), (204, None));
    assert_eq!(acts(&instance), (before.0 + 1, before.1));
    // One that was refused, and never recorded, is counted with the refusals.
    region.store.is_full.set(true);
    let refused = instance.with_key(&key, "DELETE", "/leaderboards/none", "");
    refused.expect_status(404);
    assert_eq!(acts(&instance), (before.0 + 1, before.1));
    let refusals = instance.counted()["edgeboard_refusals_unrecorded_total"];
    assert_eq!(refusals, 1);
}

#[test]
fn documents_and_dead_letters_are_deleted() {
    let (region, instance, key) = full_setup();
    let acme = TenantId::new("acme").unwrap();
    let letter = DeadLetter {
        at: Timestamp::from_unix_ms(BEGIN_S * 1000).unwrap(),
        reason: "nobody can read it".into(),
        payload: b"{".to_vec(),
    };
    block_on(region.store.push_dead_letters(Some(&acme), &[letter])).unwrap();
    let letters = instance.with_key(&key, "GET", "/dead-letters", "").json();
    let letter = format!("/dead-letters/{}", letters["letters"][0]["id"].as_str().unwrap());
    // Both are on one list, which is shortened first.
    let mut shared = issuer_document();
    shared["claims"] = json!({"tenant": "org"});
    for (path, document) in [
        ("/issuers/main", issuer_document()),
        ("/operator/issuers/shared", shared),
        ("/flags", json!({"flags": {}})),
        ("/operator/flags", json!({"flags": {}})),
        ("/limits", json!({})),
        ("/operator/limits", json!({})),
    ] {
        let made = instance.call("PUT", path, &document);
        made.expect_status(201);
    }
    let before = acts(&instance);
    region.store.is_full.set(true);
    let paths = ["/issuers/main", "/flags", "/limits", letter.as_str()];
    for path in paths {
        let done = instance.with_key(&key, "DELETE", path, "");
        done.expect_status(204);
        assert!(done.log.cause.unwrap().contains("not recorded"));
    }
    let operators = ["/operator/issuers/shared", "/operator/flags", "/operator/limits"];
    for path in operators {
        let done = instance.call("DELETE", path, &Value::Null);
        done.expect_status(204);
    }
    region.store.is_full.set(false);
    for path in paths.iter().filter(|path| **path != letter).chain(&operators) {
        let gone = instance.call("GET", path, &Value::Null);
        gone.expect_status(404);
    }
    let letters = instance.with_key(&key, "GET", "/dead-letters", "").json();
    assert_eq!(letters["letters"], json!([]));
    assert_eq!(acts(&instance), (before.0, before.1 + 7));
}

#[test]
fn a_key_is_revoked_and_no_record_of_it_is_left() {
    let (region, instance, key) = full_setup();
    let admin = || instance.make_key(&json!({"name": "leaked", "scopes": ["scores:read"]}));
    let ((kept, _), (id, leaked)) = (admin(), admin());
    let path = format!("/keys/{id}");
    let reads = || {
        instance
            .with_key(&leaked, "GET", "/leaderboards/b/entries", "")
            .status
    };
    assert_eq!(reads(), 200);
    region.store.is_full.set(true);
    let stale = [("x-api-key", key.as_str()), ("if-match", "\"1\"")];
    instance.send("DELETE", &path, "", &stale).expect_status(412);
    let rotated = instance.with_key(&key, "POST", &format!("{path}/rotate"), "");
    rotated.expect_status(503);
    assert_eq!(reads(), 200);
    let done = instance.with_key(&key, "DELETE", &path, "");
    done.expect_status(204);
    assert_eq!(reads(), 401);
    let gone = instance.with_key(&key, "GET", &path, "");
    assert_eq!(gone.problem().1, "key-not-found");
    // With room, the record stays, and says when.
    region.store.is_full.set(false);
    let path = format!("/keys/{kept}");
    instance.with_key(&key, "DELETE", &path, "").expect_status(204);
    let record = instance.with_key(&key, "GET", &path, "").json();
    assert!(record["revoked_at"].is_string(), "{record}");
    // To remove it needs no room.
    region.store.is_full.set(true);
    instance.with_key(&key, "DELETE", &path, "").expect_status(204);
    instance.with_key(&key, "GET", &path, "").expect_status(404);
}
