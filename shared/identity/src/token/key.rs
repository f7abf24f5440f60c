//! A key of an issuer, and the only algorithm that it is used with.

use jwt_compact::alg::{Es256, Hs256, Hs256Key, Rsa};
use jwt_compact::jwk::JsonWebKey;
use jwt_compact::{Algorithm, AlgorithmExt, ValidationError};
use rsa::pkcs1::DecodeRsaPublicKey;
use rsa::traits::PublicKeyParts;
use serde::de::DeserializeOwned;
use serde_json::Value;
use spki::der::asn1::ObjectIdentifier;
use spki::{Document, SubjectPublicKeyInfoRef};

use super::TokenProblem;
use super::presented::PresentedToken;

/// The longest id of a key (`kid`), in bytes.
pub const MAX_KEY_ID_BYTES: usize = 256;
/// The shortest secret for HS256, in bytes (RFC 7518, section 3.2).
pub const MIN_SECRET_BYTES: usize = 32;
/// The longest secret for HS256, in bytes.
const MAX_SECRET_BYTES: usize = 1024;
/// The smallest RSA key, in bits (RFC 7518, section 3.3).
pub const MIN_RSA_BITS: usize = 2048;
/// The largest RSA key, in bits. The time to verify a signature grows with the square of the size.
pub const MAX_RSA_BITS: usize = 4096;
/// The longest key as PEM, in bytes.
pub const MAX_PEM_BYTES: usize = 4096;

const PEM_LABEL: &str = "PUBLIC KEY";
const OID_RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const OID_EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const OID_P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const OID_ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// How a token is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TokenAlgorithm {
    /// HMAC with SHA-256 and a shared secret.
    Hs256,
    /// Ed25519 (RFC 8037); `Ed25519` (RFC 9864) is another name for it.
    EdDsa,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
}

impl TokenAlgorithm {
    /// Returns the algorithm of a token's or key's `alg`; `None` for unknown names and for `none`.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        match name {
            "HS256" => Some(Self::Hs256),
            "EdDSA" | "Ed25519" => Some(Self::EdDsa),
            "ES256" => Some(Self::Es256),
            "RS256" => Some(Self::Rs256),
            _ => None,
        }
    }

    /// Returns the registered name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
        }
    }
}

/// Where a key comes from, which decides the allowed kinds of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyOrigin {
    /// An administrator configured the key, so it may be a shared secret.
    Configured,
    /// The issuer published the key at an address. A published secret is not secret, so shared secrets are refused.
    Published,
}

/// Why a key cannot be used. The displayed text contains no part of the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyProblem {
    /// The text is not a key in this format, or its numbers cannot be a key.
    #[error("is not a key in this format")]
    Malformed,
    /// The kind, the curve or the algorithm of the key is not supported, or the algorithm does not fit the kind.
    #[error("must be for HS256, EdDSA (Ed25519), ES256 (P-256) or RS256")]
    Unsupported,
    /// The key is not for signatures (`use`, `key_ops`).
    #[error("is not for verifying signatures")]
    OtherUse,
    /// The key is too short or too long.
    #[error("must be a secret of 32 to 1024 bytes, or an RSA key of 2048 to 4096 bits")]
    Size,
    /// A published set contains a shared secret.
    #[error("is a secret, and must not be published")]
    PublishedSecret,
}

#[derive(Clone)]
enum KeyMaterial {
    Hs256(Hs256Key),
    EdDsa(ed25519_dalek::VerifyingKey),
    Es256(p256::ecdsa::VerifyingKey),
    Rs256(rsa::RsaPublicKey),
}

/// A key that verifies tokens, and the only algorithm that it is used with.
#[derive(Clone)]
pub struct VerificationKey {
    kid: Option<Box<str>>,
    material: KeyMaterial,
}

impl VerificationKey {
    /// Creates a key from a shared secret, for HS256.
    ///
    /// # Errors
    /// [`KeyProblem::Size`], and [`KeyProblem::Malformed`] for a `kid` that is too long.
    pub fn from_secret(kid: Option<&str>, secret: &[u8]) -> Result<Self, KeyProblem> {
        if (MIN_SECRET_BYTES..=MAX_SECRET_BYTES).contains(&secret.len()) {
            Self::new(kid, KeyMaterial::Hs256(Hs256Key::new(secret)))
        } else {
            Err(KeyProblem::Size)
        }
    }

    /// Creates a key from an Ed25519 public key, for EdDSA.
    pub(crate) fn from_ed25519(kid: &str, key: ed25519_dalek::VerifyingKey) -> Self {
        let (kid, material) = (Some(kid.into()), KeyMaterial::EdDsa(key));
        Self { kid, material }
    }

