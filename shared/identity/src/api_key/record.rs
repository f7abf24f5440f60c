//! What is kept of a key, and whether it opens the door now.

use std::net::IpAddr;

use ipnet::IpNet;
use leaderboard_core::access::Scopes;
use leaderboard_core::{Invalid, TenantId, Timestamp};

use super::{KeyId, SecretDigest};

/// The longest name of a key, in characters.
pub const MAX_KEY_NAME_CHARS: usize = 200;
/// Address ranges of one key.
pub const MAX_ALLOWED_ADDRESSES: usize = 64;
/// How long a replaced secret may stay valid, in seconds: 30 days.
pub const MAX_OVERLAP_S: u32 = 30 * 24 * 60 * 60;

/// The secret before the present one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replaced {
    /// Its digest.
    pub digest: SecretDigest,
    /// Until when it is still good.
    pub valid_until: Timestamp,
}

/// A key as it is kept: everything but its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKeyRecord {
    /// The key's id.
    pub id: KeyId,
    /// The tenant it is for.
    pub tenant: TenantId,
    /// What people call it.
    pub name: String,
    /// What it is good for.
    pub scopes: Scopes,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// From where it may be used; empty is from everywhere.
    pub allowed_addresses: Vec<IpNet>,
    /// The digest of its secret.
    pub digest: SecretDigest,
    /// The secret before, after a rotation.
    pub replaced: Option<Replaced>,
}

/// Why a key does not open the door. What it displays is safe to show to whoever sent the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyRefusal {
    /// Another secret than the key's. To whoever sent it this is a key that does not exist.
    WrongSecret,
    /// The secret was replaced, and its overlap is over.
    Replaced,
    /// The key was revoked.
    Revoked,
    /// The key has expired.
    Expired,
    /// The key may not be used from this address.
    Address,
}

impl std::fmt::Display for KeyRefusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::WrongSecret => "the key is not valid",
            Self::Replaced => "the key was replaced by a newer one",
            Self::Revoked => "the key was revoked",
            Self::Expired => "the key has expired",
            Self::Address => "the key may not be used from this address",
        })
    }
}

impl std::error::Error for KeyRefusal {}

impl ApiKeyRecord {
    /// Whether the key with this secret opens the door now, from this address. The secret comes first: whoever does
    /// not have it learns nothing about the key.
    ///
    /// # Errors
    /// Why it does not.
    pub fn check(
        &self,
        secret: &SecretDigest,
        address: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<(), KeyRefusal> {
        let replaced = self.replaced.as_ref().filter(|before| before.digest == *secret);
        if self.digest != *secret && replaced.is_none() {
            return Err(KeyRefusal::WrongSecret);
        }
        if self.revoked_at.is_some() {
            return Err(KeyRefusal::Revoked);
        }
        if self.expires_at.is_some_and(|end| now >= end) {
            return Err(KeyRefusal::Expired);
        }
        if replaced.is_some_and(|before| now >= before.valid_until) {
            return Err(KeyRefusal::Replaced);
        }
        if self.may_come_from(address) {
            Ok(())
        } else {
            Err(KeyRefusal::Address)
        }
    }

    /// An address that is not known is in no range.
    fn may_come_from(&self, address: Option<IpAddr>) -> bool {
        self.allowed_addresses.is_empty()
            || address.is_some_and(|address| {
                // An IPv4 client of an IPv6 socket is an IPv4 client.
                let address = address.to_canonical();
                self.allowed_addresses
                    .iter()
                    .any(|range| range.contains(&address))
            })
    }

    /// Puts a new secret in the place of the present one, which stays good for `overlap_s`.
    pub fn replace_secret(&mut self, digest: SecretDigest, now: Timestamp, overlap_s: u32) {
        let valid_until = now.saturating_add_ms(i64::from(overlap_s.min(MAX_OVERLAP_S)) * 1000);
        let before = std::mem::replace(&mut self.digest, digest);
        self.replaced = Some(Replaced {
            digest: before,
            valid_until,
        });
    }

    /// Checks the fields that a caller chooses.
    ///
    /// # Errors
    /// The first that breaks a rule.
    pub fn validate(&self) -> Result<(), Invalid> {
        let length = self.name.chars().count();
        if !(1..=MAX_KEY_NAME_CHARS).contains(&length) || self.name.chars().any(char::is_control) {
            let detail = format!("must be 1 to {MAX_KEY_NAME_CHARS} characters without control characters");
            return Err(Invalid::new("/name", detail));
        }
        if self.scopes == Scopes::NONE {
            return Err(Invalid::new("/scopes", "must not be empty"));
        }
        if self.allowed_addresses.len() > MAX_ALLOWED_ADDRESSES {
            let detail = format!("must be at most {MAX_ALLOWED_ADDRESSES}");
            return Err(Invalid::new("/allowed_addresses", detail));
        }
        if self.expires_at.is_some_and(|end| end <= self.created_at) {
            return Err(Invalid::new("/expires_at", "must be in the future"));
        }
        Ok(())
    }
}
