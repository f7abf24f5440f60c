//! JSON Web Tokens (RFC 7519), verified as RFC 8725 requires: every key has one algorithm, and a token's own header decides nothing.

mod claims;
mod issuer;
mod key;
mod key_binding;
mod key_set;
mod presented;
mod problem;
mod public_hosts;
mod shape;
mod verifier;

pub use claims::{ClaimsMapping, DEFAULT_PLAYER_CLAIM, MAX_CLAIM_NAME_BYTES, TenantSource};
pub use issuer::{
    Discovery, DocumentProblem, Hosts, MAX_DISCOVERY_BYTES, MAX_URL_BYTES, checked_url, discovery_url,
};
pub use key::{
    KeyOrigin, KeyProblem, MAX_KEY_ID_BYTES, MAX_PEM_BYTES, MAX_RSA_BITS, MIN_RSA_BITS, MIN_SECRET_BYTES,
    TokenAlgorithm, VerificationKey,
};
pub use key_binding::KeyBinding;
pub use key_set::{KeySet, MAX_KEY_SET_BYTES, MAX_KEYS, MAX_KEYS_TRIED};
pub use presented::{MAX_TOKEN_BYTES, PresentedToken};
pub use problem::TokenProblem;
pub use shape::{MAX_CLAIMS, MAX_CLAIMS_DEPTH};
pub use verifier::{
    DEFAULT_LEEWAY_S, MAX_AUDIENCES, MAX_LEEWAY_S, MAX_SUBJECT_BYTES, MAX_TOKEN_ID_BYTES, TokenType,
    VerifiedToken, Verifier,
};
