//! Issuers of tokens, as administrators see them. Keys are named, not shown: they may be secrets.

use serde::Serialize;

use crate::issuer_record::{IssuerRecord, KeySetProbe, KeySource};

/// An issuer's document.
#[derive(Debug, Serialize)]
pub struct IssuerBody<'a> {
    id: &'a str,
    issuer: &'a str,
    audiences: &'a [String],
    leeway_s: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    jwks_uri: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    discovery: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    keys: Option<Vec<KeyBody>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<&'a str>,
    claims: ClaimsBody<'a>,
    default_scopes: &'a [String],
    granted_scopes: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    key_set: Option<KeySetBody<'a>>,
}

/// Whether the keys that an issuer publishes could be fetched just now.
#[derive(Debug, Serialize)]
struct KeySetBody<'a> {
    fetched: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    keys: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct KeyBody {
    kid: Option<String>,
    algorithm: Option<&'static str>,
}

#[derive(Debug, Serialize)]
struct ClaimsBody<'a> {
    tenant: Option<&'a str>,
    player: &'a str,
    player_required: bool,
    scopes: Option<&'a str>,
}

impl<'a> IssuerBody<'a> {
    /// The document of that id.
    pub fn new(id: &'a str, record: &'a IssuerRecord) -> Self {
        let (mut jwks_uri, mut discovery, mut keys) = (None, None, None);
        match &record.source {
            KeySource::Address(url) => jwks_uri = Some(url.as_str()),
            KeySource::Discovery => discovery = Some(true),
            KeySource::Keys(list) => {
                let body = |key: &crate::issuer_record::StaticKey| {
                    let parsed = key.parsed().ok();
                    KeyBody {
                        kid: parsed.as_ref().and_then(|key| key.key_id()).map(str::to_owned),
                        algorithm: parsed.map(|key| key.algorithm().name()),
                    }
                };
                keys = Some(list.iter().map(body).collect());
            }
        }
        Self {
            id,
            issuer: &record.issuer,
            audiences: &record.audiences,
            leeway_s: record.leeway_s,
            jwks_uri,
            discovery,
            keys,
            tenant: record.tenant.as_deref(),
            claims: ClaimsBody {
                tenant: record.tenant_claim.as_deref(),
                player: record.player_claim.as_deref().unwrap_or(""),
                player_required: record.player_required,
                scopes: record.scopes_claim.as_deref(),
            },
            default_scopes: &record.default_scopes,
            granted_scopes: &record.granted_scopes,
            key_set: None,
        }
    }

    /// The same, with what came of fetching its keys just now.
    pub fn with_key_set(mut self, probe: Option<&'a KeySetProbe>) -> Self {
        self.key_set = probe.map(|probe| match probe {
            KeySetProbe::Fetched(keys) => KeySetBody {
                fetched: true,
                keys: Some(*keys),
                detail: None,
            },
            KeySetProbe::Failed(detail) => KeySetBody {
                fetched: false,
                keys: None,
                detail: Some(detail),
            },
        });
        self
    }
}
