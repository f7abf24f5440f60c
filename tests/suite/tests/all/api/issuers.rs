//! Tests of issuers whose documents contain their keys, and of tokens of these issuers.

use ed25519_dalek::SigningKey;
use jwt_compact::alg::{Ed25519, Hs256, Hs256Key};
use jwt_compact::{AlgorithmExt, Claims, Header};
use leaderboard_test_support::ApiClient;
use serde_json::{Value, json};

use crate::cases::api_cases;

/// 2100-01-01T00:00:00Z, in seconds since the epoch.
const FAR_S: u64 = 4_102_444_800;
/// An instant in the past, in seconds since the epoch.
const PAST_S: u64 = 1_000_000_000;
const ENTRIES: &str = "/leaderboards/b/entries";

/// Returns the signing key with this seed. The documents of these tests have the key with the seed 1.
fn signing_key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

/// Returns the issuer of a test. No other tenant of the service trusts it.
fn issuer(api: &ApiClient) -> String {
    format!("https://{}.example", api.tenant)
}

/// Returns the document of the test's issuer, with these members changed.
fn issuer_document(api: &ApiClient, changes: Value) -> Value {
    let mut jwk = serde_json::to_value(jwt_compact::jwk::JsonWebKey::from(
        &signing_key(1).verifying_key(),
    ))
    .unwrap();
    jwk["kid"] = json!("k");
    with_changes(
        json!({"issuer": issuer(api), "audiences": ["scores"], "keys": [jwk]}),
        changes,
    )
}

/// Returns the claims of a valid token, with these claims changed.
fn claims(api: &ApiClient, changes: Value) -> Value {
    with_changes(
        json!({"iss": issuer(api), "aud": "scores", "sub": "p", "exp": FAR_S, "org": api.tenant}),
        changes,
    )
}

/// Returns an object with these members changed.
fn with_changes(mut value: Value, changes: Value) -> Value {
    let Value::Object(changes) = changes else {
        panic!("{changes}")
    };
    value.as_object_mut().unwrap().extend(changes);
    value
}

/// Returns a token with these claims, signed with `key` under the key id `kid`.
fn sign(kid: &str, key: &SigningKey, claims: &Value) -> String {
    Ed25519
        .token(
            &Header::empty().with_key_id(kid),
            &Claims::new(claims.clone()),
            key,
        )
        .unwrap()
}

/// Returns a valid token of the test's issuer, with these claims changed.
fn token(api: &ApiClient, changes: Value) -> String {
    sign("k", &signing_key(1), &claims(api, changes))
}

/// Creates the private leaderboard `b`, to which players may submit.
async fn create_leaderboard(api: &ApiClient) {
    let access = json!({"access": {"read": "private", "write": "player"}});
    api.create_leaderboard("b", &access).await;
}

/// Reads the entries with a token and returns the status.
async fn read_entries(api: &ApiClient, token: &str) -> u16 {
    api.with_token(token, "GET", ENTRIES).send().await.status
}

