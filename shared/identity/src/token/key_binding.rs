//! The binding of a player's token to the API key that issued it.

use ipnet::IpNet;
use leaderboard_core::Timestamp;
use serde_json::Value;

use super::TokenProblem;
use super::claims::ClaimMap;
use crate::api_key::{ApiKeyRecord, KeyId};

/// The claim with the id of the API key that issued the token.
const KEY_CLAIM: &str = "key";
/// The claim with the time at which this key was created, in milliseconds since the epoch.
const KEY_MADE_CLAIM: &str = "key_made";
/// The claim with the address ranges that may use the token.
const ADDRESSES_CLAIM: &str = "net";

/// The API key that issued a token, and the limits that the token gets from the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyBinding {
    /// The key. The token is valid only as long as the key.
    pub key: KeyId,
    /// When the key was created, which tells it from other keys of the same id; `None` in tokens of older versions.
    pub key_made_at: Option<Timestamp>,
    /// The addresses that may use the token; empty allows all.
    pub addresses: Vec<IpNet>,
}

impl KeyBinding {
    /// Returns the binding of tokens that `key` issues to players.
    #[must_use]
    pub fn to_key(key: &ApiKeyRecord) -> Self {
        let addresses = key.token_addresses.as_ref().unwrap_or(&key.allowed_addresses);
        Self {
            key: key.id,
            key_made_at: Some(key.created_at),
            addresses: addresses.clone(),
        }
    }

    /// Checks whether a token with this binding, issued at `issued_at`, was issued by `key` and is still valid. An id alone is not
    /// enough: if the request that created a removed key is repeated, it creates another key with the same id.
    ///
    /// # Errors
    /// [`TokenProblem`].
    pub fn check(
        &self,
        key: &ApiKeyRecord,
        issued_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<(), TokenProblem> {
        let is_own = match self.key_made_at {
            Some(made_at) => made_at == key.created_at,
            // A token of an older version contains only the second of its issue.
            None => issued_at.is_some_and(|at| whole_second(at) >= whole_second(key.created_at)),
        };
        if key.revoked_at.is_some() || !is_own {
            return Err(TokenProblem::Revoked);
        }
        if key.expires_at.is_some_and(|end| now >= end) {
            return Err(TokenProblem::Expired);
        }
        Ok(())
    }

    /// Reads the binding of a token; `None` if the token is not bound to a key, or if its issuer does not
    /// bind tokens to keys (`binds`). A claim `key` that is not a text is refused from every issuer.
    pub(super) fn read(claims: &ClaimMap, binds: bool) -> Result<Option<Self>, TokenProblem> {
        let invalid = |claim: &str| TokenProblem::InvalidClaim(claim.into());
        let Some(key) = claims.text(KEY_CLAIM)?.filter(|_| binds) else {
            return Ok(None);
        };
        let range = |value: &Value| value.as_str()?.parse().ok();
        let addresses = match claims.get(ADDRESSES_CLAIM) {
            None => Some(Vec::new()),
            Some(Value::Array(list)) => list.iter().map(range).collect(),
            Some(_) => None,
        };
        let key_made_at = match claims.get(KEY_MADE_CLAIM) {
            None => None,
            Some(value) => {
                let instant = value.as_i64().and_then(Timestamp::from_unix_ms);
                Some(instant.ok_or_else(|| invalid(KEY_MADE_CLAIM))?)
            }
        };
        Ok(Some(Self {
            key_made_at,
            key: KeyId::parse(key).ok_or_else(|| invalid(KEY_CLAIM))?,
            addresses: addresses.ok_or_else(|| invalid(ADDRESSES_CLAIM))?,
        }))
    }
}

/// Returns the whole seconds from the epoch to an instant.
const fn whole_second(instant: Timestamp) -> i64 {
    instant.as_unix_ms().div_euclid(1000)
}
