//! A token that a client sent: parsed and not yet verified.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jwt_compact::UntrustedToken;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::key::TokenAlgorithm;
use super::{MAX_KEY_ID_BYTES, TokenProblem, shape};

/// The longest token, in bytes.
pub const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// The header fields that the library does not parse.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct ExtraHeader {
    #[serde(rename = "crit")]
    critical: Option<IgnoredAny>,
}

/// The claim `iss`, which is read before the signature is verified, only to find the issuer's keys.
#[derive(Debug, Deserialize)]
struct IssuerClaim {
    iss: Option<String>,
}

/// The claim `aud`, which is read for the same purpose.
#[derive(Debug, Deserialize)]
struct AudienceClaim {
    aud: Option<Value>,
}

/// The claim `sub`, which is read for the audit record of a refused token.
#[derive(Debug, Deserialize)]
struct SubjectClaim {
    sub: Option<String>,
}

/// A parsed token. Its content is not trustworthy until a [`Verifier`](super::Verifier) has verified it.
#[derive(Debug)]
pub struct PresentedToken<'a> {
    pub(super) parts: UntrustedToken<'a, ExtraHeader>,
    pub(super) algorithm: TokenAlgorithm,
}

impl<'a> PresentedToken<'a> {
    /// Parses a token.
    ///
    /// # Errors
    /// [`TokenProblem`] if no key can make the token valid: it is too large, too complex or malformed, or has an unsupported algorithm
    /// (such as `none`) or a critical header.
    pub fn parse(text: &'a str) -> Result<Self, TokenProblem> {
        if text.len() > MAX_TOKEN_BYTES {
            return Err(TokenProblem::TooLarge);
        }
        let mut parts = text.split('.');
        for _ in 0..2 {
            shape::check(&decode(parts.next().unwrap_or_default())?)?;
        }
        let parts: UntrustedToken<'a, ExtraHeader> = text.try_into().map_err(|_| TokenProblem::Malformed)?;
        let algorithm =
            TokenAlgorithm::of_name(parts.algorithm()).ok_or(TokenProblem::UnsupportedAlgorithm)?;
        let header = parts.header();
        if header.other_fields.critical.is_some() {
            return Err(TokenProblem::CriticalHeader);
        }
        if header
            .key_id
            .as_ref()
            .is_some_and(|kid| kid.len() > MAX_KEY_ID_BYTES)
        {
            return Err(TokenProblem::Malformed);
        }
        Ok(Self { parts, algorithm })
    }

    /// Returns the key id in the token's header.
    #[must_use]
    pub fn key_id(&self) -> Option<&str> {
        self.parts.header().key_id.as_deref()
    }

    /// Returns the unverified issuer, for the choice of a verifier.
    #[must_use]
    pub fn claimed_issuer(&self) -> Option<String> {
        let claims = self.parts.deserialize_claims_unchecked::<IssuerClaim>().ok()?;
        claims.custom.iss
    }

    /// Returns the unverified audiences, for the choice of a verifier.
    #[must_use]
    pub fn claimed_audiences(&self) -> Vec<String> {
        let claims = self.parts.deserialize_claims_unchecked::<AudienceClaim>();
        match claims.ok().and_then(|claims| claims.custom.aud) {
            Some(Value::String(name)) => vec![name],
            Some(Value::Array(list)) => {
                let names = list.into_iter().filter_map(|name| match name {
                    Value::String(name) => Some(name),
                    _ => None,
                });
                names.collect()
            }
            _ => Vec::new(),
        }
    }

    /// Returns the unverified subject, for the audit record of a refused token.
    #[must_use]
    pub fn claimed_subject(&self) -> Option<String> {
        let claims = self.parts.deserialize_claims_unchecked::<SubjectClaim>().ok()?;
        claims.custom.sub
    }
}

fn decode(part: &str) -> Result<Vec<u8>, TokenProblem> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenProblem::Malformed)
}
