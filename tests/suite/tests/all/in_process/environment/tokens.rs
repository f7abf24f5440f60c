//! An issuer of tokens, and its tokens.

use ed25519_dalek::SigningKey;
use jwt_compact::alg::Ed25519;
use jwt_compact::{AlgorithmExt, Claims, Header};
use serde_json::{Value, json};

use super::region::BEGIN_S;

pub(crate) const ISSUER: &str = "https://id.example";
pub(crate) const JWKS: &str = "https://id.example/keys";

pub(crate) fn signing_key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

/// The key as an issuer publishes it.
pub(crate) fn jwk(kid: &str, key: &SigningKey) -> Value {
    let mut jwk = serde_json::to_value(jwt_compact::jwk::JsonWebKey::from(&key.verifying_key())).unwrap();
    jwk["kid"] = json!(kid);
    jwk
}

/// Claims of a player of acme, valid for ten minutes from the beginning, with these changes.
pub(crate) fn claims(changes: Value) -> Value {
    let mut claims = json!({"iss": ISSUER, "aud": "scores", "sub": "p", "exp": BEGIN_S + 600, "org": "acme"});
    let Value::Object(changes) = changes else {
        panic!("{changes}")
    };
    claims.as_object_mut().unwrap().extend(changes);
    claims
}

pub(crate) fn sign(kid: &str, key: &SigningKey, claims: &Value) -> String {
    let header = Header::empty().with_key_id(kid);
    Ed25519.token(&header, &Claims::new(claims.clone()), key).unwrap()
}

/// An issuer with its keys at [`JWKS`].
pub(crate) fn issuer_document() -> Value {
    json!({"issuer": ISSUER, "audiences": ["scores"], "jwks_uri": JWKS})
}
