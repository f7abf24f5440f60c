//! Tokens that the service issues to players.

use serde_json::{Value, json};

use crate::in_process::environment::{Instance, Region, TOKEN_SECRET};

#[test]
fn the_secret_can_be_replaced() {
    let region = Region::of_acme();
    let old = region.instance();
    let token = old.issue_token(&old.make_server_key(), "p");
    let read = |instance: &Instance| {
        let answer = instance.with_token(&token, "GET", "/leaderboards/b/entries", "");
        answer.status
    };
    let new = "another secret of the operator, for every region";
    assert_eq!(read(&old), 404);
    assert_eq!(
        read(&region.instance_with(|options| options.token_secret(new, TOKEN_SECRET))),
        404
    );
    assert_eq!(
        read(&region.instance_with(|options| options.token_secret(new, ""))),
        401
    );
    assert_eq!(
        read(&region.instance_with(|options| options.token_secret("", ""))),
        401
    );
}

#[test]
fn without_a_secret_no_tokens_are_issued() {
    let region = Region::of_acme();
    let instance = region.instance_with(|options| options.token_secret("", ""));
    let answer = instance.call("POST", "/tokens", json!({"player": "p"}));
    assert_eq!(answer.problem().1, "not-configured");
}

#[test]
fn a_token_ends_with_the_key_that_issued_it() {
    let region = Region::of_acme();
    let instance = region.instance();
    instance.create_leaderboard();
    let scopes = json!(["scores:read", "scores:write"]);
    let body = json!({"name": "n", "scopes": scopes, "expires_at": "2026-07-19T21:14:00.900Z"});
    let (_, key) = instance.make_key(&body);
    let issued = instance.with_key(&key, "POST", "/tokens", r#"{"player":"p","lifetime_s":86400}"#);
    issued.expect_status(201);
    assert_eq!(issued.json()["expires_in"], 600);
    assert_eq!(issued.json()["expires_at"], "2026-07-19T21:14:00.000Z");
    let token = issued.json()["token"].as_str().unwrap().to_owned();
    let read = || {
        instance
            .with_token(&token, "GET", "/leaderboards/b/entries", "")
            .status
    };
    region.pass_ms(600_899);
    assert_eq!(read(), 200);
    // No clock's leeway gives a token more time than its key has.
    region.pass_ms(1);
    assert_eq!(read(), 401);
}

#[test]
fn a_token_is_refused_once_its_key_is_revoked() {
    let region = Region::of_acme();
    let (here, there) = (region.instance(), region.instance());
    here.create_leaderboard();
    let scopes = json!(["scores:read", "scores:write", "admin"]);
    let (id, key) = here.make_key(&json!({"name": "n", "scopes": scopes}));
    let (other, token) = (here.make_server_key(), here.issue_token(&key, "p"));
    let read =
        |instance: &Instance, token: &str| instance.with_token(token, "GET", "/leaderboards/b/entries", "");
    assert_eq!(
        (read(&here, &token).status, read(&there, &token).status),
        (200, 200)
    );
    let of_other = here.issue_token(&other, "p");
    region.pass_ms(1_000);
    let path = format!("/keys/{id}");
    here.call("DELETE", &path, &Value::Null).expect_status(204);
    read(&here, &token).expect_status(401);
    region.pass_ms(4_000);
    let refused = read(&there, &token);
    assert_eq!(
        refused.header("www-authenticate"),
        r#"Bearer realm="edgeboard", error="invalid_token", error_description="the token was revoked""#
    );
    // Also when nothing is left of the key.
    here.call("DELETE", &path, &Value::Null).expect_status(204);
    region.pass_ms(5_000);
    assert_eq!(
        (read(&here, &token).status, read(&there, &token).status),
        (401, 401)
    );
    assert_eq!(
        (read(&here, &of_other).status, read(&there, &of_other).status),
        (200, 200)
    );
}

#[test]
fn a_token_is_good_from_where_its_key_says() {
    let region = Region::of_acme();
    let instance = region.instance();
    instance.create_leaderboard();
    let read = |token: &str, address: &str| {
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str()), ("spin-client-addr", address)];
        instance
            .send("GET", "/leaderboards/b/entries", "", &headers)
            .status
    };
    let issue = |more: Value| {
        let mut body = json!({"name": "n", "scopes": ["scores:read", "scores:write"],
            "allowed_addresses": ["192.0.2.0/24"]});
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let key = instance.make_key(&body).1;
        let headers = [("x-api-key", key.as_str()), ("spin-client-addr", "192.0.2.1:80")];
        let issued = instance.send("POST", "/tokens", r#"{"player":"p"}"#, &headers);
        issued.expect_status(201);
        issued.json()["token"].as_str().unwrap().to_owned()
    };
    let bound = issue(json!({}));
    assert_eq!(
        (read(&bound, "192.0.2.9:1"), read(&bound, "203.0.113.9:1")),
        (200, 403)
    );
    // An administrator lets the players of a guarded server play from elsewhere.
    let free = issue(json!({"token_addresses": []}));
    assert_eq!(
        (read(&free, "192.0.2.9:1"), read(&free, "203.0.113.9:1")),
        (200, 200)
    );
    let other = issue(json!({"token_addresses": ["203.0.113.0/24"]}));
    assert_eq!(
        (read(&other, "192.0.2.9:1"), read(&other, "203.0.113.9:1")),
        (403, 200)
    );
}

#[test]
fn a_tenant_revokes_all_tokens_at_once() {
    let region = Region::of_acme();
    let (here, there) = (region.instance(), region.instance());
    here.create_leaderboard();
    let key = here.make_server_key();
    let old = here.issue_token(&key, "p");
    let read = |instance: &Instance, token: &str| {
        instance
            .with_token(token, "GET", "/leaderboards/b/entries", "")
            .status
    };
    assert_eq!((read(&here, &old), read(&there, &old)), (200, 200));
    region.pass_ms(2_000);
    let record = json!({"tokens_not_before": "2026-07-19T21:04:02Z"});
    let put = here.call("PUT", "/tenants/acme", &record);
    assert_eq!(
        (put.status, &put.json()["tokens_not_before"]),
        (201, &json!("2026-07-19T21:04:02.000Z"))
    );
    assert_eq!(read(&here, &old), 401);
    let new = here.issue_token(&key, "p");
    assert_eq!(read(&here, &new), 200);
    region.pass_ms(30_000);
    assert_eq!((read(&there, &old), read(&there, &new)), (401, 200));
    // The act is in the audit log.
    let log = here.call("GET", "/operator/audit", &Value::Null);
    assert!(log.text.contains("/tenants/:tenant"), "{log:?}");
}

/// Tokens cost the store what their key costs, however many there are.
#[test]
fn a_hundred_tokens_of_a_key_ask_the_store_for_it_once() {
    let region = Region::of_acme();
    let instance = region.instance();
    instance.create_leaderboard();
    let key = instance.make_server_key();
    let tokens: Vec<String> = (0..100)
        .map(|n| instance.issue_token(&key, &format!("p{n}")))
        .collect();
    let fresh = region.instance();
    let before = region.store.document_reads.get();
    for token in &tokens {
        let body = r#"{"context":{}}"#;
        let told = fresh.with_token(token, "POST", "/ofrep/v1/evaluate/flags", body);
        told.expect_status(200);
    }
    let reads = region.store.document_reads.get() - before;
    assert!(
        reads <= 3,
        "{reads} reads: of the operator, the tenant and the key"
    );
}
