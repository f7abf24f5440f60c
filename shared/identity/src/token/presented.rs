//! A token as somebody sent it: taken apart, nothing of it believed.

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

/// The header's fields that the library does not know.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct ExtraHeader {
    #[serde(rename = "crit")]
    critical: Option<IgnoredAny>,
}

/// The one claim that is read before the signature: it only says which keys to look at.
#[derive(Debug, Deserialize)]
struct IssuerClaim {
    iss: Option<String>,
}

/// The other one, for the same purpose.
#[derive(Debug, Deserialize)]
struct AudienceClaim {
    aud: Option<Value>,
}

/// Whose a token is, for the record of a refusal.
#[derive(Debug, Deserialize)]
struct SubjectClaim {
    sub: Option<String>,
}

/// A token in its parts. Nothing of it is true until a [`Verifier`](super::Verifier) has seen it.
#[derive(Debug)]
pub struct PresentedToken<'a> {
    pub(super) parts: UntrustedToken<'a, ExtraHeader>,
    pub(super) algorithm: TokenAlgorithm,
}

impl<'a> PresentedToken<'a> {
    /// Takes a token apart.
    ///
    /// # Errors
    /// A token that no key can make valid: too large, too complex, malformed, of an unsupported algorithm
    /// (`none` is one), or with a critical header.
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

    /// What the token calls its key.
    #[must_use]
    pub fn key_id(&self) -> Option<&str> {
        self.parts.header().key_id.as_deref()
    }

    /// Who the token says has issued it: good for choosing a verifier, which then checks it.
    #[must_use]
    pub fn claimed_issuer(&self) -> Option<String> {
        let claims = self.parts.deserialize_claims_unchecked::<IssuerClaim>().ok()?;
        claims.custom.iss
    }

    /// For whom the token says it is: good for choosing a verifier, which then checks it.
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

    /// Whose the token says it is: good for a record of one that was refused.
    #[must_use]
    pub fn claimed_subject(&self) -> Option<String> {
        let claims = self.parts.deserialize_claims_unchecked::<SubjectClaim>().ok()?;
        claims.custom.sub
    }
}

fn decode(part: &str) -> Result<Vec<u8>, TokenProblem> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenProblem::Malformed)
}
