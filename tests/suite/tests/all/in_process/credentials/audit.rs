//! Audit events of credentials.

use leaderboard_test_support::ADMIN_KEY;
use serde_json::{Value, json};

use crate::in_process::environment::{BEGIN_S, Instance, Region, claims, issuer_with_key, sign, signing_key};

#[test]
fn a_keys_acts_and_its_refusals_are_in_its_tenants_log_under_its_id() {
    let region = Region::of_acme();
    let instance = region.instance();
    let (id, key) = instance.make_key(&json!({"name": "k", "scopes": ["admin"]}));
    instance
        .with_key(&key, "PUT", "/leaderboards/b", "{}")
        .expect_status(201);
    let revoked = instance.call("DELETE", &format!("/keys/{id}"), &Value::Null);
    revoked.expect_status(204);
    let other = region.instance();
    other
        .with_key(&key, "PUT", "/leaderboards/c", "{}")
        .expect_status(401);
    let log = instance.call("GET", "/audit", &Value::Null).json();
    let told: Vec<String> = log["records"]
        .as_array()
        .unwrap()
        .iter()
        .map(|record| {
            let event = &record["event"];
            format!("{} {} {}", event["type"], event["who"], event["route"]).replace('"', "")
        })
        .collect();
    assert_eq!(
        told,
        [
            format!("refused {{credential:key,id:{id}}} null"),
            "act {credential:operator} /keys/:key".to_owned(),
            format!("act {{credential:key,id:{id}}} /leaderboards/:leaderboard"),
            "act {credential:operator} /keys".to_owned(),
        ]
    );
    assert!(!log.to_string().contains(&key));
}

#[test]
fn what_players_may_not_do_writes_little_into_the_log_and_pushes_no_act_out_of_it() {
    let region = Region::of_acme();
    let instance = region.instance();
    instance.create_leaderboard();
    let scopes = json!(["scores:read", "scores:write"]);
    let (_, key) = instance.make_key(&json!({"name": "server", "scopes": scopes}));
    let token = |n: usize| {
        let body = json!({"player": format!("player{n}"), "lifetime_s": 600}).to_string();
        let issued = instance.with_key(&key, "POST", "/tokens", &body);
        issued.json()["token"].as_str().unwrap().to_owned()
    };
    let tokens: Vec<String> = (0..50).map(token).collect();
    region.store.audited.take();
    let path = format!("/leaderboards/b/scores/p?period={}", "x".repeat(4096));
    for _ in 0..20 {
        for token in &tokens {
            instance.with_token(token, "DELETE", &path, "").expect_status(403);
        }
    }
    let (records, bytes) = region.store.audited.take();
    // As many as the log takes at once of what was refused, each without what the client chose freely.
    assert!(
        records <= 100 && bytes <= 100 * 512,
        "{records} records, {bytes} bytes"
    );
    let log = instance.list_audit_events("/audit?limit=1000");
    let acts = log.iter().filter(|event| event["type"] == "act").count();
    assert_eq!((acts, log.len() - acts), (2, 101), "and one issued token");
}

#[test]
fn refused_acts_of_a_server_are_recorded_as_far_as_refusals_are_and_in_short() {
    let region = Region::of_acme();
    let instance = region.instance();
    instance.create_leaderboard();
    let (_, key) = instance.make_key(&json!({"name": "server", "scopes": ["scores:write"]}));
    region.store.audited.take();
    let path = format!("/leaderboards/b/scores/p?period={}", "x".repeat(4096));
    for _ in 0..300 {
        instance.with_key(&key, "DELETE", &path, "").expect_status(400);
    }
    let (records, bytes) = region.store.audited.take();
    assert_eq!(
        records,
        2 * 100,
        "act and outcome of as many as the log takes of what was refused"
    );
    assert!(bytes < 200 * 700, "{bytes}");
}

#[test]
fn refused_tokens_are_in_the_log_of_the_tenant_that_trusts_their_issuer() {
    let region = Region::of_acme();
    let instance = region.instance();
    let document = issuer_with_key(&json!({}));
    instance
        .call("PUT", "/issuers/main", &document)
        .expect_status(201);
    let mut expired = claims(json!({}));
    expired["exp"] = json!(BEGIN_S - 3600);
    let mut foreign = claims(json!({}));
    foreign["aud"] = json!("others");
    let refuse = |token: &str| instance.with_token(token, "GET", "/keys", "").expect_status(401);
    // The claims are the issuer's own.
    refuse(&sign("k", &signing_key(1), &expired));
    let newest = |path: &str| {
        instance
            .list_audit_events(path)
            .first()
            .cloned()
            .unwrap_or_default()
    };
    assert_eq!(
        newest("/audit")["who"],
        json!({"credential": "token", "issuer": "main", "subject": "p"})
    );
    // Who has signed this is anybody's guess.
    refuse(&sign("k", &signing_key(2), &claims(json!({}))));
    assert_eq!(newest("/audit")["who"], json!({"credential": "unknown_token"}));
    assert_eq!(
        newest("/audit")["reason"],
        "The credential was refused: the token's signature is not valid."
    );
    assert!(instance.list_audit_events("/operator/audit").is_empty());
    // No tenant trusts this one, and this one could be of either.
    refuse(&sign("k", &signing_key(1), &foreign));
    assert_eq!(instance.list_audit_events("/operator/audit").len(), 1);
    assert_eq!(
        instance.for_tenant("other", "PUT", "/issuers/main", &document),
        201
    );
    refuse(&sign("k", &signing_key(2), &claims(json!({}))));
    assert_eq!(instance.list_audit_events("/operator/audit").len(), 2);
}

