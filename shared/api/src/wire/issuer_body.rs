//! Writes the documents of issuers of tokens. A document names the keys and does not show them, because they may be secrets.

use serde::Serialize;

use crate::issuer_record::{IssuerRecord, KeySetProbe, KeySource};

/// An issuer whose tokens the service accepts, and how the service reads these tokens.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Issuer))]
pub struct IssuerBody<'a> {
    /// The id of the issuer.
    id: &'a str,
    /// The value of the claim `iss` in the tokens of this issuer.
    issuer: &'a str,
    /// The accepted audiences: the claim `aud` of a token must have one of them.
    audiences: &'a [String],
    /// How far the clock of the issuer may differ from the clock of this service, in seconds.
    leeway_s: u32,
    /// The address of the key set (JWKS) of the issuer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    jwks_uri: Option<&'a str>,
    /// `true` if the service finds the key set by OpenID Connect Discovery.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    discovery: Option<bool>,
    /// The id and the algorithm of each key that the document has. The keys themselves are never shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    keys: Option<Vec<IssuerKeyBody>>,
    /// The tenant of the tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    tenant: Option<&'a str>,
    /// The names of the claims that say the tenant, the player and the scopes of a token.
    claims: ClaimsBody<'a>,
    /// The scopes of a token that lists no scopes.
    default_scopes: &'a [String],
    /// The scopes that tokens of this issuer can have at most.
    granted_scopes: &'a [String],
    /// Whether the service could fetch the key set just now. Only the response to `PUT` has this field.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    key_set: Option<KeySetBody<'a>>,
}

/// The result of fetching the key set of an issuer.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = IssuerKeySet))]
struct KeySetBody<'a> {
    /// Whether the key set could be fetched.
    fetched: bool,
    /// The number of keys in the key set.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false, value_type = Option<u32>))]
    keys: Option<usize>,
    /// Why the key set could not be fetched, for example because the operator's variable `issuer_hosts` does not list the host.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    detail: Option<&'a str>,
}

/// The id and the algorithm of a key of an issuer.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = IssuerKey))]
struct IssuerKeyBody {
    /// The id of the key, which tokens have in the header `kid`.
    kid: Option<String>,
    /// The only algorithm for which the key is used.
    algorithm: Option<&'static str>,
}

/// The names of the claims that say the tenant, the player and the scopes of a token.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = IssuerClaims))]
struct ClaimsBody<'a> {
    /// The claim with the tenant. Only the operator may set this field.
    tenant: Option<&'a str>,
    /// The claim with the player. An empty text means that the tokens belong to servers.
    player: &'a str,
    /// Whether a token without a player is refused.
    player_required: bool,
    /// The claim with the list of scopes.
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
