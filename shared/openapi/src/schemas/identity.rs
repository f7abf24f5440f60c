//! Keys, issuers, tokens.

use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::entries::PageV2;
use leaderboard_api::schema::Schemas;

pub(super) fn add(all: &mut Schemas) {
    all.add::<Key>();
    all.add::<KeyWritten>();
    all.add::<KeyRotation>();
    all.add::<Keys>();
    all.add::<KeysV2>();
    all.add::<Issuer>();
    all.add::<IssuerWritten>();
    all.add::<Issuers>();
    all.add::<IssuersV2>();
    all.add::<Token>();
    all.add::<TokenWritten>();
}

/// An API key.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// Its id.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// What it allows.
    pub scopes: Vec<String>,
    /// When it was made.
    pub created_at: String,
    /// When it ends; `null`: never.
    #[schema(required)]
    pub expires_at: Option<String>,
    /// When it was revoked.
    #[schema(required)]
    pub revoked_at: Option<String>,
    /// The only addresses it is good from, as ranges; empty: any.
    pub allowed_addresses: Vec<String>,
    /// The only addresses that the tokens it issues to players are good from; empty: any.
    pub token_addresses: Vec<String>,
    /// Until when a former secret is good at most. Each of them keeps its own end.
    #[schema(required)]
    pub replaced_secret_until: Option<String>,
    /// The key itself; once, when it is new.
    #[schema(nullable = false)]
    pub key: Option<String>,
}

/// What is asked for in a new key.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyWritten {
    /// Its name for people.
    pub name: String,
    /// Of `scores:read`, `scores:write`, `admin`.
    #[schema(min_items = 1)]
    pub scopes: Vec<String>,
    /// When it ends.
    #[schema(format = "date-time")]
    pub expires_at: Option<String>,
    /// The only addresses it is good from, as ranges.
    #[schema(nullable = false)]
    pub allowed_addresses: Option<Vec<String>>,
    /// The only addresses that the tokens it issues to players are good from, as ranges; empty: any. The key's own unless said.
    #[schema(nullable = false)]
    pub token_addresses: Option<Vec<String>>,
}

/// How a key gets a new secret.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyRotation {
    /// How long the secret before stays good, in seconds; an hour unless said.
    #[schema(nullable = false)]
    pub overlap_s: Option<u32>,
}

/// A page of keys.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    /// In the order of their ids.
    pub keys: Vec<Key>,
    /// The cursor of the next page.
    #[schema(required)]
    pub next: Option<String>,
}

/// A page of keys.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeysV2 {
    /// In the order of their ids.
    pub data: Vec<Key>,
    /// Where the list goes on.
    pub page: PageV2,
}

/// A key of an issuer, named.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IssuerKey {
    /// The name that tokens give it.
    #[schema(required)]
    pub kid: Option<String>,
    /// The only algorithm it is used with.
    #[schema(required)]
    pub algorithm: Option<String>,
}

/// The names of the claims that matter.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IssuerClaims {
    /// That which names the tenant; the operator's to set.
    #[schema(required)]
    pub tenant: Option<String>,
    /// That which names the player; empty: the tokens are servers'.
    pub player: String,
    /// Whether a token without a player is refused.
    pub player_required: bool,
    /// That which lists the scopes.
    #[schema(required)]
    pub scopes: Option<String>,
}

/// Whose tokens are believed, and what of them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Issuer {
    /// Its id.
    pub id: String,
    /// As the claim `iss` has it.
    pub issuer: String,
    /// The audiences that are accepted.
    pub audiences: Vec<String>,
    /// How far clocks may differ, in seconds.
    pub leeway_s: u32,
    /// Where its keys are.
    #[schema(nullable = false)]
    pub jwks_uri: Option<String>,
    /// Whether it tells itself where its keys are (OpenID Connect Discovery).
    #[schema(nullable = false)]
    pub discovery: Option<bool>,
    /// Its keys, by id and algorithm: never the keys themselves.
    #[schema(nullable = false)]
    pub keys: Option<Vec<IssuerKey>>,
    /// The tenant of its tokens.
    #[schema(nullable = false)]
    pub tenant: Option<String>,
    /// The names of the claims that matter.
    pub claims: IssuerClaims,
    /// The scopes of a token that has none.
    pub default_scopes: Vec<String>,
    /// The most that its tokens allow.
    pub granted_scopes: Vec<String>,
    /// Whether the keys that it publishes could be fetched just now; in the answer to a PUT.
    #[schema(nullable = false)]
    pub key_set: Option<IssuerKeySet>,
}

/// Whether the keys that an issuer publishes could be fetched.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IssuerKeySet {
    /// Whether they could.
    pub fetched: bool,
    /// How many keys there are.
    #[schema(nullable = false)]
    pub keys: Option<u32>,
    /// Why they could not, e.g. because the operator's `issuer_hosts` does not have the host.
    #[schema(nullable = false)]
    pub detail: Option<String>,
}

/// An issuer as it is written.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IssuerWritten {
    /// The id in the path, if at all.
    #[schema(nullable = false)]
    pub id: Option<String>,
    /// As the claim `iss` has it.
    pub issuer: String,
    /// The audiences that are accepted.
    pub audiences: Vec<String>,
    /// How far clocks may differ, in seconds.
    #[schema(nullable = false)]
    pub leeway_s: Option<u32>,
    /// Where its keys are.
    #[schema(nullable = false)]
    pub jwks_uri: Option<String>,
    /// Whether it tells itself where its keys are (OpenID Connect Discovery).
    #[schema(nullable = false)]
    pub discovery: Option<bool>,
    /// Its keys: JWKs, `{"kid", "pem"}` or `{"kid", "secret"}`.
    #[schema(value_type = Option<Vec<Object>>, nullable = false)]
    pub keys: Option<Vec<Map<String, Value>>>,
    /// The tenant of its tokens; the operator's to set.
    #[schema(nullable = false)]
    pub tenant: Option<String>,
    /// The names of the claims that matter: `tenant`, `player`, `player_required`, `scopes`.
    #[schema(value_type = Option<Object>, nullable = false)]
    pub claims: Option<Map<String, Value>>,
    /// The scopes of a token that has none.
    #[schema(nullable = false)]
    pub default_scopes: Option<Vec<String>>,
    /// The most that its tokens allow.
    #[schema(nullable = false)]
    pub granted_scopes: Option<Vec<String>>,
}

/// A page of issuers.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Issuers {
    /// In the order of their ids.
    pub issuers: Vec<Issuer>,
    /// The cursor of the next page.
    #[schema(required)]
    pub next: Option<String>,
}

/// A page of issuers.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IssuersV2 {
    /// In the order of their ids.
    pub data: Vec<Issuer>,
    /// Where the list goes on.
    pub page: PageV2,
}

/// What is asked for in a token.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenWritten {
    /// Whose it is.
    #[schema(min_length = 1, max_length = 128)]
    pub player: String,
    /// Of those of the credential; never `admin`.
    #[schema(nullable = false)]
    pub scopes: Option<Vec<String>>,
    /// How long it is good, in seconds.
    #[schema(minimum = 1, nullable = false)]
    pub lifetime_s: Option<u32>,
}

/// A token.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// The token.
    pub token: String,
    /// `Bearer`.
    pub token_type: String,
    /// How long it is good, in seconds.
    pub expires_in: u32,
    /// When it ends.
    pub expires_at: String,
    /// Whose it is.
    pub player: String,
    /// What it allows.
    pub scopes: Vec<String>,
}
