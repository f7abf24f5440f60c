//! The keys of an issuer (RFC 7517).

use serde::Deserialize;
use serde_json::Value;

use super::presented::PresentedToken;
use super::{DocumentProblem, KeyOrigin, TokenProblem, VerificationKey};

/// The longest key set, in bytes. Sets that contain certificates are long.
pub const MAX_KEY_SET_BYTES: usize = 128 * 1024;
/// The most keys in a set, including unusable keys.
pub const MAX_KEYS: usize = 64;
/// The most keys that are tried for one token, if its header does not name the key.
pub const MAX_KEYS_TRIED: usize = 4;

/// The keys of one issuer.
#[derive(Debug, Clone, Default)]
pub struct KeySet(Vec<VerificationKey>);

#[derive(Deserialize)]
struct KeySetDocument {
    keys: Vec<Value>,
}

impl KeySet {
    /// Creates a set of these keys, or of the first [`MAX_KEYS`].
    #[must_use]
    pub fn new(mut keys: Vec<VerificationKey>) -> Self {
        keys.truncate(MAX_KEYS);
        Self(keys)
    }

    /// Parses a set. Unusable keys are skipped as the RFC requires, because an issuer may publish keys for other services.
    ///
    /// # Errors
    /// [`DocumentProblem`] if the set is too large, has too many keys, is malformed, or has no usable key.
    pub fn parse(json: &[u8], origin: KeyOrigin) -> Result<Self, DocumentProblem> {
        if json.len() > MAX_KEY_SET_BYTES {
            return Err(DocumentProblem::TooLarge);
        }
        let document: KeySetDocument =
            serde_json::from_slice(json).map_err(|_| DocumentProblem::Malformed)?;
        if document.keys.len() > MAX_KEYS {
            return Err(DocumentProblem::TooLarge);
        }
        let usable = document
            .keys
            .iter()
            .filter_map(|jwk| VerificationKey::from_jwk(jwk, origin).ok());
        let set = Self(usable.collect());
        if set.is_empty() {
            return Err(DocumentProblem::NoKey);
        }
        Ok(set)
    }

    /// Returns an iterator over the keys.
    pub fn iter(&self) -> impl Iterator<Item = &VerificationKey> {
        self.0.iter()
    }

    /// Returns the number of keys.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether the set has no keys.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns at most [`MAX_KEYS_TRIED`] keys of the token's algorithm that may have signed the token.
    /// Without a key id in the token, these are all keys. Otherwise these are the keys with that id, or, if
    /// there are none, the keys without an id.
    pub(super) fn candidates(
        &self,
        token: &PresentedToken<'_>,
    ) -> Result<Vec<&VerificationKey>, TokenProblem> {
        let kid = token.key_id();
        let named = kid.is_some() && self.0.iter().any(|key| key.key_id() == kid);
        let may = |key: &&VerificationKey| kid.is_none() || key.key_id() == kid.filter(|_| named);
        let fitting: Vec<_> = self
            .0
            .iter()
            .filter(may)
            .filter(|key| key.algorithm() == token.algorithm)
            .take(MAX_KEYS_TRIED)
            .collect();
        if !fitting.is_empty() {
            Ok(fitting)
        } else if named {
            Err(TokenProblem::AlgorithmMismatch)
        } else {
            let kid = kid.map(str::to_owned);
            Err(TokenProblem::UnknownKey { kid })
        }
    }
}
