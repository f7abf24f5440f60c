//! The secrets that sign webhooks, and the signatures (Standard Webhooks 1.0.0, symmetric scheme `v1`).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use sha2::Sha256;

/// The prefix of a secret's text, by which tools find leaked secrets.
const SECRET_PREFIX: &str = "whsec_";
/// The version of the signature scheme: HMAC-SHA256.
const SCHEME: &str = "v1";
/// The number of random bytes in a secret. The standard asks for 24 to 64.
const SECRET_BYTES: usize = 32;

/// A secret that signs webhooks. It is shown in full only where [`WebhookSecret::reveal`] is called.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookSecret([u8; SECRET_BYTES]);

impl std::fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WebhookSecret")
    }
}

impl WebhookSecret {
    /// Makes a secret of random bytes.
    #[must_use]
    pub const fn from_random(bytes: [u8; SECRET_BYTES]) -> Self {
        Self(bytes)
    }

    /// Returns the text of the secret: `whsec_` and the bytes in base64. The receiver needs this text.
    #[must_use]
    pub fn reveal(&self) -> String {
        format!("{SECRET_PREFIX}{}", STANDARD.encode(self.0))
    }

    /// Parses the text that [`WebhookSecret::reveal`] returns; `None` for other text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = STANDARD.decode(text.strip_prefix(SECRET_PREFIX)?).ok()?;
        bytes.try_into().ok().map(Self)
    }

    /// Returns the signature of a message: `v1,` and HMAC-SHA256 of `id.timestamp.body` in base64. `timestamp_s`: the seconds since
    /// the epoch, as the header `webhook-timestamp` has them.
    #[must_use]
    pub fn sign(&self, id: &str, timestamp_s: i64, body: &[u8]) -> String {
        // A key of any length fits HMAC (RFC 2104), so the error does not occur.
        let Ok(mut mac) = <Hmac<Sha256> as Mac>::new_from_slice(&self.0) else {
            return String::new();
        };
        mac.update(format!("{id}.{timestamp_s}.").as_bytes());
        mac.update(body);
        format!("{SCHEME},{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_survives_its_text_and_is_not_shown_by_debug() {
        let secret = WebhookSecret::from_random([7; 32]);
        let text = secret.reveal();
        assert_eq!(text, "whsec_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=");
        assert_eq!(WebhookSecret::parse(&text), Some(secret.clone()));
        for other in ["", "whsec_", "whsec_BwcH", &text[6..], "whsec_?"] {
            assert_eq!(WebhookSecret::parse(other), None, "{other}");
        }
        assert!(!format!("{secret:?}").contains("Bwc"));
    }

    /// What the standard's own libraries sign with this secret.
    const EXPECTED: &str = "v1,0ANzGnJGWWHmwudt0qLST2wpUTgWaHglALeEiddVSyk=";

    #[test]
    fn a_signature_is_that_of_the_standard() {
        let secret = WebhookSecret::from_random([7; 32]);
        let signature = secret.sign("msg_1", 1_674_087_231, br#"{"a":1}"#);
        assert_eq!(signature, EXPECTED);
        assert_ne!(secret.sign("msg_2", 1_674_087_231, br#"{"a":1}"#), EXPECTED);
        assert_ne!(secret.sign("msg_1", 1_674_087_232, br#"{"a":1}"#), EXPECTED);
        assert_ne!(secret.sign("msg_1", 1_674_087_231, br#"{"a":2}"#), EXPECTED);
    }
}