#[test]
fn a_good_key_from_a_denied_address_is_in_its_tenants_log() {
    let region = Region::of_acme();
    let instance = region.instance();
    let (id, key) = instance.make_key(&json!({"name": "k", "scopes": ["admin"]}));
    let denying = r#"{"addresses":{"deny":["192.0.2.0/24"]}}"#;
    instance
        .with_key(&key, "PUT", "/limits", denying)
        .expect_status(201);
    let headers = [("x-api-key", key.as_str()), ("spin-client-addr", "192.0.2.7:1")];
    let refused = region.instance().send("GET", "/keys", "", &headers);
    assert_eq!(refused.problem().1, "address-denied");
    let event = instance.list_audit_events("/audit").remove(0);
    assert_eq!(
        (&event["type"], &event["who"], &event["from"]),
        (
            &json!("refused"),
            &json!({"credential": "key", "id": id}),
            &json!("192.0.2.7")
        )
    );
}

#[test]
fn a_flood_against_the_operators_log_leaves_room_in_that_of_the_default_tenant() {
    let region = Region::of_acme();
    let instance = region.instance();
    let of_default = [("x-api-key", ADMIN_KEY)];
    let made = instance
        .send("POST", "/keys", r#"{"name":"k","scopes":["admin"]}"#, &of_default)
        .json();
    let (id, key) = (made["id"].as_str().unwrap(), made["key"].as_str().unwrap());
    instance
        .send("DELETE", &format!("/keys/{id}"), "", &of_default)
        .expect_status(204);
    for n in 0..150 {
        let from = format!("192.0.2.{n}:1");
        let headers = [("x-api-key", "guess"), ("spin-client-addr", from.as_str())];
        instance.send("GET", "/keys", "", &headers).expect_status(401);
    }
    instance.with_key(key, "GET", "/keys", "").expect_status(401);
    let log = instance.send("GET", "/audit", "", &of_default).json();
    assert_eq!(
        log["records"][0]["event"]["who"],
        json!({"credential": "key", "id": id})
    );
}

#[test]
fn the_first_token_of_a_key_and_minute_is_recorded() {
    let region = Region::of_acme();
    let instance = region.instance();
    let (id, key) = instance.make_key(&json!({"name": "k", "scopes": ["scores:read", "scores:write"]}));
    let issue = |instance: &Instance, player: &str| {
        let body = json!({ "player": player }).to_string();
        let headers = [("x-api-key", key.as_str()), ("spin-client-addr", "192.0.2.7:1")];
        instance
            .send("POST", "/tokens", &body, &headers)
            .expect_status(201);
    };
    let issued = || {
        let mut events = instance.list_audit_events("/audit");
        events.retain(|event| event["type"] == "issued");
        events
    };
    issue(&instance, "ann");
    issue(&instance, "bob");
    issue(&region.instance(), "cy");
    let found = issued();
    assert_eq!(found.len(), 1);
    assert_eq!(
        (&found[0]["who"], &found[0]["player"], &found[0]["from"]),
        (
            &json!({"credential": "key", "id": id}),
            &json!("ann"),
            &json!("192.0.2.7")
        )
    );
    region.pass_ms(60_000);
    region.store.set_clock(60_000_000);
    issue(&instance, "dee");
    assert_eq!(issued()[0]["player"], "dee");
    // Tokens are issued without the store.
    region.pass_ms(60_000);
    region.store.set_clock(120_000_000);
    region.store.log_is_closed.set(true);
    issue(&instance, "eve");
}

#[test]
fn no_key_or_issuer_changes_that_cannot_be_recorded() {
    let region = Region::of_acme();
    let instance = region.instance();
    let (id, key) = instance.make_key(&json!({"name": "k", "scopes": ["admin"]}));
    let document = issuer_with_key(&json!({}));
    let mut of_all = document.clone();
    of_all["claims"] = json!({"tenant": "tid"});
    for (path, document) in [("/issuers/main", &document), ("/operator/issuers/all", &of_all)] {
        instance.call("PUT", path, document).expect_status(201);
    }
    let shown = |path: &str| instance.call("GET", path, &Value::Null).json();
    let paths = ["/keys", "/issuers", "/operator/issuers"];
    let before = paths.map(shown);
    region.store.log_is_closed.set(true);
    let made = json!({"name": "l", "scopes": ["admin"]});
    for (method, path, body) in [
        ("POST", "/keys", &made),
        ("POST", &format!("/keys/{id}/rotate"), &json!({})),
        ("DELETE", &format!("/keys/{id}"), &Value::Null),
        ("PUT", "/issuers/main", &document),
        ("DELETE", "/issuers/main", &Value::Null),
        ("PUT", "/operator/issuers/all", &of_all),
        ("DELETE", "/operator/issuers/all", &Value::Null),
    ] {
        instance.call(method, path, body).expect_status(503);
    }
    assert_eq!(paths.map(shown), before);
    instance.with_key(&key, "GET", "/keys", "").expect_status(200);
}
