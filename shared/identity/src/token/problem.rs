//! Problems of tokens.

use std::fmt::{Display, Formatter, Result};

/// Why a token is refused. The displayed text is safe to show to its sender: it contains no part of the token or of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenProblem {
    /// The token is longer than [`MAX_TOKEN_BYTES`](super::MAX_TOKEN_BYTES).
    TooLarge,
    /// The token does not consist of three parts of base64url with JSON objects, or a claim has a wrong type.
    Malformed,
    /// The token has more than [`MAX_CLAIMS`](super::MAX_CLAIMS) claims, or its claims are nested too deeply.
    TooComplex,
    /// The token names an algorithm that this service does not support, such as `none`.
    UnsupportedAlgorithm,
    /// The token names another algorithm than the algorithm of the key.
    AlgorithmMismatch,
    /// The token has a critical header (RFC 7515, section 4.1.11). This service supports no such header.
    CriticalHeader,
    /// The header `typ` names another kind of token.
    WrongType,
    /// The key is unknown. The issuer may have a new key, so the caller may fetch the keys again.
    UnknownKey {
        /// The key id in the token. It comes from the sender, so it is not displayed.
        kid: Option<String>,
    },
    /// The signature is not valid for this key and this text.
    BadSignature,
    /// The current time is at or after `exp`.
    Expired,
    /// The API key that issued the token was revoked, or all tokens of that time were revoked.
    Revoked,
    /// The current time is before `nbf`.
    NotYetValid,
    /// `iat` is in the future.
    IssuedInFuture,
    /// No configured issuer has this `iss` and `aud`.
    UnknownIssuer,
    /// `iss` is not the issuer of these keys.
    WrongIssuer,
    /// `aud` does not name this service.
    WrongAudience,
    /// A required claim is missing.
    MissingClaim(Box<str>),
    /// A claim has an invalid value.
    InvalidClaim(Box<str>),
}

impl TokenProblem {
    /// Returns whether the token may be valid with other keys of its issuer.
    #[must_use]
    pub const fn other_keys_may_help(&self) -> bool {
        matches!(
            self,
            Self::UnknownKey { .. } | Self::BadSignature | Self::AlgorithmMismatch
        )
    }

    /// Returns whether a [`Verifier`](super::Verifier) reports this problem only after it has verified the signature. Then the claims
    /// are the issuer's.
    #[must_use]
    pub const fn is_of_signed_claims(&self) -> bool {
        matches!(
            self,
            Self::Expired
                | Self::NotYetValid
                | Self::IssuedInFuture
                | Self::WrongIssuer
                | Self::WrongAudience
                | Self::MissingClaim(_)
                | Self::InvalidClaim(_)
        )
    }
}

impl Display for TokenProblem {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(match self {
            Self::TooLarge => "the token is too large",
            Self::Malformed => "the token is malformed",
            Self::TooComplex => "the token has too many claims",
            Self::UnsupportedAlgorithm => "the token's algorithm is not supported",
            Self::AlgorithmMismatch => "the token's algorithm is not the one of its key",
            Self::CriticalHeader => "the token has a critical header that is not understood",
            Self::WrongType => "the token is not an access token",
            Self::UnknownKey { .. } => "the token's key is not known",
            Self::BadSignature => "the token's signature is not valid",
            Self::Expired => "the token has expired",
            Self::Revoked => "the token was revoked",
            Self::NotYetValid => "the token is not yet valid",
            Self::IssuedInFuture => "the token was issued in the future",
            Self::UnknownIssuer => "the token's issuer is not trusted for its audience",
            Self::WrongIssuer => "the token has the wrong issuer",
            Self::WrongAudience => "the token has the wrong audience",
            Self::MissingClaim(name) => return write!(f, "the token lacks the claim {name}"),
            Self::InvalidClaim(name) => return write!(f, "the token's claim {name} is not valid"),
        })
    }
}

impl std::error::Error for TokenProblem {}
