//! What is kept of a key, and whether it opens the door now.

use std::net::IpAddr;

use ipnet::IpNet;
use leaderboard_core::access::Scopes;
use leaderboard_core::ports::IDEMPOTENCY_MS;
use leaderboard_core::{Fingerprint, TenantId, Timestamp};

use super::{KeyId, SecretDigest};
use crate::token::{KeyBinding, TokenProblem};

/// How long a replaced secret may stay valid, in seconds: 30 days.
pub const MAX_OVERLAP_S: u32 = 30 * 24 * 60 * 60;

/// Former secrets of one key that can be good at the same time.
pub const MAX_FORMER_SECRETS: usize = 8;
/// Requests that one key remembers.
pub const MAX_REQUESTS: usize = 8;

/// A secret before the present one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplacedSecret {
    /// Its digest.
    pub digest: SecretDigest,
    /// Until when it is still good.
    pub valid_until: Timestamp,
}

/// The idempotency record of a request that made the key or a secret of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyRequest {
    /// A digest of what the request was for, its caller, and its idempotency key.
    pub name: Fingerprint,
    /// A digest of its body.
    pub body: Fingerprint,
    /// When it was done.
    pub at: Timestamp,
}

/// Why a key gets no new secret: [`MAX_FORMER_SECRETS`] former ones are still good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooManySecrets {
    /// When the next of them ends.
    pub until: Timestamp,
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
    /// From where the tokens may be used that it issues to players; `None` is from where the key may be used itself, empty is
    /// from everywhere.
    pub token_addresses: Option<Vec<IpNet>>,
    /// The digest of its secret.
    pub digest: SecretDigest,
    /// The secrets before, the newest first, each with an end of its own.
    pub former: Vec<ReplacedSecret>,
    /// The last requests that made the key or a secret of it, the newest first.
    pub requests: Vec<KeyRequest>,
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

    /// What binds the tokens that it issues to players.
    #[must_use]
    pub fn token_binding(&self) -> KeyBinding {
        let addresses = self.token_addresses.as_ref().unwrap_or(&self.allowed_addresses);
        KeyBinding {
            key: self.id,
            key_made_at: Some(self.created_at),
            addresses: addresses.clone(),
        }
    }

    /// Whether a token with this binding to a key of this id, issued at that instant, is of this key and still good. An id can come
    /// back: a key that was removed and is made again by the same idempotent request has it, and is another key.
    ///
    /// # Errors
    /// Why it is not.
    pub fn check_token(
        &self,
        binding: &KeyBinding,
        issued_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<(), TokenProblem> {
        let is_own = match binding.key_made_at {
            Some(made_at) => made_at == self.created_at,
            // A token of an older version has nothing but its whole second.
            None => issued_at.is_some_and(|at| whole_second(at) >= whole_second(self.created_at)),
        };
        if self.revoked_at.is_some() || !is_own {
            return Err(TokenProblem::Revoked);
        }
        if self.expires_at.is_some_and(|end| now >= end) {
            return Err(TokenProblem::Expired);
        }
        Ok(())
    }

    /// Puts a new secret in the place of the present one, which stays good for `overlap_s`. Secrets before it keep their ends.
    ///
    /// # Errors
    /// [`TooManySecrets`] when no more can be kept that are still good; without an overlap there is always room.
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
        // Those that are over stay while there is room: who shows one learns that it was replaced.
        while self.former.len() > MAX_FORMER_SECRETS {
            let over = self.former.iter().rposition(|before| before.valid_until <= now);
            self.former.remove(over.unwrap_or(0));
        }
        Ok(())
    }

    /// Until when a secret before the present one is good at most; `None` when there never was one.
    #[must_use]
    pub fn former_secrets_until(&self) -> Option<Timestamp> {
        self.former.iter().map(|before| before.valid_until).max()
    }

    /// The request of that name, if it was done within [`IDEMPOTENCY_MS`] and is among the last [`MAX_REQUESTS`].
    #[must_use]
    pub fn request(&self, name: &Fingerprint, now: Timestamp) -> Option<&KeyRequest> {
        let known = |request: &&KeyRequest| {
            request.name == *name && now < request.at.saturating_add_ms(IDEMPOTENCY_MS)
        };
        self.requests.iter().find(known)
    }

    /// Remembers a request that has been done.
    pub fn remember(&mut self, request: KeyRequest) {
        self.requests.insert(0, request);
        self.requests.truncate(MAX_REQUESTS);
    }
}

/// The second that an instant is in, since the epoch.
const fn whole_second(instant: Timestamp) -> i64 {
    instant.as_unix_ms().div_euclid(1000)
}

/// Whether an address is in one of the ranges, or there are none. An address that is not known is in no range.
#[must_use]
pub fn is_within(ranges: &[IpNet], address: Option<IpAddr>) -> bool {
    ranges.is_empty()
        || address.is_some_and(|address| {
            // An IPv4 client of an IPv6 socket is an IPv4 client.
            let address = address.to_canonical();
            ranges.iter().any(|range| range.contains(&address))
        })
}
