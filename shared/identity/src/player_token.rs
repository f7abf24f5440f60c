//! Tokens that this service signs for players, at the request of a tenant's server.
//!
//! The signing key is derived from a secret that all regions share. So a token is valid in every region and need not be stored.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{SigningKey, VerifyingKey};
use ipnet::IpNet;
use jwt_compact::alg::Ed25519;
use jwt_compact::jwk::JsonWebKey;
use jwt_compact::{AlgorithmExt, Claims, Header};
use leaderboard_core::access::Scopes;
use leaderboard_core::{Invalid, PlayerId, TenantId, Timestamp};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::hex;
use crate::token::{
    ClaimsMapping, DEFAULT_LEEWAY_S, DEFAULT_PLAYER_CLAIM, KeyBinding, KeySet, TenantSource, TokenType,
    VerificationKey, Verifier,
};

/// The claims `iss` and `aud` of these tokens. They are equal, because this service both issues and accepts the tokens.
pub const PLAYER_TOKEN_ISSUER: &str = "edgeboard";
/// The header `typ` of these tokens, which distinguishes them from other tokens of the same key.
pub const PLAYER_TOKEN_TYPE: &str = "player+jwt";
/// The shortest secret, in bytes of text.
pub const MIN_SEED_BYTES: usize = 32;
/// How long a token may be valid, in seconds: 30 days.
pub const MAX_LIFETIME_S: u32 = 30 * 24 * 60 * 60;
/// The default lifetime of a token, in seconds: one hour.
pub const DEFAULT_LIFETIME_S: u32 = 60 * 60;

const SEED_CONTEXT: &[u8] = b"edgeboard player token key 1\0";
const TENANT_CLAIM: &str = "tenant";
const TOKEN_ID_BYTES: usize = 16;

/// Why no token was issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IssueProblem {
    /// The lifetime is 0 or longer than [`MAX_LIFETIME_S`].
    #[error("must be 1 to 2592000 seconds")]
    Lifetime,
    /// The scopes include `admin`, which a player's token must not have.
    #[error("must not have admin")]
    Scope,
    /// The token could not be encoded. No input of a caller causes this.
    #[error("cannot be encoded")]
    Encoding,
}

/// The content of a token to issue.
#[derive(Debug, Clone, Copy)]
pub struct Grant<'a> {
    /// The player of the token.
    pub player: &'a PlayerId,
    /// The tenant of the token.
    pub tenant: &'a TenantId,
    /// The scopes of the token.
    pub scopes: Scopes,
    /// How long the token is valid, in seconds.
    pub lifetime_s: u32,
    /// The API key that issues the token; `None` if another credential issues it.
    pub binding: Option<&'a KeyBinding>,
}

/// The key that signs tokens of players.
#[derive(Clone)]
pub struct PlayerTokenKey {
    key: SigningKey,
    kid: String,
}

#[derive(Serialize)]
struct PlayerClaims<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: &'a str,
    tenant: &'a str,
    scope: String,
    jti: String,
    iat: i64,
    exp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_made: Option<i64>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    net: &'a [IpNet],
}

impl PlayerTokenKey {
    /// Derives the key from a secret; `None` if the secret is shorter than [`MIN_SEED_BYTES`].
    #[must_use]
    pub fn from_secret(secret: &str) -> Option<Self> {
        if secret.len() < MIN_SEED_BYTES {
            return None;
        }
        let seed = Sha256::new_with_prefix(SEED_CONTEXT)
            .chain_update(secret)
            .finalize();
        let key = SigningKey::from_bytes(&seed.into());
        let kid = thumbprint(&key.verifying_key());
        Some(Self { key, kid })
    }

    /// Returns the public key, which verifies the tokens.
    #[must_use]
    pub fn verification_key(&self) -> VerificationKey {
        VerificationKey::from_ed25519(&self.kid, self.key.verifying_key())
    }

    /// Signs a token. `random` must be new for each token: half of it becomes the token's id.
    ///
    /// # Errors
    /// [`IssueProblem`] if the lifetime or the scopes are not allowed.
    pub fn issue(
        &self,
        grant: &Grant<'_>,
        now: Timestamp,
        random: &[u8; 32],
    ) -> Result<String, IssueProblem> {
        if !(1..=MAX_LIFETIME_S).contains(&grant.lifetime_s) {
            return Err(IssueProblem::Lifetime);
        }
        if grant.scopes.contains(Scopes::ADMIN) {
            return Err(IssueProblem::Scope);
        }
        let iat = now.as_unix_ms().div_euclid(1000);
        let claims = PlayerClaims {
            iss: PLAYER_TOKEN_ISSUER,
            aud: PLAYER_TOKEN_ISSUER,
            sub: grant.player.as_str(),
            tenant: grant.tenant.as_str(),
            scope: grant.scopes.names().collect::<Vec<_>>().join(" "),
            jti: hex::encode(random.get(..TOKEN_ID_BYTES).unwrap_or_default()),
            iat,
            exp: iat.saturating_add(grant.lifetime_s.into()),
            key: grant.binding.map(|binding| binding.key.to_string()),
            key_made: grant
                .binding
                .and_then(|binding| binding.key_made_at)
                .map(Timestamp::as_unix_ms),
            net: grant.binding.map_or(&[], |binding| &binding.addresses),
        };
        let header = Header::empty()
            .with_key_id(self.kid.as_str())
            .with_token_type(PLAYER_TOKEN_TYPE);
        Ed25519
            .token(&header, &Claims::new(claims), &self.key)
            .map_err(|_| IssueProblem::Encoding)
    }
}

/// Returns the thumbprint of a key (RFC 7638), which serves as its id.
fn thumbprint(key: &VerifyingKey) -> String {
    URL_SAFE_NO_PAD.encode(JsonWebKey::from(key).thumbprint::<Sha256>())
}

/// Prints the name of the key, but not the key.
impl std::fmt::Debug for PlayerTokenKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PlayerTokenKey")
            .field("kid", &self.kid)
            .finish_non_exhaustive()
    }
}

/// Creates the verifier of tokens that this service signed. Also returns the keys: the current key, and the previous key while
/// its tokens are valid.
///
/// # Errors
/// This function does not fail in practice, because the rules are constant and valid.
pub fn own_verifier(keys: &[PlayerTokenKey]) -> Result<(Verifier, KeySet), Invalid> {
    let mapping = ClaimsMapping {
        tenant: TenantSource::Claim(TENANT_CLAIM.into()),
        player: Some(DEFAULT_PLAYER_CLAIM.into()),
        player_required: true,
        scopes: None,
        default_scopes: Scopes::NONE,
        granted_scopes: Scopes::READ.with(Scopes::WRITE),
        bound_to_keys: true,
    };
    let token_type = TokenType::Only(PLAYER_TOKEN_TYPE);
    let audiences = [PLAYER_TOKEN_ISSUER.to_owned()];
    let verifier = Verifier::new(
        PLAYER_TOKEN_ISSUER,
        &audiences,
        DEFAULT_LEEWAY_S,
        token_type,
        mapping,
    )?;
    let keys = keys.iter().map(PlayerTokenKey::verification_key).collect();
    Ok((verifier, KeySet::new(keys)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Uses the example of RFC 8037, appendices A.1 and A.3.
    #[test]
    fn a_key_is_named_by_its_thumbprint() {
        let seed = [
            0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4,
            0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60,
        ];
        let key = SigningKey::from_bytes(&seed).verifying_key();
        assert_eq!(thumbprint(&key), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }
}
