//! What a caller chooses of a key.

use ipnet::IpNet;
use leaderboard_core::access::Scopes;
use leaderboard_core::{Invalid, Timestamp};

/// The longest name of a key, in characters.
pub const MAX_KEY_NAME_CHARS: usize = 200;
/// Address ranges of one key.
pub const MAX_ALLOWED_ADDRESSES: usize = 64;

/// The fields of a key that a caller chooses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeySettings {
    /// What people call it.
    pub name: String,
    /// What it is good for.
    pub scopes: Scopes,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// From where it may be used; empty is from everywhere.
    pub allowed_addresses: Vec<IpNet>,
    /// From where the tokens may be used that it issues to players; `None` is from where the key may be used itself, empty is
    /// from everywhere.
    pub token_addresses: Option<Vec<IpNet>>,
}

impl KeySettings {
    /// Every field that breaks a rule, of a key that is made at `now`.
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