    /// Creates a key from a public key as PEM: `-----BEGIN PUBLIC KEY-----` (RFC 7468, section 13). RSA is for RS256, P-256 for
    /// ES256, Ed25519 for EdDSA.
    ///
    /// # Errors
    /// [`KeyProblem`] if the text is not such a key.
    pub fn from_pem(kid: Option<&str>, pem: &str) -> Result<Self, KeyProblem> {
        if pem.len() > MAX_PEM_BYTES {
            return Err(KeyProblem::Size);
        }
        let (label, document) = Document::from_pem(pem.trim()).map_err(|_| KeyProblem::Malformed)?;
        if label != PEM_LABEL {
            return Err(KeyProblem::Malformed);
        }
        let info: SubjectPublicKeyInfoRef<'_> = document.decode_msg().map_err(|_| KeyProblem::Malformed)?;
        let bytes = info.subject_public_key.as_bytes().ok_or(KeyProblem::Malformed)?;
        let material = match info.algorithm.oid {
            OID_RSA => {
                let key = rsa::RsaPublicKey::from_pkcs1_der(bytes).map_err(|_| KeyProblem::Malformed)?;
                KeyMaterial::Rs256(key)
            }
            OID_EC if info.algorithm.parameters_oid() == Ok(OID_P256) => {
                let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(bytes);
                KeyMaterial::Es256(key.map_err(|_| KeyProblem::Malformed)?)
            }
            OID_ED25519 => {
                let bytes = bytes.try_into().map_err(|_| KeyProblem::Malformed)?;
                let key = ed25519_dalek::VerifyingKey::from_bytes(bytes);
                KeyMaterial::EdDsa(key.map_err(|_| KeyProblem::Malformed)?)
            }
            _ => return Err(KeyProblem::Unsupported),
        };
        Self::new(kid, material)
    }

    /// Creates a key from JSON (RFC 7517). Its algorithm is its `alg`, or else the algorithm of its kind.
    ///
    /// # Errors
    /// [`KeyProblem`] if this is not a key that may verify tokens.
    pub fn from_jwk(jwk: &Value, origin: KeyOrigin) -> Result<Self, KeyProblem> {
        let text = |name: &str| match jwk.get(name) {
            None => Ok(None),
            Some(value) => value.as_str().map(Some).ok_or(KeyProblem::Malformed),
        };
        if text("use")?.is_some_and(|purpose| purpose != "sig") || !may_verify(jwk.get("key_ops")) {
            return Err(KeyProblem::OtherUse);
        }
        let kind = text("kty")?.ok_or(KeyProblem::Malformed)?;
        let algorithm = match (kind, text("crv")?) {
            ("oct", _) => TokenAlgorithm::Hs256,
            ("OKP", Some("Ed25519")) => TokenAlgorithm::EdDsa,
            ("EC", Some("P-256")) => TokenAlgorithm::Es256,
            ("RSA", _) => TokenAlgorithm::Rs256,
            _ => return Err(KeyProblem::Unsupported),
        };
        if text("alg")?.is_some_and(|named| TokenAlgorithm::of_name(named) != Some(algorithm)) {
            return Err(KeyProblem::Unsupported);
        }
        if algorithm == TokenAlgorithm::Hs256 && origin == KeyOrigin::Published {
            return Err(KeyProblem::PublishedSecret);
        }
        let parsed: JsonWebKey<'_> =
            serde_json::from_value(jwk.clone()).map_err(|_| KeyProblem::Malformed)?;
        if let JsonWebKey::Symmetric { secret } = &parsed {
            return Self::from_secret(text("kid")?, secret.as_ref());
        }
        let material = match algorithm {
            TokenAlgorithm::Hs256 => return Err(KeyProblem::Malformed),
            TokenAlgorithm::EdDsa => KeyMaterial::EdDsa(convert(&parsed)?),
            TokenAlgorithm::Es256 => KeyMaterial::Es256(convert(&parsed)?),
            TokenAlgorithm::Rs256 => KeyMaterial::Rs256(convert(&parsed)?),
        };
        Self::new(text("kid")?, material)
    }

