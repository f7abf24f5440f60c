//! Problems of tokens.

/// Why a token is refused. The displayed text is safe to show to its sender: it contains no part of the token or of a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenProblem {
    /// The token is longer than [`MAX_TOKEN_BYTES`](super::MAX_TOKEN_BYTES).
    #[error("the token is too large")]
    TooLarge,
    /// The token does not consist of three parts of base64url with JSON objects, or a claim has a wrong type.
    #[error("the token is malformed")]
    Malformed,
    /// The token has more than [`MAX_CLAIMS`](super::MAX_CLAIMS) claims, or its claims are nested too deeply.
    #[error("the token has too many claims")]
    TooComplex,
    /// The token names an algorithm that this service does not support, such as `none`.
    #[error("the token's algorithm is not supported")]
    UnsupportedAlgorithm,
    /// The token names another algorithm than the algorithm of the key.
    #[error("the token's algorithm is not the one of its key")]
    AlgorithmMismatch,
    /// The token has a critical header (RFC 7515, section 4.1.11). This service supports no such header.
    #[error("the token has a critical header that is not understood")]
    CriticalHeader,
    /// The header `typ` names another kind of token.
    #[error("the token is not an access token")]
    WrongType,
    /// The key is unknown. The issuer may have a new key, so the caller may fetch the keys again.
    #[error("the token's key is not known")]
    UnknownKey {
        /// The key id in the token. It comes from the sender, so it is not displayed.
        kid: Option<String>,
    },
    /// The signature is not valid for this key and this text.
    #[error("the token's signature is not valid")]
    BadSignature,
    /// The current time is at or after `exp`.
    #[error("the token has expired")]
    Expired,
    /// The API key that issued the token was revoked, or all tokens of that time were revoked.
    #[error("the token was revoked")]
    Revoked,
    /// The current time is before `nbf`.
    #[error("the token is not yet valid")]
    NotYetValid,
    /// `iat` is in the future.
    #[error("the token was issued in the future")]
    IssuedInFuture,
    /// No configured issuer has this `iss` and `aud`.
    #[error("the token's issuer is not trusted for its audience")]
    UnknownIssuer,
    /// `iss` is not the issuer of these keys.
    #[error("the token has the wrong issuer")]
    WrongIssuer,
    /// `aud` does not name this service.
    #[error("the token has the wrong audience")]
    WrongAudience,
    /// A required claim is missing.
    #[error("the token lacks the claim {0}")]
    MissingClaim(Box<str>),
    /// A claim has an invalid value.
    #[error("the token's claim {0} is not valid")]
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
