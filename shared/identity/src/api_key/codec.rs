//! The bytes that a record is kept as: JSON with the number of its format.

use ipnet::IpNet;
use leaderboard_core::access::Scopes;
use leaderboard_core::{TenantId, Timestamp};
use serde::{Deserialize, Serialize};

use super::{ApiKeyRecord, KeyId, Replaced, SecretDigest};

const FORMAT: u8 = 1;

#[derive(Serialize, Deserialize)]
struct Wire {
    v: u8,
    id: String,
    tenant: String,
    name: String,
    scopes: Vec<String>,
    created_ms: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_ms: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    revoked_ms: Option<i64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    addresses: Vec<IpNet>,
    digest: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    replaced: Option<WireReplaced>,
}

#[derive(Serialize, Deserialize)]
struct WireReplaced {
    digest: String,
    until_ms: i64,
}

impl ApiKeyRecord {
    /// The bytes to keep.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let wire = Wire {
            v: FORMAT,
            id: self.id.to_string(),
            tenant: self.tenant.to_string(),
            name: self.name.clone(),
            scopes: self.scopes.names().map(str::to_owned).collect(),
            created_ms: self.created_at.as_unix_ms(),
            expires_ms: self.expires_at.map(Timestamp::as_unix_ms),
            revoked_ms: self.revoked_at.map(Timestamp::as_unix_ms),
            addresses: self.allowed_addresses.clone(),
            digest: self.digest.to_text(),
            replaced: self.replaced.as_ref().map(|before| WireReplaced {
                digest: before.digest.to_text(),
                until_ms: before.valid_until.as_unix_ms(),
            }),
        };
        // Strings, numbers and lists of them always serialise.
        serde_json::to_vec(&wire).unwrap_or_default()
    }

    /// Reads what [`ApiKeyRecord::encode`] has written; `None` for damaged bytes, another format, or a scope that this
    /// version does not know.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let wire: Wire = serde_json::from_slice(bytes).ok()?;
        if wire.v != FORMAT {
            return None;
        }
        let time = |ms: Option<i64>| match ms {
            None => Some(None),
            Some(ms) => Timestamp::from_unix_ms(ms).map(Some),
        };
        let replaced = match wire.replaced {
            None => None,
            Some(before) => Some(Replaced {
                digest: SecretDigest::parse(&before.digest)?,
                valid_until: Timestamp::from_unix_ms(before.until_ms)?,
            }),
        };
        Some(Self {
            id: KeyId::parse(&wire.id)?,
            tenant: TenantId::new(wire.tenant).ok()?,
            name: wire.name,
            scopes: wire.scopes.iter().try_fold(Scopes::NONE, |all, name| {
                Scopes::named(name).map(|one| all.with(one))
            })?,
            created_at: Timestamp::from_unix_ms(wire.created_ms)?,
            expires_at: time(wire.expires_ms)?,
            revoked_at: time(wire.revoked_ms)?,
            allowed_addresses: wire.addresses,
            digest: SecretDigest::parse(&wire.digest)?,
            replaced,
        })
    }
}
