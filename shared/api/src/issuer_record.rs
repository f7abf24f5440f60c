//! The issuers of tokens, as the store keeps them.

use leaderboard_core::access::Scopes;
use leaderboard_core::{Invalid, StoreError, TenantId};
use leaderboard_identity::token::{
    ClaimsMapping, KeyOrigin, KeyProblem, TenantSource, TokenType, VerificationKey, Verifier,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The form of the document in the store.
const FORM: u8 = 1;
/// A valid name of a claim, which is used in place of a name that could not be read.
pub const ANY_CLAIM: &str = "tenant";

/// An issuer's document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssuerRecord {
    form: u8,
    /// The claim `iss` of its tokens.
    pub issuer: String,
    /// The audiences. The claim `aud` of a token must have one of them.
    pub audiences: Vec<String>,
    /// How far the issuer's clock may differ from ours, in seconds.
    pub leeway_s: u32,
    /// Where the issuer's keys are.
    pub source: KeySource,
    /// The tenant of all its tokens. Only an issuer of the operator has this field; tokens of a tenant's issuer belong to that tenant.
    pub tenant: Option<String>,
    /// The claim that names the tenant. Only an issuer of the operator has this field.
    pub tenant_claim: Option<String>,
    /// The claim that names the player; `None` when the tokens belong to servers.
    pub player_claim: Option<String>,
    /// Whether a token without that claim is refused.
    pub player_required: bool,
    /// The claim that lists scopes.
    pub scopes_claim: Option<String>,
    /// Names of the scopes of a token that lists none.
    pub default_scopes: Vec<String>,
    /// Names of the scopes that its tokens can have at most.
    pub granted_scopes: Vec<String>,
}

/// Where an issuer's keys are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeySource {
    /// A key set at this address.
    Address(String),
    /// A key set whose address the issuer's discovery document has.
    Discovery,
    /// These keys, which the document has itself.
    Keys(Vec<StaticKey>),
}

/// Whether the keys of an issuer could be fetched just now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySetProbe {
    /// The keys were fetched; their number.
    Fetched(usize),
    /// The keys could not be fetched. The text gives the reason, for callers who can configure issuers.
    Failed(String),
}

/// A key in the document.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StaticKey {
    /// A JSON Web Key (RFC 7517).
    Jwk(Value),
    /// The key's name, and the key in PEM (RFC 7468).
    Pem(Option<String>, String),
    /// The key's name, and a secret for HS256.
    Secret(Option<String>, String),
}

impl StaticKey {
    /// Parses the key.
    ///
    /// # Errors
    /// [`KeyProblem`] when it cannot be used.
    pub fn parsed(&self) -> Result<VerificationKey, KeyProblem> {
        match self {
            Self::Jwk(jwk) => VerificationKey::from_jwk(jwk, KeyOrigin::Configured),
            Self::Pem(kid, pem) => VerificationKey::from_pem(kid.as_deref(), pem),
            Self::Secret(kid, secret) => VerificationKey::from_secret(kid.as_deref(), secret.as_bytes()),
        }
    }
}

/// Shows the key's kind and not the key, because it may be a secret.
impl std::fmt::Debug for StaticKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Jwk(_) => "Jwk",
            Self::Pem(..) => "Pem",
            Self::Secret(..) => "Secret",
        })
    }
}

impl IssuerRecord {
    /// Makes a document with this issuer, these audiences and keys, and the defaults for all other fields: the tokens belong to players,
    /// `sub` names the player, and the player may read and write.
    pub fn new(issuer: String, audiences: Vec<String>, source: KeySource) -> Self {
        let scopes: Vec<String> = names(Scopes::READ.with(Scopes::WRITE));
        Self {
            form: FORM,
            issuer,
            audiences,
            leeway_s: leaderboard_identity::token::DEFAULT_LEEWAY_S,
            source,
            tenant: None,
            tenant_claim: None,
            player_claim: Some(leaderboard_identity::token::DEFAULT_PLAYER_CLAIM.to_owned()),
            player_required: true,
            scopes_claim: None,
            default_scopes: scopes.clone(),
            granted_scopes: scopes,
        }
    }

    /// Reads a document from the store.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when the document cannot be read.
    pub fn decode(bytes: &[u8]) -> Result<Self, StoreError> {
        serde_json::from_slice::<Self>(bytes)
            .ok()
            .filter(|record| record.form == FORM)
            .ok_or_else(|| StoreError::Corrupt("an issuer's document".to_owned()))
    }

    /// Returns the rules for the tokens of this issuer, which belongs to `owner` (`None`: the operator).
    ///
    /// # Errors
    /// The first of [`IssuerRecord::find_faults`].
    pub fn verifier(&self, owner: Option<&TenantId>) -> Result<Verifier, Invalid> {
        Verifier::new(
            &self.issuer,
            &self.audiences,
            self.leeway_s,
            TokenType::Access,
            self.mapping(self.tenant_source(owner)?),
        )
    }

    /// Returns every field that breaks a rule. The issuer belongs to `owner` (`None`: the operator).
    pub fn find_faults(&self, owner: Option<&TenantId>) -> Vec<Invalid> {
        let mut faults = Vec::new();
        let source = self.tenant_source(owner).unwrap_or_else(|fault| {
            faults.push(fault);
            // The check goes on with the names of the other claims.
            TenantSource::Claim(ANY_CLAIM.into())
        });
        let mapping = self.mapping(source);
        let others = Verifier::find_faults(&self.issuer, &self.audiences, self.leeway_s, &mapping);
        faults.extend(others);
        faults
    }

    /// Returns what says the tenant of a token: the owner, the document, or a claim.
    fn tenant_source(&self, owner: Option<&TenantId>) -> Result<TenantSource, Invalid> {
        match (owner, &self.tenant, boxed(self.tenant_claim.as_deref())) {
            (Some(owner), ..) => Ok(TenantSource::Fixed(owner.clone())),
            (None, Some(tenant), _) => TenantId::new(tenant.as_str())
                .map(TenantSource::Fixed)
                .map_err(|invalid| invalid.within("/tenant")),
            (None, None, Some(claim)) => Ok(TenantSource::Claim(claim)),
            (None, None, None) => Err(Invalid::new("/tenant", "is required, or claims.tenant")),
        }
    }

    /// Returns how the claims of a token are read.
    fn mapping(&self, tenant: TenantSource) -> ClaimsMapping {
        ClaimsMapping {
            tenant,
            player: boxed(self.player_claim.as_deref()),
            player_required: self.player_required,
            scopes: boxed(self.scopes_claim.as_deref()),
            default_scopes: scopes(&self.default_scopes),
            granted_scopes: scopes(&self.granted_scopes),
            bound_to_keys: false,
        }
    }
}

fn boxed(name: Option<&str>) -> Option<Box<str>> {
    name.map(Box::from)
}

fn names(scopes: Scopes) -> Vec<String> {
    scopes.names().map(str::to_owned).collect()
}

fn scopes(names: &[String]) -> Scopes {
    let known = names.iter().filter_map(|name| Scopes::named(name));
    known.fold(Scopes::NONE, Scopes::with)
}
