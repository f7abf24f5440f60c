//! The bytes that a record is kept as: JSON with the number of its format.

use ipnet::IpNet;
use leaderboard_core::access::Scopes;
use leaderboard_core::{TenantId, Timestamp};
use serde::{Deserialize, Serialize};

use super::{ApiKeyRecord, KeyId, KeyRequest, Replaced, SecretDigest};
use crate::hex;

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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token_addresses: Option<Vec<IpNet>>,
    digest: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    replaced: Option<WireReplaced>,
    /// Those before it. An instance of an older version sees the newest alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    replaced_before: Vec<WireReplaced>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    requests: Vec<WireRequest>,
}

#[derive(Serialize, Deserialize)]
struct WireReplaced {
    digest: String,
    until_ms: i64,
}

impl WireReplaced {
    fn new(replaced: &Replaced) -> Self {
        Self {
            digest: replaced.digest.to_text(),
            until_ms: replaced.valid_until.as_unix_ms(),
        }
    }

    fn read(&self) -> Option<Replaced> {
        Some(Replaced {
            digest: SecretDigest::parse(&self.digest)?,
            valid_until: Timestamp::from_unix_ms(self.until_ms)?,
        })
    }
}

#[derive(Serialize, Deserialize)]
struct WireRequest {
    name: String,
    body: String,
    at_ms: i64,
}

impl WireRequest {
    fn new(request: &KeyRequest) -> Self {
        Self {
            name: hex::encode(&request.name),
            body: hex::encode(&request.body),
            at_ms: request.at.as_unix_ms(),
        }
    }

    fn read(&self) -> Option<KeyRequest> {
        Some(KeyRequest {
            name: hex::decode(&self.name)?,
            body: hex::decode(&self.body)?,
            at: Timestamp::from_unix_ms(self.at_ms)?,
        })
    }
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
            token_addresses: self.token_addresses.clone(),
            digest: self.digest.to_text(),
            replaced: self.former.first().map(WireReplaced::new),
            replaced_before: self.former.iter().skip(1).map(WireReplaced::new).collect(),
            requests: self.requests.iter().map(WireRequest::new).collect(),
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
        let former = wire.replaced.iter().chain(&wire.replaced_before);
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
            token_addresses: wire.token_addresses,
            digest: SecretDigest::parse(&wire.digest)?,
            former: former.map(WireReplaced::read).collect::<Option<_>>()?,
            requests: wire
                .requests
                .iter()
                .map(WireRequest::read)
                .collect::<Option<_>>()?,
        })
    }
}
