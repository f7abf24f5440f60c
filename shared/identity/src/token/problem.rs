//! What is wrong with a token.

use std::fmt::{Display, Formatter, Result};

/// Why a token is not accepted. What it displays is safe to show to whoever sent the token: it repeats nothing of
/// the token and nothing of the keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenProblem {
    /// Longer than [`MAX_TOKEN_BYTES`](super::MAX_TOKEN_BYTES).
    TooLarge,
    /// Not three parts of base64url with JSON objects in them, or a claim is not of its type.
    Malformed,
    /// More than [`MAX_CLAIMS`](super::MAX_CLAIMS) claims, or claims nested too deeply.
    TooComplex,
    /// An algorithm that is not accepted at all: `none`, and whatever this service does not know.
    UnsupportedAlgorithm,
    /// Another algorithm than the one that the key is for.
    AlgorithmMismatch,
    /// A header marked as critical (RFC 7515, section 4.1.11); none is understood here.
    CriticalHeader,
    /// The header `typ` says that it is something else than an access token.
    WrongType,
    /// No such key. The issuer may have a new one: fetch its keys again, within reason.
    UnknownKey {
        /// What the token calls its key; it comes from whoever sent the token, so it is not displayed.
        kid: Option<String>,
    },
    /// The signature is not of this key and this text.
    BadSignature,
    /// At or past `exp`.
    Expired,
    /// The key that it was issued by was revoked, or all tokens of its time were.
    Revoked,
    /// Before `nbf`.
    NotYetValid,
    /// `iat` is in the future.
    IssuedInFuture,
    /// Nobody has an issuer for what `iss` and `aud` say.
    UnknownIssuer,
    /// `iss` is not the issuer of these keys.
    WrongIssuer,
    /// `aud` does not name this service.
    WrongAudience,
    /// A claim that must be there is not.
    MissingClaim(Box<str>),
    /// A claim has a value that cannot be meant.
    InvalidClaim(Box<str>),
}

impl TokenProblem {
    /// Whether the token may be good by other keys of its issuer.
    #[must_use]
    pub const fn other_keys_may_help(&self) -> bool {
        matches!(
            self,
            Self::UnknownKey { .. } | Self::BadSignature | Self::AlgorithmMismatch
        )
    }

    /// Whether a [`Verifier`](super::Verifier) that says so has found the signature good: then the claims are the issuer's.
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
