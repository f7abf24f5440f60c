//! The stored record of an API key, and the check of a secret against it.

use std::net::IpAddr;

use ipnet::IpNet;
use leaderboard_core::access::Scopes;
use leaderboard_core::ports::IDEMPOTENCY_MS;
use leaderboard_core::{Fingerprint, TenantId, Timestamp};

use super::{KeyId, SecretDigest};

/// How long a replaced secret may stay valid, in seconds: 30 days.
pub const MAX_OVERLAP_S: u32 = 30 * 24 * 60 * 60;

/// The most former secrets of one key that can be valid at the same time.
pub const MAX_FORMER_SECRETS: usize = 8;
/// The most idempotency records that the record of a key keeps.
pub const MAX_REQUESTS: usize = 8;

/// A former secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplacedSecret {
    /// The digest of the secret.
    pub digest: SecretDigest,
    /// When the secret stops being valid.
    pub valid_until: Timestamp,
}

/// The idempotency record of a request that created the key or a secret of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyRequest {
    /// A digest of the operation, the caller and the idempotency key.
    pub name: Fingerprint,
    /// A digest of the request's body.
    pub body: Fingerprint,
    /// When the request was served.
    pub at: Timestamp,
}

/// A key cannot get a new secret because [`MAX_FORMER_SECRETS`] former secrets are still valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooManySecrets {
    /// When the oldest of these former secrets stops being valid.
    pub until: Timestamp,
}

/// The stored record of a key: all data of the key except its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKeyRecord {
    /// The key's id.
    pub id: KeyId,
    /// The tenant of the key.
    pub tenant: TenantId,
    /// The name for people.
    pub name: String,
    /// The scopes of the key.
    pub scopes: Scopes,
    /// When the key was created.
    pub created_at: Timestamp,
    /// When the key expires; `None` if it never expires.
    pub expires_at: Option<Timestamp>,
    /// When the key was revoked; `None` if it is not revoked.
    pub revoked_at: Option<Timestamp>,
    /// The addresses that may use the key. An empty list allows all addresses.
    pub allowed_addresses: Vec<IpNet>,
    /// The addresses that may use the tokens that the key issues to players. `None` means the addresses of the key; an empty list
    /// allows all addresses.
    pub token_addresses: Option<Vec<IpNet>>,
    /// The digest of the key's secret.
    pub digest: SecretDigest,
    /// The former secrets, newest first.
    pub former: Vec<ReplacedSecret>,
    /// The last requests that created the key or a secret of it, newest first.
    pub requests: Vec<KeyRequest>,
}

/// Why a key is refused. The displayed text is safe to show to the sender of the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyRefusal {
    /// The secret is wrong. The sender gets the same answer as for a key that does not exist.
    #[error("the key is not valid")]
    WrongSecret,
    /// The secret was replaced, and its overlap is over.
    #[error("the key was replaced by a newer one")]
    Replaced,
    /// The key was revoked.
    #[error("the key was revoked")]
    Revoked,
    /// The key has expired.
    #[error("the key has expired")]
    Expired,
    /// The key may not be used from this address.
    #[error("the key may not be used from this address")]
    Address,
}

impl ApiKeyRecord {
    /// Checks whether the key with this secret may be used from this address at `now`. Checks the secret first, so that a sender
    /// without the secret cannot find out anything about the key.
    ///
    /// # Errors
    /// [`KeyRefusal`].
    pub fn check(
        &self,
        secret: &SecretDigest,
        address: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<(), KeyRefusal> {
        let replaced = self.former.iter().find(|before| before.digest == *secret);
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
        if is_within(&self.allowed_addresses, address) {
            Ok(())
        } else {
            Err(KeyRefusal::Address)
        }
    }

    /// Replaces the secret. The replaced secret stays valid for `overlap_s` seconds; earlier secrets stay valid for as long as
    /// before.
    ///
    /// # Errors
    /// [`TooManySecrets`] if too many former secrets are still valid. This cannot happen without an overlap.
    pub fn replace_secret(
        &mut self,
        digest: SecretDigest,
        now: Timestamp,
        overlap_s: u32,
    ) -> Result<(), TooManySecrets> {
        let valid_until = now.saturating_add_ms(i64::from(overlap_s.min(MAX_OVERLAP_S)) * 1000);
        let good = || {
            self.former
                .iter()
                .map(|before| before.valid_until)
                .filter(|end| *end > now)
        };
        let full = good().count() >= MAX_FORMER_SECRETS;
        if let Some(until) = good().min().filter(|_| full && valid_until > now) {
            return Err(TooManySecrets { until });
        }
        let before = std::mem::replace(&mut self.digest, digest);
        self.former.insert(
            0,
            ReplacedSecret {
                digest: before,
                valid_until,
            },
        );
        // Secrets that are no longer valid stay while there is room, so that their senders learn that they were replaced.
        while self.former.len() > MAX_FORMER_SECRETS {
            let over = self.former.iter().rposition(|before| before.valid_until <= now);
            self.former.remove(over.unwrap_or(0));
        }
        Ok(())
    }

    /// Returns when the last former secret stops being valid; `None` if there are no former secrets.
    #[must_use]
    pub fn former_secrets_until(&self) -> Option<Timestamp> {
        self.former.iter().map(|before| before.valid_until).max()
    }

    /// Returns the request with this name, if it was served within [`IDEMPOTENCY_MS`] and is among the last [`MAX_REQUESTS`].
    #[must_use]
    pub fn request(&self, name: &Fingerprint, now: Timestamp) -> Option<&KeyRequest> {
        let known = |request: &&KeyRequest| {
            request.name == *name && now < request.at.saturating_add_ms(IDEMPOTENCY_MS)
        };
        self.requests.iter().find(known)
    }

    /// Adds a request that was served. Removes the oldest request if there are too many.
    pub fn add_request(&mut self, request: KeyRequest) {
        self.requests.insert(0, request);
        self.requests.truncate(MAX_REQUESTS);
    }
}

/// Returns whether an address is in one of the ranges, or there are no ranges. Returns false for an unknown address if there are
/// ranges.
#[must_use]
pub fn is_within(ranges: &[IpNet], address: Option<IpAddr>) -> bool {
    ranges.is_empty()
        || address.is_some_and(|address| {
            // An IPv4 client of an IPv6 socket is an IPv4 client.
            let address = address.to_canonical();
            ranges.iter().any(|range| range.contains(&address))
        })
}
