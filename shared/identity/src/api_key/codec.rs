//! The stored format of a key's record: JSON with a format number.

use ipnet::IpNet;
use leaderboard_core::access::Scopes;
use leaderboard_core::{TenantId, Timestamp};
use serde::{Deserialize, Serialize};

use super::{ApiKeyRecord, KeyId, KeyRequest, ReplacedSecret, SecretDigest};
use crate::hex;

const FORMAT: u8 = 1;

#[derive(Serialize, Deserialize)]
struct StoredRecord {
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
    replaced: Option<StoredReplacedSecret>,
    /// The former secrets except the newest. An instance of an older version reads only `replaced`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    replaced_before: Vec<StoredReplacedSecret>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    requests: Vec<StoredRequest>,
}

#[derive(Serialize, Deserialize)]
struct StoredReplacedSecret {
    digest: String,
    until_ms: i64,
}

impl StoredReplacedSecret {
    fn new(replaced: &ReplacedSecret) -> Self {
        Self {
            digest: replaced.digest.to_text(),
            until_ms: replaced.valid_until.as_unix_ms(),
        }
    }

    fn read(&self) -> Option<ReplacedSecret> {
        Some(ReplacedSecret {
            digest: SecretDigest::parse(&self.digest)?,
            valid_until: Timestamp::from_unix_ms(self.until_ms)?,
        })
    }
}

#[derive(Serialize, Deserialize)]
struct StoredRequest {
    name: String,
    body: String,
    at_ms: i64,
}

impl StoredRequest {
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
    /// Encodes the record for storage.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let stored = StoredRecord {
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
            replaced: self.former.first().map(StoredReplacedSecret::new),
            replaced_before: self
                .former
                .iter()
                .skip(1)
                .map(StoredReplacedSecret::new)
                .collect(),
            requests: self.requests.iter().map(StoredRequest::new).collect(),
        };
        // Strings, numbers and lists of them always serialise.
        serde_json::to_vec(&stored).unwrap_or_default()
    }

    /// Decodes a stored record; `None` for damaged bytes, another format, or an unknown scope.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let stored: StoredRecord = serde_json::from_slice(bytes).ok()?;
        if stored.v != FORMAT {
            return None;
        }
        let time = |ms: Option<i64>| match ms {
            None => Some(None),
            Some(ms) => Timestamp::from_unix_ms(ms).map(Some),
        };
        let former = stored.replaced.iter().chain(&stored.replaced_before);
        Some(Self {
            id: KeyId::parse(&stored.id)?,
            tenant: TenantId::new(stored.tenant).ok()?,
            name: stored.name,
            scopes: stored.scopes.iter().try_fold(Scopes::NONE, |all, name| {
                Scopes::named(name).map(|one| all.with(one))
            })?,
            created_at: Timestamp::from_unix_ms(stored.created_ms)?,
            expires_at: time(stored.expires_ms)?,
            revoked_at: time(stored.revoked_ms)?,
            allowed_addresses: stored.addresses,
            token_addresses: stored.token_addresses,
            digest: SecretDigest::parse(&stored.digest)?,
            former: former.map(StoredReplacedSecret::read).collect::<Option<_>>()?,
            requests: stored
                .requests
                .iter()
                .map(StoredRequest::read)
                .collect::<Option<_>>()?,
        })
    }
}
