//! Credentials that are refused: a clear problem each, never a 5xx, and nothing of the credential in the answer.

use jwt_compact::alg::{Hs256, Hs256Key};
use jwt_compact::{AlgorithmExt, Claims, Header};
use serde_json::{Value, json};

use super::world::{BEGIN_S, Instance, Region, claims, jwk, sign, signing_key};

fn world() -> Instance {
    let instance = Region::new().instance();
    instance.make_board();
    let document = json!({"issuer": "https://id.example", "audiences": ["scores"],
        "keys": [jwk("k", &signing_key(1))]});
    assert_eq!(instance.operator("PUT", "/issuers/main", &document).status, 201);
    instance
}

fn refused(instance: &Instance, token: &str, why: &str) {
    let answer = instance.with_token(token, "GET", "/leaderboards/b/entries", "");
    assert_eq!(
        answer.problem(),
        (401, "unauthenticated".to_owned(), String::new())
    );
    let challenge = format!(r#"Bearer realm="edgeboard", error="invalid_token", error_description="{why}""#);
    assert_eq!(answer.header("www-authenticate"), challenge);
    assert!(token.len() < 20 || !answer.text.contains(token));
}

fn changed(changes: &Value) -> String {
    let mut claims = claims();
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    sign("k", &signing_key(1), &claims)
}

#[test]
fn bad_tokens_are_told_what_is_wrong() {
    let instance = world();
    let good = changed(&json!({}));
    let answer = instance.with_token(&good, "GET", "/leaderboards/b/entries", "");
    assert_eq!(answer.status, 200, "{answer:?}");

    refused(
        &instance,
        &changed(&json!({"exp": BEGIN_S - 60})),
        "the token has expired",
    );
    refused(
        &instance,
        &changed(&json!({"nbf": BEGIN_S + 61})),
        "the token is not yet valid",
    );
    refused(
        &instance,
        &changed(&json!({"aud": "others"})),
        "the token's issuer is not trusted for its audience",
    );
    refused(
        &instance,
        &changed(&json!({"iss": "https://evil.example"})),
        "the token's issuer is not trusted for its audience",
    );
    refused(
        &instance,
        &changed(&json!({"sub": null})),
        "the token's claim sub is not valid",
    );
    let other = sign("k", &signing_key(2), &claims());
    refused(&instance, &other, "the token's signature is not valid");
    let unknown = sign("x", &signing_key(1), &claims());
    refused(&instance, &unknown, "the token's key is not known");
    refused(
        &instance,
        &good[..good.len() - 10],
        "the token's signature is not valid",
    );
    refused(&instance, &good[..40], "the token is malformed");
    refused(&instance, "x", "the token is malformed");
    refused(&instance, &"a".repeat(9_000), "the token is too large");
    let many: serde_json::Map<_, _> = (0..300).map(|n| (format!("c{n}"), json!(n))).collect();
    refused(
        &instance,
        &changed(&Value::Object(many)),
        "the token has too many claims",
    );

    // The public key as the secret of an HMAC, and no signature at all.
    let public = Hs256Key::new(signing_key(1).verifying_key().as_bytes());
    let confused = Hs256.token(&Header::empty().with_key_id("k"), &Claims::new(claims()), &public);
    refused(
        &instance,
        &confused.unwrap(),
        "the token's algorithm is not the one of its key",
    );
    let (_, rest) = good.split_once('.').unwrap();
    let (payload, _) = rest.split_once('.').unwrap();
    let unsigned = format!("eyJhbGciOiJub25lIn0.{payload}.");
    refused(&instance, &unsigned, "the token's algorithm is not supported");
}

#[test]
fn huge_tokens_are_not_looked_at() {
    let instance = world();
    let many: serde_json::Map<_, _> = (0..10_000).map(|n| (format!("c{n}"), json!(n))).collect();
    for token in [changed(&Value::Object(many)), "a".repeat(60_000)] {
        let answer = instance.with_token(&token, "GET", "/leaderboards/b/entries", "");
        assert_eq!(answer.problem().1, "headers-too-large");
    }
}

#[test]
fn a_remembered_token_ends_when_it_expires() {
    let region = Region::new();
    let instance = region.instance();
    instance.make_board();
    let document = json!({"issuer": "https://id.example", "audiences": ["scores"], "leeway_s": 0,
        "keys": [jwk("k", &signing_key(1))]});
    assert_eq!(instance.operator("PUT", "/issuers/main", &document).status, 201);
    let token = changed(&json!({"exp": BEGIN_S + 10}));
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

#[test]
fn bad_keys_are_refused_alike() {
    let region = Region::new();
    let instance = region.instance();
    let (_, key) = instance.make_key(&json!({"name": "n", "scopes": ["admin"]}));
    let detail = |key: &str| {
        let answer = instance.with_key(key, "GET", "/keys", "");
        assert_eq!(answer.problem().0, 401);
        assert_eq!(
            answer.header("www-authenticate"),
            r#"Bearer realm="edgeboard", ApiKey realm="edgeboard""#
        );
        answer.json()["detail"].as_str().unwrap().to_owned()
    };
    assert_eq!(detail("x"), "The key is not valid.");
    assert_eq!(detail(&key[..key.len() - 1]), "The key is mistyped or cut off.");
    assert_eq!(
        detail(&key.replace("acme", "acne")),
        "The key is mistyped or cut off."
    );
    // A key of the right form that was never made, of this tenant or of another.
    for tenant in ["acme", "other"] {
        let tenant = leaderboard_core::TenantId::new(tenant).unwrap();
        let other = leaderboard_identity::api_key::ApiKey::generate(&tenant, &[0xee; 32]);
        assert_eq!(detail(other.text.reveal()), "The key is not valid.");
    }
    // The right id with another secret.
    let id = leaderboard_identity::api_key::ApiKey::parse(&key).unwrap();
    let other = leaderboard_identity::api_key::ApiKey::rotate(id.tenant(), id.id(), &[0xee; 32]);
    assert_eq!(detail(other.text.reveal()), "The key is not valid.");
}

#[test]
fn two_credentials_are_one_too_many() {
    let instance = world();
    let token = format!("Bearer {}", changed(&json!({})));
    let headers = [
        ("authorization", token.as_str()),
        ("x-api-key", crate::service::KEY),
    ];
    let answer = instance.send("GET", "/leaderboards/b/entries", "", &headers);
    assert_eq!(
        answer.problem(),
        (400, "invalid-header".to_owned(), "X-API-Key".to_owned())
    );
}
