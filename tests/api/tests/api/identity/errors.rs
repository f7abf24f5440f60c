//! What errors about credentials tell.

use serde_json::{Value, json};

use super::world::{JWKS, Region};
use crate::service::Answer;

/// The places of the errors of an answer, in their order.
fn places(answer: &Answer) -> Vec<String> {
    let body = answer.json();
    let errors = body["errors"].as_array().cloned().unwrap_or_default();
    let place = |error: &Value| error["pointer"].as_str().unwrap().to_owned();
    errors.iter().map(place).collect()
}

#[test]
fn every_fault_of_a_request_for_a_key_is_reported_at_once() {
    let instance = Region::new().instance();
    let post = |body: &Value| instance.operator("POST", "/keys", body);
    let empty = post(&json!({"name": "", "scopes": [], "expires_at": "2020-01-01T00:00:00Z"}));
    assert_eq!(places(&empty), ["#/name", "#/scopes", "#/expires_at"]);
    let mut addresses = vec![json!("10.0.0.0/8"); 65];
    addresses[3] = json!("here");
    let malformed = post(&json!({
        "scopes": ["nope"], "expires_at": "2020-01-01T00:00:00Z", "colour": "red",
        "allowed_addresses": addresses, "token_addresses": vec!["10.0.0.0/8"; 65],
    }));
    assert_eq!(
        places(&malformed),
        [
            "#/colour",
            "#/name",
            "#/scopes/0",
            "#/allowed_addresses/3",
            "#/allowed_addresses",
            "#/token_addresses",
            "#/expires_at",
        ]
    );
}

#[test]
fn an_end_in_the_past_is_told_the_time() {
    let instance = Region::new().instance();
    let body = json!({"name": "n", "scopes": ["admin"], "expires_at": "2020-01-01T00:00:00Z"});
    let refused = instance.operator("POST", "/keys", &body).json();
    assert_eq!(
        refused["errors"][0]["detail"],
        "must be in the future; it is 2026-07-19T21:04:00.000Z by the server's clock"
    );
}

#[test]
fn every_fault_of_a_request_for_a_token_is_reported_at_once() {
    let instance = Region::new().instance();
    let post = |body: &Value| places(&instance.operator("POST", "/tokens", body));
    assert_eq!(
        post(&json!({"player": "p", "scopes": ["nope"], "lifetime_s": 0})),
        ["#/scopes/0", "#/lifetime_s"]
    );
    assert_eq!(
        post(&json!({"scopes": ["admin"], "lifetime_s": "x"})),
        ["#/player", "#/scopes", "#/lifetime_s"]
    );
}

#[test]
fn every_fault_of_an_issuer_is_reported_at_once() {
    let instance = Region::new().instance();
    let put = |path: &str, body: &Value| places(&instance.operator("PUT", path, body));
    let mine = |body: &Value| put("/issuers/main", body);
    assert_eq!(
        mine(&json!({"default_scopes": ["nope"], "leeway_s": "x", "claims": {"player": 7, "scopes": "a b"}})),
        [
            "#/issuer",
            "#/audiences",
            "#",
            "#/leeway_s",
            "#/claims/player",
            "#/default_scopes/0",
            "#/claims",
        ]
    );
    // What could not be read is at fault alone, not what follows from its default.
    assert_eq!(
        mine(&json!({
            "issuer": "", "audiences": [7], "jwks_uri": "http://10.0.0.1/", "leeway_s": 301, "tenant": "other",
            "granted_scopes": ["nope"], "default_scopes": ["admin"],
        })),
        [
            "#/audiences/0",
            "#/jwks_uri",
            "#/tenant",
            "#/granted_scopes/0",
            "#/issuer",
            "#/leeway_s",
        ]
    );
    let mut many = vec![json!("a"); 17];
    many[16] = json!(7);
    assert_eq!(
        mine(&json!({"issuer": "i", "audiences": many, "jwks_uri": JWKS})),
        ["#/audiences/16", "#/audiences"]
    );
    assert_eq!(
        mine(&json!({"issuer": "i", "audiences": ["a"], "keys": [
            7, {"secret": 7, "kid": 7}, {"pem": "nonsense"}, {"secret": "short"},
        ]})),
        [
            "#/keys/0",
            "#/keys/1/kid",
            "#/keys/1/secret",
            "#/keys/2",
            "#/keys/3"
        ]
    );
    let operators = |body: &Value| put("/operator/issuers/all", body);
    assert_eq!(
        operators(&json!({"issuer": "", "audiences": ["a"], "jwks_uri": JWKS})),
        ["#/tenant", "#/issuer"]
    );
    for claims in [json!(7), json!({"tenant": 7})] {
        let found =
            operators(&json!({"issuer": "i", "audiences": ["a"], "jwks_uri": JWKS, "claims": claims}));
        assert!(
            matches!(&*found, [place] if place.starts_with("#/claims")),
            "{found:?}"
        );
    }
}

