//! The fields of a key that a caller chooses.

use ipnet::IpNet;
use leaderboard_core::access::Scopes;
use leaderboard_core::{Invalid, Timestamp};

/// The longest name of a key, in characters.
pub const MAX_KEY_NAME_CHARS: usize = 200;
/// The most address ranges of one key.
pub const MAX_ALLOWED_ADDRESSES: usize = 64;

/// The fields of a key that a caller chooses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeySettings {
    /// The name for people.
    pub name: String,
    /// The scopes of the key.
    pub scopes: Scopes,
    /// When the key expires; `None` if it never expires.
    pub expires_at: Option<Timestamp>,
    /// The addresses that may use the key. An empty list allows all addresses.
    pub allowed_addresses: Vec<IpNet>,
    /// The addresses that may use the tokens that the key issues to players. `None` means the addresses of the key; an empty list
    /// allows all addresses.
    pub token_addresses: Option<Vec<IpNet>>,
}

impl KeySettings {
    /// Returns a fault for each field that breaks a rule, for a key that is created at `now`.
    #[must_use]
    pub fn find_faults(&self, now: Timestamp) -> Vec<Invalid> {
        let mut faults = Vec::new();
        let length = self.name.chars().count();
        if !(1..=MAX_KEY_NAME_CHARS).contains(&length) || self.name.chars().any(char::is_control) {
            let detail = format!("must be 1 to {MAX_KEY_NAME_CHARS} characters without control characters");
            faults.push(Invalid::new("/name", detail));
        }
        if self.scopes == Scopes::NONE {
            faults.push(Invalid::new("/scopes", "must not be empty"));
        }
        let token_addresses = self.token_addresses.as_ref();
        for (pointer, count) in [
            ("/allowed_addresses", self.allowed_addresses.len()),
            ("/token_addresses", token_addresses.map_or(0, Vec::len)),
        ] {
            if count > MAX_ALLOWED_ADDRESSES {
                let detail = format!("must be at most {MAX_ALLOWED_ADDRESSES}");
                faults.push(Invalid::new(pointer, detail));
            }
        }
        if self.expires_at.is_some_and(|end| end <= now) {
            let detail = format!("must be in the future; it is {now} by the server's clock");
            faults.push(Invalid::new("/expires_at", detail));
        }
        faults
    }
}
