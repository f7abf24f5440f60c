//! An issuer of tokens, and the tokens that it signs.

use ed25519_dalek::SigningKey;
use jwt_compact::alg::Ed25519;
use jwt_compact::{AlgorithmExt, Claims, Header};
use serde_json::{Value, json};

use super::region::BEGIN_S;

/// The identifier of the issuer.
pub(crate) const ISSUER: &str = "https://id.example";
/// The address of the issuer's public keys.
pub(crate) const JWKS: &str = "https://id.example/keys";

/// Creates a signing key. Equal seeds give equal keys.
pub(crate) fn signing_key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

/// Returns the public key as the issuer publishes it.
pub(crate) fn jwk(kid: &str, key: &SigningKey) -> Value {
    let mut jwk = serde_json::to_value(jwt_compact::jwk::JsonWebKey::from(&key.verifying_key())).unwrap();
    jwk["kid"] = json!(kid);
    jwk
}

/// Returns the claims of a player of acme, with these changes. They are valid until ten minutes after
/// [`BEGIN_S`].
pub(crate) fn claims(changes: Value) -> Value {
    let mut claims = json!({"iss": ISSUER, "aud": "scores", "sub": "p", "exp": BEGIN_S + 600, "org": "acme"});
    let Value::Object(changes) = changes else {
        panic!("{changes}")
    };
    claims.as_object_mut().unwrap().extend(changes);
    claims
}

/// Signs claims. Returns the token.
pub(crate) fn sign(kid: &str, key: &SigningKey, claims: &Value) -> String {
    let header = Header::empty().with_key_id(kid);
    Ed25519.token(&header, &Claims::new(claims.clone()), key).unwrap()
}

/// Returns the configuration of an issuer that publishes its keys at [`JWKS`].
pub(crate) fn issuer_document() -> Value {
    json!({"issuer": ISSUER, "audiences": ["scores"], "jwks_uri": JWKS})
}

/// Returns the configuration of an issuer with the public key `k` of the seed 1, with these changes.
pub(crate) fn issuer_with_key(changes: &Value) -> Value {
    let key = jwk("k", &signing_key(1));
    let mut document = json!({"issuer": ISSUER, "audiences": ["scores"], "keys": [key]});
    for (name, value) in changes.as_object().unwrap() {
        document[name] = value.clone();
    }
    document
}