#[test]
fn what_is_the_operators_in_a_query_says_so() {
    let instance = Region::new().instance();
    let (_, key) = instance.make_key(&json!({"name": "n", "scopes": ["admin"]}));
    let own = instance.with_key(&key, "GET", "/dead-letters?tenant=acme", "");
    assert_eq!(own.status, 200, "{own:?}");
    let refused = instance.with_key(&key, "GET", "/dead-letters?tenant=other", "");
    assert_eq!(
        (refused.status, refused.json()["detail"].as_str()),
        (403, Some("This needs the operator's key."))
    );
}

#[test]
fn every_scope_is_checked_and_the_nearest_is_suggested() {
    let instance = Region::new().instance();
    let body = json!({"name": "k", "scopes": ["score:read", "scores:wirte", "nonsense"]});
    let refused = instance.operator("POST", "/keys", &body).json();
    let errors = refused["errors"].as_array().unwrap();
    let found: Vec<(&str, &str)> = errors
        .iter()
        .map(|error| {
            (
                error["pointer"].as_str().unwrap(),
                error["detail"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(found.len(), 3);
    assert!(
        found[0].0 == "#/scopes/0" && found[0].1.ends_with("did you mean scores:read?"),
        "{found:?}"
    );
    assert!(
        found[1].0 == "#/scopes/1" && found[1].1.ends_with("did you mean scores:write?"),
        "{found:?}"
    );
    assert!(
        found[2].0 == "#/scopes/2" && !found[2].1.contains("did you mean"),
        "{found:?}"
    );
}

#[test]
fn a_refusal_names_the_scope_that_is_needed() {
    let instance = Region::new().instance();
    instance.make_board();
    let (_, read) = instance.make_key(&json!({"name": "n", "scopes": ["scores:read"]}));
    let score = r#"{"player": "p", "score": 1}"#;
    for (method, path, body, needed) in [
        ("PUT", "/leaderboards/b", "{}", "This needs the scope admin."),
        (
            "POST",
            "/leaderboards/b/scores",
            score,
            "This needs the scope scores:write.",
        ),
        ("GET", "/operator/limits", "", "This needs the operator's key."),
    ] {
        let refused = instance.with_key(&read, method, path, body);
        assert_eq!(
            (refused.status, refused.json()["detail"].as_str()),
            (403, Some(needed)),
            "{path}"
        );
    }
}

#[test]
fn what_is_missing_is_named() {
    let instance = Region::new().instance();
    for (path, name) in [
        ("/keys/0123456789abcdef", "0123456789abcdef"),
        ("/issuers/none", "none"),
    ] {
        let missing = instance.operator("GET", path, &Value::Null);
        assert_eq!(missing.status, 404);
        assert!(
            missing.json()["detail"].as_str().unwrap().contains(name),
            "{missing:?}"
        );
    }
}
