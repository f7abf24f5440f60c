//! Creates the keys, tokens and verifiers that the tests use.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jwt_compact::alg::{Es256, Hs256, Hs256Key, Rsa};
use jwt_compact::{Algorithm, AlgorithmSignature};
use leaderboard_core::{TenantId, Timestamp};
use leaderboard_identity::token::{
    ClaimsMapping, DEFAULT_LEEWAY_S, KeyOrigin, KeySet, TokenType, VerificationKey, Verifier,
};
use serde_json::{Value, json};

/// The issuer of the tokens.
pub(crate) const ISSUER: &str = "https://id.example";
/// The audience of the tokens.
pub(crate) const AUDIENCE: &str = "scores";
/// The current time of the tests, 2026-07-19T00:00:00Z, in seconds.
pub(crate) const NOW_S: i64 = 1_784_419_200;
/// The shared secret for HS256.
pub(crate) const SECRET: &[u8] = b"a secret of 32 bytes at the least";
/// The RSA key of RFC 7515, appendix A.2: its modulus and its primes.
pub(crate) const RSA_N: &str = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
const RSA_P: &str = "4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH_5IB3jw3bcxGn6QLvnEtfdUdiYrqBdss1l58BQ3KhooKeQTa9AB0Hw_Py5PJdTJNPY8cQn7ouZ2KKDcmnPGBY5t7yLc1QlQ5xHdwW1VhvKn-nXqhJTBgIPgtldC-KDV5z-y2XDwGUc";
const RSA_Q: &str = "uQPEfgmVtjL0Uyyx88GZFF1fOunH3-7cepKmtH4pxhtCoHqpWmT8YAmZxaewHgHAjLYsp1ZSe7zFYHj7C6ul7TjeLQeZD_YwD66t62wDmpe_HlB-TnBA-njbglfIsRLtXlnDzQkv5dTltRJ11BKBBypeeF6689rjcJIDEz9RWdc";

/// Returns the current time of the tests.
pub(crate) fn now() -> Timestamp {
    at(NOW_S)
}

/// Returns the instant at `seconds` since the epoch.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_ms(seconds * 1000).unwrap()
}

pub(crate) fn tenant() -> TenantId {
    TenantId::new("acme").unwrap()
}

/// Creates a verifier for players of one tenant.
pub(crate) fn create_verifier() -> Verifier {
    create_verifier_with(ClaimsMapping::players_of(tenant()))
}

pub(crate) fn create_verifier_with(mapping: ClaimsMapping) -> Verifier {
    let audiences = [AUDIENCE.to_owned()];
    Verifier::new(ISSUER, &audiences, DEFAULT_LEEWAY_S, TokenType::Access, mapping).unwrap()
}

/// Creates the claims of a valid token.
pub(crate) fn create_claims() -> Value {
    json!({"iss": ISSUER, "aud": AUDIENCE, "sub": "José", "iat": NOW_S - 10, "nbf": NOW_S - 10, "exp": NOW_S + 600,
           "scope": "openid scores:write"})
}

/// Creates the claims of a valid token with the members of `changes`; `null` removes a claim.
pub(crate) fn create_claims_with(changes: &Value) -> Value {
    let mut claims = create_claims();
    for (name, value) in changes.as_object().unwrap() {
        let claims = claims.as_object_mut().unwrap();
        if value.is_null() {
            claims.remove(name);
        } else {
            claims.insert(name.clone(), value.clone());
        }
    }
    claims
}

/// Returns the key of the shared secret.
pub(crate) fn secret_keys() -> KeySet {
    KeySet::new(vec![VerificationKey::from_secret(Some("k"), SECRET).unwrap()])
}

/// Encodes bytes as base64url.
pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Creates a token with exactly this header and these claims, which may be invalid.
pub(crate) fn sign<A: Algorithm>(algorithm: &A, key: &A::SigningKey, header: &str, claims: &str) -> String {
    let text = format!("{}.{}", encode(header), encode(claims));
    let signature = algorithm.sign(key, text.as_bytes());
    format!("{text}.{}", encode(signature.as_bytes()))
}

/// Creates a token that is signed with the shared secret.
pub(crate) fn sign_hs256(claims: &Value) -> String {
    sign_hs256_text(r#"{"alg":"HS256","kid":"k"}"#, &claims.to_string())
}

/// Creates a token with this header and these claims, signed with the shared secret.
pub(crate) fn sign_hs256_text(header: &str, claims: &str) -> String {
    sign(&Hs256, &Hs256Key::new(SECRET), header, claims)
}

pub(crate) fn ed25519_signing_key() -> ed25519_dalek::SigningKey {
    ed25519_dalek::SigningKey::from_bytes(&[7; 32])
}

pub(crate) fn p256_signing_key() -> p256::ecdsa::SigningKey {
    p256::ecdsa::SigningKey::from_slice(&[7; 32]).unwrap()
}

pub(crate) fn rsa_signing_key() -> rsa::RsaPrivateKey {
    let number = |text: &str| rsa::BigUint::from_bytes_be(&URL_SAFE_NO_PAD.decode(text).unwrap());
    rsa::RsaPrivateKey::from_p_q(number(RSA_P), number(RSA_Q), number("AQAB")).unwrap()
}

pub(crate) fn ed25519_jwk() -> Value {
    let x = encode(ed25519_signing_key().verifying_key().as_bytes());
    json!({"kty": "OKP", "crv": "Ed25519", "x": x, "kid": "ed"})
}

pub(crate) fn p256_jwk() -> Value {
    let point = p256_signing_key().verifying_key().to_encoded_point(false);
    let (x, y) = (encode(point.x().unwrap()), encode(point.y().unwrap()));
    json!({"kty": "EC", "crv": "P-256", "x": x, "y": y, "kid": "ec"})
}

pub(crate) fn rsa_jwk() -> Value {
    json!({"kty": "RSA", "n": RSA_N, "e": "AQAB", "kid": "rsa"})
}

/// Creates a token for each of the published keys.
pub(crate) fn create_public_tokens(claims: &Value) -> Vec<String> {
    let text = claims.to_string();
    vec![
        sign(
            &jwt_compact::alg::Ed25519,
            &ed25519_signing_key(),
            r#"{"alg":"EdDSA","kid":"ed"}"#,
            &text,
        ),
        sign(
            &Es256,
            &p256_signing_key(),
            r#"{"alg":"ES256","kid":"ec"}"#,
            &text,
        ),
        sign(
            &Rsa::rs256(),
            &rsa_signing_key(),
            r#"{"alg":"RS256","kid":"rsa"}"#,
            &text,
        ),
    ]
}

/// Returns the published keys.
pub(crate) fn public_keys() -> KeySet {
    let set = json!({"keys": [ed25519_jwk(), p256_jwk(), rsa_jwk()]});
    KeySet::parse(set.to_string().as_bytes(), KeyOrigin::Published).unwrap()
}
