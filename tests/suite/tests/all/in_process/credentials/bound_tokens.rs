//! What the tokens of players are bound to: the key that issued them, or the token of a server.

use serde_json::{Value, json};

use crate::in_process::environment::{
    Answer, BEGIN_S, Instance, Region, claims, issuer_with_key, sign, signing_key,
};

fn issued(answer: &Answer) -> String {
    answer.expect_status(201);
    answer.json()["token"].as_str().unwrap().to_owned()
}

/// Makes a key of acme under an idempotency key: its id and its text.
fn make_keyed(instance: &Instance) -> (String, String) {
    let body = json!({"name": "server", "scopes": ["scores:read", "scores:write"]}).to_string();
    let made = instance.call_with("POST", "/keys", &body, &[("idempotency-key", "\"k\"")]);
    made.expect_status(201);
    let made = made.json();
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    (text("id"), text("key"))
}

/// A key under the same id is another key.
#[test]
fn a_token_does_not_come_back_with_the_id_of_its_key() {
    // Within the same second, too.
    for pause_ms in [1, 10_000] {
        let region = Region::of_acme();
        let (here, there) = (region.instance(), region.instance());
        here.create_leaderboard();
        let (id, key) = make_keyed(&here);
        let old = issued(&here.with_key(&key, "POST", "/tokens", r#"{"player":"p"}"#));
        assert_eq!(
            (here.read_with_token(&old), there.read_with_token(&old)),
            (200, 200)
        );
        for _ in 0..2 {
            let deleted = here.call("DELETE", &format!("/keys/{id}"), &Value::Null);
            deleted.expect_status(204);
        }
        region.pass_ms(pause_ms);
        let (again, key) = make_keyed(&here);
        assert_eq!(again, id);
        // The copies of the old record have ended by then.
        region.pass_ms(6_000);
        let new = issued(&here.with_key(&key, "POST", "/tokens", r#"{"player":"p"}"#));
        for instance in [&here, &there, &region.instance()] {
            assert_eq!(
                (instance.read_with_token(&old), instance.read_with_token(&new)),
                (401, 200),
                "{pause_ms}"
            );
        }
    }
}

/// An issuer gave a server so much time, and not its players more.
#[test]
fn a_token_does_not_outlive_the_token_that_it_was_issued_with() {
    let region = Region::of_acme();
    let instance = region.instance();
    instance.create_leaderboard();
    let granted = json!({"claims": {"player": ""}, "granted_scopes": ["scores:read", "scores:write"]});
    let document = issuer_with_key(&granted);
    instance
        .call("PUT", "/issuers/main", &document)
        .expect_status(201);
    let mut server = claims(json!({}));
    server["sub"] = json!("client-1");
    server["scope"] = json!("scores:read scores:write");
    server["exp"] = json!(BEGIN_S + 600);
    let server = sign("k", &signing_key(1), &server);
    let issue = |lifetime_s: u32| {
        let body = json!({"player": "p", "lifetime_s": lifetime_s}).to_string();
        instance.with_token(&server, "POST", "/tokens", &body)
    };
    let long = issue(2_592_000);
    long.expect_status(201);
    assert_eq!(long.json()["expires_in"], 600);
    assert_eq!(long.json()["expires_at"], "2026-07-19T21:14:00.000Z");
    assert_eq!(issue(60).json()["expires_in"], 60);
    assert_eq!(instance.read_with_token(&issued(&long)), 200);
    region.pass_ms(599_500);
    assert_eq!(issue(60).json()["expires_in"], 1);
    // A verifier gives it a minute more, for clocks that differ. Nothing is issued in that.
    region.pass_ms(500);
    assert_eq!(instance.read_with_token(&server), 200);
    issue(60).expect_status(401);
}

#[test]
fn a_remembered_token_ends_when_it_expires() {
    let region = Region::of_acme();
    let instance = region.instance();
    instance.create_leaderboard();
    let document = issuer_with_key(&json!({"leeway_s": 0}));
    instance
        .call("PUT", "/issuers/main", &document)
        .expect_status(201);
    let token = sign("k", &signing_key(1), &claims(json!({"exp": BEGIN_S + 10})));
    let read = || {
        instance
            .with_token(&token, "GET", "/leaderboards/b/entries", "")
            .status
    };
    assert_eq!(read(), 200);
    region.pass_ms(9_999);
    assert_eq!(read(), 200);
    region.pass_ms(1);
    assert_eq!(read(), 401);
}
