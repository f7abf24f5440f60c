//! The operator's secrets.

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// A secret that credentials are compared with. It contains a digest, not the secret itself.
#[derive(Clone)]
pub struct Secret(Option<[u8; 32]>);

/// The shortest key that an operator may set, in bytes. A shorter key could be guessed.
pub(crate) const MIN_KEY_BYTES: usize = 32;

impl Secret {
    /// Creates a secret from a key that the operator has set. If the key is empty, nothing matches the secret.
    ///
    /// # Errors
    /// A text for the operator if the key is shorter than [`MIN_KEY_BYTES`] and not empty.
    pub fn of_operator(key: &str) -> Result<Self, String> {
        if (1..MIN_KEY_BYTES).contains(&key.len()) {
            return Err(format!("must have at least {MIN_KEY_BYTES} bytes"));
        }
        Ok(Self::new(key))
    }

    /// Creates a secret from text. If the text is empty, nothing matches the secret, so that an empty setting gives nobody
    /// access.
    #[must_use]
    pub fn new(secret: &str) -> Self {
        Self((!secret.is_empty()).then(|| Sha256::digest(secret.as_bytes()).into()))
    }

    /// Returns whether `presented` is the secret. The comparison takes the same time for all differences.
    #[must_use]
    pub fn matches(&self, presented: &[u8]) -> bool {
        let digest: [u8; 32] = Sha256::digest(presented).into();
        self.0.as_ref().is_some_and(|own| bool::from(own.ct_eq(&digest)))
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_matches_itself_alone_and_shows_nothing() {
        let secret = Secret::new("open sesame");
        assert!(secret.matches(b"open sesame"));
        assert!(!secret.matches(b"open sesame "));
        assert!(!secret.matches(b""));
        assert_eq!(format!("{secret:?}"), "Secret");
    }

    #[test]
    fn a_key_of_the_operator_is_long_or_missing() {
        let long = "x".repeat(MIN_KEY_BYTES);
        assert!(Secret::of_operator(&long).unwrap().matches(long.as_bytes()));
        assert!(!Secret::of_operator("").unwrap().matches(b""));
        for short in ["x", &long[1..]] {
            let refused = Secret::of_operator(short).unwrap_err();
            assert_eq!(refused, "must have at least 32 bytes");
        }
    }

    #[test]
    fn nothing_matches_the_empty_secret() {
        assert!(!Secret::new("").matches(b""));
    }
}
