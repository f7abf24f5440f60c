//! Writes the documents of issuers of tokens. A document names the keys and does not show them, because they may be secrets.

use serde::Serialize;

use crate::issuer_record::{IssuerRecord, KeySetProbe, KeySource};

/// Whose tokens are believed, and what of them.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Issuer))]
pub struct IssuerBody<'a> {
    /// Its id.
    id: &'a str,
    /// As the claim `iss` has it.
    issuer: &'a str,
    /// The audiences that are accepted.
    audiences: &'a [String],
    /// How far clocks may differ, in seconds.
    leeway_s: u32,
    /// Where its keys are.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    jwks_uri: Option<&'a str>,
    /// Whether it tells itself where its keys are (OpenID Connect Discovery).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    discovery: Option<bool>,
    /// Its keys, by id and algorithm: never the keys themselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    keys: Option<Vec<IssuerKeyBody>>,
    /// The tenant of its tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    tenant: Option<&'a str>,
    /// The names of the claims that matter.
    claims: ClaimsBody<'a>,
    /// The scopes of a token that has none.
    default_scopes: &'a [String],
    /// The most that its tokens allow.
    granted_scopes: &'a [String],
    /// Whether the keys that it publishes could be fetched just now; in the answer to a PUT.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    key_set: Option<KeySetBody<'a>>,
}

/// Whether the keys that an issuer publishes could be fetched.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = IssuerKeySet))]
struct KeySetBody<'a> {
    /// Whether they could.
    fetched: bool,
    /// How many keys there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false, value_type = Option<u32>))]
    keys: Option<usize>,
    /// Why they could not, e.g. because the operator's `issuer_hosts` does not have the host.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    detail: Option<&'a str>,
}

/// A key of an issuer, named.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = IssuerKey))]
struct IssuerKeyBody {
    /// The name that tokens give it.
    kid: Option<String>,
    /// The only algorithm it is used with.
    algorithm: Option<&'static str>,
}

/// The names of the claims that matter.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = IssuerClaims))]
struct ClaimsBody<'a> {
    /// That which names the tenant; the operator's to set.
    tenant: Option<&'a str>,
    /// That which names the player; empty: the tokens are servers'.
    player: &'a str,
    /// Whether a token without a player is refused.
    player_required: bool,
    /// That which lists the scopes.
    scopes: Option<&'a str>,
}

impl<'a> IssuerBody<'a> {
    /// Returns the document of an issuer.
    pub fn new(id: &'a str, record: &'a IssuerRecord) -> Self {
        let (mut jwks_uri, mut discovery, mut keys) = (None, None, None);
        match &record.source {
            KeySource::Address(url) => jwks_uri = Some(url.as_str()),
            KeySource::Discovery => discovery = Some(true),
            KeySource::Keys(list) => {
                let body = |key: &crate::issuer_record::StaticKey| {
                    let parsed = key.parsed().ok();
                    IssuerKeyBody {
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

    /// Returns the document with the result of fetching the issuer's keys just now.
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