    fn new(kid: Option<&str>, material: KeyMaterial) -> Result<Self, KeyProblem> {
        if kid.is_some_and(|kid| kid.len() > MAX_KEY_ID_BYTES) {
            return Err(KeyProblem::Malformed);
        }
        match &material {
            KeyMaterial::Rs256(key) if !(MIN_RSA_BITS..=MAX_RSA_BITS).contains(&key.n().bits()) => {
                return Err(KeyProblem::Size);
            }
            // With a key of small order, one signature is valid for many texts.
            KeyMaterial::EdDsa(key) if key.is_weak() => return Err(KeyProblem::Malformed),
            _ => {}
        }
        let kid = kid.map(Into::into);
        Ok(Self { kid, material })
    }

    /// Returns the id of the key (`kid`), which the headers of tokens contain.
    #[must_use]
    pub fn key_id(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// Returns the only algorithm that the key is used with.
    #[must_use]
    pub fn algorithm(&self) -> TokenAlgorithm {
        match self.material {
            KeyMaterial::Hs256(_) => TokenAlgorithm::Hs256,
            KeyMaterial::EdDsa(_) => TokenAlgorithm::EdDsa,
            KeyMaterial::Es256(_) => TokenAlgorithm::Es256,
            KeyMaterial::Rs256(_) => TokenAlgorithm::Rs256,
        }
    }

    /// Returns the claims, if the token has this key's algorithm and a valid signature.
    pub(super) fn check<T: DeserializeOwned>(
        &self,
        token: &PresentedToken<'_>,
    ) -> Result<jwt_compact::Claims<T>, TokenProblem> {
        if token.algorithm != self.algorithm() {
            return Err(TokenProblem::AlgorithmMismatch);
        }
        match &self.material {
            KeyMaterial::Hs256(key) => check(&Hs256, key, token),
            KeyMaterial::EdDsa(key) if token.parts.algorithm() == "Ed25519" => {
                check(&jwt_compact::alg::Ed25519::with_specific_name(), key, token)
            }
            KeyMaterial::EdDsa(key) => check(&jwt_compact::alg::Ed25519, key, token),
            KeyMaterial::Es256(key) => check(&Es256, key, token),
            KeyMaterial::Rs256(key) => check(&Rsa::rs256(), key, token),
        }
    }
}

/// Prints the id and the algorithm, never the key.
impl std::fmt::Debug for VerificationKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VerificationKey")
            .field("kid", &self.kid)
            .field("algorithm", &self.algorithm())
            .finish_non_exhaustive()
    }
}

fn may_verify(operations: Option<&Value>) -> bool {
    operations.is_none_or(|list| {
        list.as_array()
            .is_some_and(|list| list.iter().any(|operation| operation == "verify"))
    })
}

fn convert<'a, K: TryFrom<&'a JsonWebKey<'a>>>(jwk: &'a JsonWebKey<'a>) -> Result<K, KeyProblem> {
    K::try_from(jwk).map_err(|_| KeyProblem::Malformed)
}

fn check<A: Algorithm, T: DeserializeOwned>(
    algorithm: &A,
    key: &A::VerifyingKey,
    token: &PresentedToken<'_>,
) -> Result<jwt_compact::Claims<T>, TokenProblem> {
    match algorithm.validator::<T>(key).validate(&token.parts) {
        Ok(valid) => Ok(valid.into_parts().1),
        Err(ValidationError::AlgorithmMismatch { .. }) => Err(TokenProblem::AlgorithmMismatch),
        Err(ValidationError::MalformedClaims(_)) => Err(TokenProblem::Malformed),
        Err(_) => Err(TokenProblem::BadSignature),
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::json;

    use super::*;

    /// Uses the example of RFC 8037, appendices A.2, A.4 and A.5. Its signed text is not JSON, so the test
    /// checks the signature without a token.
    #[test]
    fn the_signature_of_rfc_8037_is_valid() {
        let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
        let key = VerificationKey::from_jwk(&jwk, KeyOrigin::Published).unwrap();
        let KeyMaterial::EdDsa(key) = key.material else {
            panic!()
        };
        let text = b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
        let signature = URL_SAFE_NO_PAD
            .decode("hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg")
            .unwrap();
        let signature = ed25519_dalek::Signature::from_slice(&signature).unwrap();
        assert!(jwt_compact::alg::Ed25519.verify_signature(&signature, &key, text));
        assert!(!jwt_compact::alg::Ed25519.verify_signature(&signature, &key, &text[1..]));
    }

    #[test]
    fn the_debug_output_does_not_contain_the_key() {
        let key = VerificationKey::from_secret(Some("name"), &[b'x'; 32]).unwrap();
        assert_eq!(
            format!("{key:?}"),
            r#"VerificationKey { kid: Some("name"), algorithm: Hs256, .. }"#
        );
    }
}
