//! The meaning of a token's claims.

use leaderboard_core::access::Scopes;
use leaderboard_core::{PlayerId, TenantId};
use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde_json::{Map, Value};

use super::TokenProblem;

/// The claim that names the player if the issuer's configuration does not name one.
pub const DEFAULT_PLAYER_CLAIM: &str = "sub";
/// The longest name of a claim in a configuration, in bytes.
pub const MAX_CLAIM_NAME_BYTES: usize = 128;
/// The claims that can contain the scopes if the configuration does not name one: the claim of RFC 8693, and other common names.
const SCOPE_CLAIMS: [&str; 3] = ["scope", "scp", "scopes"];

/// Where the tenant of a token comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TenantSource {
    /// Every token of the issuer is for this tenant.
    Fixed(TenantId),
    /// The token has the tenant in the claim with this name. The claim is required.
    Claim(Box<str>),
}

/// Which claims of a token contain the tenant, the player and the scopes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimsMapping {
    /// Where the tenant comes from.
    pub tenant: TenantSource,
    /// The claim that names the player; `None` if the issuer's tokens are not for players.
    pub player: Option<Box<str>>,
    /// Whether a token must have the claim `player`. If true, a token without the claim is refused; if false, such a token
    /// belongs to a server.
    pub player_required: bool,
    /// The claim that lists the scopes. With `None`, it is the first of `scope`, `scp` and `scopes` that the token has.
    pub scopes: Option<Box<str>>,
    /// The scopes of a token without a scope claim.
    pub default_scopes: Scopes,
    /// The scopes that the issuer may grant. Other scopes of a token are ignored.
    pub granted_scopes: Scopes,
    /// Whether a token can be bound to an API key. Only this service issues such tokens; for other issuers the claims are ignored.
    pub bound_to_keys: bool,
}

impl ClaimsMapping {
    /// Creates a mapping for players of one tenant, named by `sub`.
    #[must_use]
    pub fn players_of(tenant: TenantId) -> Self {
        Self {
            tenant: TenantSource::Fixed(tenant),
            player: Some(DEFAULT_PLAYER_CLAIM.into()),
            player_required: true,
            scopes: None,
            default_scopes: Scopes::NONE,
            granted_scopes: Scopes::READ.with(Scopes::WRITE),
            bound_to_keys: false,
        }
    }

    /// Returns the names of the claims that are configured.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let tenant = match &self.tenant {
            TenantSource::Fixed(_) => None,
            TenantSource::Claim(name) => Some(name),
        };
        [tenant, self.player.as_ref(), self.scopes.as_ref()]
            .into_iter()
            .flatten()
            .map(AsRef::as_ref)
    }

    pub(super) fn tenant(&self, claims: &ClaimMap) -> Result<TenantId, TokenProblem> {
        match &self.tenant {
            TenantSource::Fixed(tenant) => Ok(tenant.clone()),
            TenantSource::Claim(name) => {
                let text = claims.text(name)?;
                let text = text.ok_or_else(|| TokenProblem::MissingClaim(name.clone()))?;
                TenantId::new(text).map_err(|_| TokenProblem::InvalidClaim(name.clone()))
            }
        }
    }

    pub(super) fn player(&self, claims: &ClaimMap) -> Result<Option<PlayerId>, TokenProblem> {
        let Some(name) = &self.player else { return Ok(None) };
        match claims.text(name)? {
            None if self.player_required => Err(TokenProblem::MissingClaim(name.clone())),
            None => Ok(None),
            Some(text) => match PlayerId::new(text) {
                Ok(player) => Ok(Some(player)),
                Err(_) => Err(TokenProblem::InvalidClaim(name.clone())),
            },
        }
    }

    pub(super) fn scopes(&self, claims: &ClaimMap) -> Result<Scopes, TokenProblem> {
        let found = match &self.scopes {
            Some(name) => claims.get(name).map(|value| (name.as_ref(), value)),
            None => SCOPE_CLAIMS
                .iter()
                .find_map(|name| claims.get(name).map(|value| (*name, value))),
        };
        let names: Vec<&str> = match found {
            // The default scopes are limited to the scopes that the issuer may grant.
            None => {
                let default = Scopes::NAMES.into_iter().map(|(_, scope)| scope);
                let default = default.filter(|scope| self.default_scopes.contains(*scope));
                return Ok(default
                    .filter(|scope| self.granted_scopes.contains(*scope))
                    .fold(Scopes::NONE, Scopes::with));
            }
            Some((_, Value::String(list))) => list.split_ascii_whitespace().collect(),
            Some((name, Value::Array(list))) => {
                let names: Option<_> = list.iter().map(Value::as_str).collect();
                names.ok_or_else(|| TokenProblem::InvalidClaim(name.into()))?
            }
            Some((name, _)) => return Err(TokenProblem::InvalidClaim(name.into())),
        };
        // Issuers also use scopes that this service does not know (`openid`, `profile`).
        let known = names.into_iter().filter_map(Scopes::named);
        Ok(known
            .filter(|scope| self.granted_scopes.contains(*scope))
            .fold(Scopes::NONE, Scopes::with))
    }
}

/// The claims of a token, except the claims about time. A repeated name is refused, because two readers could use different
/// values of it.
#[derive(Debug)]
pub(super) struct ClaimMap(Map<String, Value>);

impl ClaimMap {
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// Returns a claim that must be a text, or `None` if the token does not have the claim.
    pub(super) fn text(&self, name: &str) -> Result<Option<&str>, TokenProblem> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(TokenProblem::InvalidClaim(name.into())),
        }
    }

    /// Returns whether `aud`, a text or a list of texts (RFC 7519, section 4.1.3), names one of `audiences`.
    pub(super) fn is_for(&self, audiences: &[Box<str>]) -> bool {
        let is_ours = |value: &Value| {
            value
                .as_str()
                .is_some_and(|name| audiences.iter().any(|own| own.as_ref() == name))
        };
        match self.get("aud") {
            Some(Value::Array(list)) => list.iter().any(is_ours),
            Some(one) => is_ours(one),
            None => false,
        }
    }
}

impl<'de> Deserialize<'de> for ClaimMap {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(UniqueClaims)
    }
}

struct UniqueClaims;

impl<'de> Visitor<'de> for UniqueClaims {
    type Value = ClaimMap;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object of claims")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<ClaimMap, A::Error> {
        let mut claims = Map::new();
        while let Some((name, value)) = access.next_entry::<String, Value>()? {
            if claims.insert(name, value).is_some() {
                return Err(A::Error::custom("a claim is there twice"));
            }
        }
        Ok(ClaimMap(claims))
    }
}
