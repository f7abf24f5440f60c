//! Tests of invalid requests for keys and tokens, and of invalid documents of issuers and limits.

use serde_json::{Value, json};

use super::{At, Row, assert_all_refused};
use crate::cases::api_cases;

/// Returns a row with a body that is invalid at this JSON pointer.
fn invalid_row(verb: &'static str, path: &str, body: &Value, pointer: &'static str) -> Row {
    Row::new(verb, path, 422, "validation", At::Body(pointer)).body(body.to_string())
}

/// Returns a document with these members replaced.
fn with_members(mut document: Value, changes: Value) -> Value {
    let Value::Object(changes) = changes else {
        panic!("{changes}")
    };
    document.as_object_mut().unwrap().extend(changes);
    document
}

api_cases! {
    async fn invalid_keys_are_refused(api) {
        let key = |changes: Value| with_members(json!({"name": "n", "scopes": ["admin"]}), changes);
        let mut rows: Vec<Row> = [
            (json!({"scopes": ["admin"]}), "#/name"),
            (key(json!({"name": ""})), "#/name"),
            (json!({"name": "n"}), "#/scopes"),
            (key(json!({"scopes": []})), "#/scopes"),
            (key(json!({"scopes": ["root"]})), "#/scopes/0"),
            (key(json!({"allowed_addresses": ["here"]})), "#/allowed_addresses/0"),
            (key(json!({"allowed_addresses": ["192.0.2.0/24", "192.0.2.1/24"]})), "#/allowed_addresses/1"),
            (key(json!({"allowed_addresses": ["::ffff:192.0.2.0/120"]})), "#/allowed_addresses/0"),
            (key(json!({"allowed_addresses": vec!["10.0.0.0/8"; 65]})), "#/allowed_addresses"),
            (key(json!({"secret": "s"})), "#/secret"),
            (key(json!({"expires_at": "2020-01-01T00:00:00Z"})), "#/expires_at"),
        ]
        .iter()
        .map(|(body, pointer)| invalid_row("POST", "/keys", body, pointer))
        .collect();
        rows.push(Row::new("GET", "/keys/0123456789abcdef", 404, "key-not-found", At::Nothing));
        rows.push(Row::new("GET", "/keys/x", 400, "invalid-parameter", At::Parameter("key")));
        assert_all_refused(api, rows).await;
    }

    async fn invalid_requests_for_tokens_are_refused(api) {
        let token = |changes: Value| with_members(json!({"player": "p"}), changes);
        assert_all_refused(api, [
            (json!({}), "#/player"),
            (token(json!({"player": ""})), "#/player"),
            (token(json!({"player": "a\nb"})), "#/player"),
            (token(json!({"lifetime_s": 0})), "#/lifetime_s"),
            (token(json!({"lifetime_s": 2_592_001})), "#/lifetime_s"),
            (token(json!({"scopes": ["x"]})), "#/scopes/0"),
            (token(json!({"tenant": "other"})), "#/tenant"),
        ]
        .iter()
        .map(|(body, pointer)| invalid_row("POST", "/tokens", body, pointer))
        .collect())
        .await;
    }

    async fn invalid_limits_are_refused(api) {
        let mut rows: Vec<Row> = [
            ("/limits", json!({"policies": {"player": {"quota": -1}}}), "#/policies/player/quota"),
            ("/limits", json!({"policies": {"family:nothing": "off"}}), "#/policies/family:nothing"),
            ("/limits", json!({"reads": {"limits": "off"}}), "#/reads"),
            ("/operator/limits", json!([]), "#"),
            ("/operator/limits", json!({"addresses": {"allow": ["10.0.0.0/99"]}}), "#/addresses/allow/0"),
        ]
        .iter()
        .map(|(path, body, pointer)| invalid_row("PUT", path, body, pointer))
        .collect();
        rows.push(Row::new("PUT", "/limits", 400, "malformed", At::Body("#")).body("{"));
        assert_all_refused(api, rows).await;
    }

    async fn invalid_issuers_are_refused(api) {
        let good = json!({"issuer": "https://id.example", "audiences": ["a"], "keys": [{"secret": "x".repeat(40)}]});
        let issuer = |changes: Value| with_members(good.clone(), changes);
        let jwks = "https://id.example/keys";
        let without_keys = |changes: Value| with_members(json!({"issuer": "i", "audiences": ["a"]}), changes);
        let mut rows: Vec<Row> = [
            (json!([]), "#"),
            (json!({"audiences": ["a"], "jwks_uri": jwks}), "#/issuer"),
            (issuer(json!({"issuer": "edgeboard"})), "#/issuer"),
            (issuer(json!({"issuer": ""})), "#/issuer"),
            (issuer(json!({"audiences": []})), "#/audiences"),
            (issuer(json!({"leeway_s": 301})), "#/leeway_s"),
            (issuer(json!({"id": "other"})), "#/id"),
            (issuer(json!({"jwks_uri": jwks})), "#"),
            (issuer(json!({"tenant": "other"})), "#/tenant"),
            (issuer(json!({"claims": {"player": "a b"}})), "#/claims"),
            (issuer(json!({"claims": {"name": "x"}})), "#/claims/name"),
            (issuer(json!({"claims": {"tenant": "org"}})), "#/claims/tenant"),
            (issuer(json!({"default_scopes": ["x"]})), "#/default_scopes/0"),
            (issuer(json!({"default_scopes": ["admin"], "granted_scopes": ["scores:read"]})), "#/default_scopes"),
            (without_keys(json!({})), "#"),
            (without_keys(json!({"discovery": true})), "#/discovery"),
            (without_keys(json!({"jwks_uri": "http://10.0.0.1/"})), "#/jwks_uri"),
            (issuer(json!({"keys": []})), "#/keys"),
            (issuer(json!({"keys": [{"secret": "short"}]})), "#/keys/0"),
            (issuer(json!({"keys": [{"pem": "nonsense"}]})), "#/keys/0"),
            (issuer(json!({"keys": [{"kty": "RSA", "n": "AQAB", "e": "AQAB"}]})), "#/keys/0"),
            (issuer(json!({"keys": [7]})), "#/keys/0"),
        ]
        .iter()
        .map(|(body, pointer)| invalid_row("PUT", "/issuers/main", body, pointer))
        .collect();
        rows.push(invalid_row("PUT", "/operator/issuers/none", &good, "#/tenant"));
        rows.push(Row::new("PUT", "/issuers/Main", 400, "invalid-parameter", At::Parameter("issuer")).body(good.to_string()));
        assert_all_refused(api, rows).await;
    }
}