api_cases! {
    async fn a_token_of_a_trusted_issuer_belongs_to_the_tenant_of_the_issuer(api) {
        create_leaderboard(api).await;
        api.put("/issuers/main", &issuer_document(api, json!({}))).await.expect_status(201);
        let token = token(api, json!({}));
        let score = api.with_token(&token, "POST", "/leaderboards/b/scores").json(&json!({"player": "p", "score": 1}));
        score.send().await.expect_status(200);
        assert_eq!(read_entries(api, &token).await, 200);
        let other = api.with_token(&token, "GET", ENTRIES).header("x-tenant-id", "another");
        other.send().await.expect_problem(403, "forbidden");
    }

    async fn an_issuer_document_is_read_and_listed_without_its_secrets(api) {
        let secret = json!({"kid": "s", "secret": "a secret that both of them have, long enough"});
        let mut document = issuer_document(api, json!({}));
        document["keys"].as_array_mut().unwrap().push(secret);
        let made = api.put("/issuers/main", &document).await;
        let body = made.expect_status(201);
        assert_eq!(made.header("location"), "/api/v1/issuers/main");
        assert_eq!(body["keys"], json!([{"kid": "k", "algorithm": "EdDSA"}, {"kid": "s", "algorithm": "HS256"}]));
        assert!(!body.to_string().contains("both of them"));
        assert_eq!(api.get("/issuers/main").await.expect_status(200), body);
        assert_eq!(api.get("/issuers").await.expect_status(200), json!({"issuers": [body], "next": null}));
        let stale = api.request("PUT", "/issuers/main").header("if-match", "\"99\"").json(&document);
        stale.send().await.expect_problem(412, "precondition-failed");
        api.put("/issuers/main", &document).await.expect_status(200);
        api.delete("/issuers/main").await.expect_status(204);
        api.delete("/issuers/main").await.expect_problem(404, "issuer-not-found");
    }

    async fn a_token_of_an_operators_issuer_names_the_tenant_in_a_claim(api) {
        create_leaderboard(api).await;
        let path = format!("/operator/issuers/{}", api.tenant);
        let made = api.put(&path, &issuer_document(api, json!({"claims": {"tenant": "org"}}))).await;
        assert_eq!((made.status, made.header("location")), (201, format!("/api/v1{path}").as_str()));
        for (org, expected) in [(json!(api.tenant), 200), (json!("other"), 404), (Value::Null, 401)] {
            assert_eq!(read_entries(api, &token(api, json!({"org": org}))).await, expected, "{org}");
        }
        api.delete(&path).await.expect_status(204);
    }

    async fn the_response_to_a_refused_token_has_the_reason_but_not_the_token(api) {
        create_leaderboard(api).await;
        api.put("/issuers/main", &issuer_document(api, json!({}))).await.expect_status(201);
        let good = token(api, json!({}));
        assert_eq!(read_entries(api, &good).await, 200);
        let many = |count: u32| (0..count).map(|n| (format!("c{n}"), json!(n))).collect();
        // This attack uses the public key as the secret of an HMAC.
        let public = Hs256Key::new(signing_key(1).verifying_key().as_bytes());
        let header = Header::empty().with_key_id("k");
        let confused = Hs256.token(&header, &Claims::new(claims(api, json!({}))), &public).unwrap();
        let payload = good.split('.').nth(1).unwrap();
        for (token, reason) in [
            (token(api, json!({"exp": PAST_S})), "the token has expired"),
            (token(api, json!({"nbf": FAR_S})), "the token is not yet valid"),
            (token(api, json!({"aud": "others"})), "the token's issuer is not trusted for its audience"),
            (token(api, json!({"iss": "https://evil.example"})), "the token's issuer is not trusted for its audience"),
            (token(api, json!({"sub": null})), "the token's claim sub is not valid"),
            (sign("k", &signing_key(2), &claims(api, json!({}))), "the token's signature is not valid"),
            (sign("x", &signing_key(1), &claims(api, json!({}))), "the token's key is not known"),
            (good[..good.len() - 10].to_owned(), "the token's signature is not valid"),
            (good[..40].to_owned(), "the token is malformed"),
            ("x".to_owned(), "the token is malformed"),
            ("a".repeat(9_000), "the token is too large"),
            (token(api, Value::Object(many(300))), "the token has too many claims"),
            (confused, "the token's algorithm is not the one of its key"),
            (format!("eyJhbGciOiJub25lIn0.{payload}."), "the token's algorithm is not supported"),
        ] {
            let refused = api.with_token(&token, "GET", ENTRIES).send().await;
            refused.expect_problem(401, "unauthenticated");
            let challenge = format!(r#"Bearer realm="edgeboard", error="invalid_token", error_description="{reason}""#);
            assert_eq!(refused.header("www-authenticate"), challenge);
            assert!(token.len() < 20 || !String::from_utf8_lossy(&refused.body).contains(&token));
        }
        for token in [token(api, Value::Object(many(3_000))), "a".repeat(60_000)] {
            assert_eq!(api.with_token(&token, "GET", ENTRIES).send().await.status, 431);
        }
    }
}
