//! Finds the identity of a caller from a token.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::rc::Rc;

use leaderboard_core::{StoreError, Timestamp};
use leaderboard_identity::api_key::is_within;
use leaderboard_identity::player_token::PLAYER_TOKEN_ISSUER;
use leaderboard_identity::token::{KeyBinding, KeySet, PresentedToken, TokenProblem, VerifiedToken};
use sha2::{Digest, Sha256};

use super::candidates::{self, CACHED_MS, IssuerKeys, LoadedIssuer};
use super::{key_sets, keys};
use crate::AuthEnvironment;
use crate::token_check::TokenCheck;
use leaderboard_api::{Credential, Identity, Permission, Problem, ProblemType};
use leaderboard_tenant_config::TenantConfig;

/// The most tokens that an instance caches.
const MAX_TOKENS: usize = 1000;
/// How long a verified token is cached while its issuer's document cannot be read from the store, in milliseconds.
const CACHED_IN_OUTAGE_MS: i64 = 1_000;

/// The tokens that this instance has verified, by their digests.
#[derive(Debug, Default)]
pub struct TokenCache(RefCell<BTreeMap<[u8; 32], CachedToken>>);

#[derive(Debug)]
struct CachedToken {
    token: Rc<VerifiedCredential>,
    until: Timestamp,
}

/// The identity that a verified token proves, and what can revoke the token before it expires.
#[derive(Debug)]
struct VerifiedCredential {
    identity: Identity,
    issued_at: Option<Timestamp>,
    binding: Option<KeyBinding>,
}

impl TokenCache {
    fn find(&self, digest: &[u8; 32], now: Timestamp) -> Option<Rc<VerifiedCredential>> {
        let tokens = self.0.borrow();
        let found = tokens.get(digest).filter(|cached| now < cached.until)?;
        Some(Rc::clone(&found.token))
    }

    fn insert(&self, digest: [u8; 32], token: Rc<VerifiedCredential>, now: Timestamp, until: Timestamp) {
        let mut tokens = self.0.borrow_mut();
        if tokens.len() >= MAX_TOKENS {
            tokens.retain(|_, cached| now < cached.until);
        }
        if tokens.len() >= MAX_TOKENS {
            tokens.pop_first();
        }
        tokens.insert(digest, CachedToken { token, until });
    }

    /// Removes all tokens, because an issuer has changed.
    pub fn clear(&self) {
        self.0.borrow_mut().clear();
    }
}

/// Verifies a token and returns the identity of its caller. If several tenants trust the issuer, the tenant that the request
/// names (`named_tenant`) is tried first. `permission` decides how old the cached record of the token's API key may be.
///
/// # Errors
/// 401 with the reason; 403 for an address that the token does not allow; 503 when the keys or documents that verify the token
/// are out of reach.
pub(crate) async fn identify_token<E: AuthEnvironment>(
    env: &E,
    token: &str,
    named_tenant: Option<&str>,
    client: Option<IpAddr>,
    permission: Permission,
) -> Result<Identity, Problem> {
    let token = load_verified(env, token, named_tenant).await?;
    let checked = check_revocation(env, &token, client, permission).await;
    checked.map_err(|problem| {
        let (tenant, credential) = (token.identity.tenant.clone(), token.identity.credential.clone());
        match problem.kind {
            ProblemType::Unauthenticated | ProblemType::Forbidden => {
                problem.with_refused(tenant, Some(credential))
            }
            _ => problem,
        }
    })?;
    Ok(token.identity.clone())
}

/// Checks that a verified token is not revoked, with the API key that issued it or with all tokens of its time, and that the
/// caller's address is allowed.
///
/// # Errors
/// 401, 403, or a store error.
async fn check_revocation<E: AuthEnvironment>(
    env: &E,
    token: &VerifiedCredential,
    client: Option<IpAddr>,
    permission: Permission,
) -> Result<(), Problem> {
    let refused = |problem: TokenProblem| Problem::of_token(&problem);
    let Some(tenant) = &token.identity.tenant else {
        return Ok(());
    };
    match TenantConfig::load(env, tenant).await {
        Ok(config) if config.tenant.revokes_tokens_of(token.issued_at) => {
            return Err(refused(TokenProblem::Revoked));
        }
        // A read goes on without the tenant's record. Other requests are refused later, when the pipeline loads the record.
        Ok(_) | Err(StoreError::Unavailable(_)) => {}
        Err(error) => return Err(error.into()),
    }
    let Some(binding) = &token.binding else {
        return Ok(());
    };
    if !is_within(&binding.addresses, client) {
        let detail = "The token may not be used from this address.";
        return Err(Problem::new(ProblemType::Forbidden).with_detail(detail));
    }
    let record = keys::load_key_record(env, tenant, binding.key, permission).await?;
    let record = record.ok_or_else(|| refused(TokenProblem::Revoked))?;
    binding
        .check(&record, token.issued_at, env.now())
        .map_err(refused)
}

/// Returns a token that is valid by its issuer's keys and its claims, from the cache if possible.
async fn load_verified<E: AuthEnvironment>(
    env: &E,
    token: &str,
    named_tenant: Option<&str>,
) -> Result<Rc<VerifiedCredential>, Problem> {
    let digest = Sha256::new()
        .chain_update(named_tenant.unwrap_or_default())
        .chain_update(" ")
        .chain_update(token)
        .finalize()
        .into();
    let now = env.now();
    if let Some(token) = env.auth_state().tokens.find(&digest, now) {
        return Ok(token);
    }
    let presented = PresentedToken::parse(token).map_err(|problem| Problem::of_token(&problem))?;
    let valid = verify_token(env, &presented, named_tenant).await?;
    let until = valid.until.min(valid.verified.expires_at);
    let identity = Identity {
        credential: Credential::Token {
            issuer: valid.issuer,
            subject: valid.verified.subject.unwrap_or_default().into(),
        },
        tenant: Some(valid.verified.tenant),
        scopes: valid.verified.scopes,
        player: valid.verified.player,
        expires_at: Some(valid.verified.expires_at),
    };
    let token = Rc::new(VerifiedCredential {
        identity,
        issued_at: valid.verified.issued_at,
        binding: valid.verified.binding,
    });
    let tokens = &env.auth_state().tokens;
    tokens.insert(digest, Rc::clone(&token), now, until);
    Ok(token)
}

/// The result of the verification of a valid token.
struct ValidToken {
    /// The id of its issuer's document.
    issuer: Box<str>,
    verified: VerifiedToken,
    /// When this instance must verify the token again.
    until: Timestamp,
}

/// Returns the time until which a token is cached: until the issuer's cached document expires.
fn cached_until(now: Timestamp, checked_at: Timestamp) -> Timestamp {
    let until = checked_at.saturating_add_ms(CACHED_MS);
    if until > now {
        until
    } else {
        // The document has expired and is used because the store does not answer.
        now.saturating_add_ms(CACHED_IN_OUTAGE_MS)
    }
}

async fn verify_token<E: AuthEnvironment>(
    env: &E,
    token: &PresentedToken<'_>,
    named_tenant: Option<&str>,
) -> Result<ValidToken, Problem> {
    let now = env.now();
    let refused = |problem: TokenProblem| Problem::of_token(&problem);
    let claimed = token
        .claimed_issuer()
        .ok_or_else(|| refused(TokenProblem::UnknownIssuer))?;
    if claimed == PLAYER_TOKEN_ISSUER
        && let Some(own) = &env.auth_settings().player_tokens
    {
        let verified = own.verifier.verify(token, &own.keys, now).map_err(refused)?;
        return Ok(ValidToken {
            issuer: PLAYER_TOKEN_ISSUER.into(),
            until: verified.expires_at,
            verified,
        });
    }
    let mut check = TokenCheck::default();
    let candidates =
        candidates::find_candidates(env, &claimed, &token.claimed_audiences(), named_tenant).await?;
    let mut unverified = Vec::new();
    for candidate in candidates {
        match candidates::load_issuer(env, &candidate, &claimed).await {
            Ok(Some((issuer, checked_at))) => {
                let candidate = UnverifiedToken {
                    issuer,
                    checked_at,
                    tried: None,
                };
                match candidate.verify_with_cached_keys(env, token, &mut check).await {
                    Ok(valid) => return Ok(valid),
                    Err(candidate) => unverified.extend(candidate),
                }
            }
            Ok(None) => {}
            Err(error) => check.record_unavailable(error.into()),
        }
    }
    // Keys are fetched only when no cached keys verify the token.
    for candidate in unverified {
        if let Some(valid) = candidate.verify_with_fetched_keys(env, token, &mut check).await {
            return Ok(valid);
        }
    }
    Err(check.into_problem())
}

/// A candidate whose keys have not verified the token yet.
struct UnverifiedToken {
    issuer: Rc<LoadedIssuer>,
    checked_at: Timestamp,
    /// The cached keys that did not verify the token.
    tried: Option<Rc<KeySet>>,
}

impl UnverifiedToken {
    /// Verifies the token with the keys of the issuer's document, or with its cached key set. Returns the candidate if other keys may
    /// verify the token, and `None` if they cannot.
    async fn verify_with_cached_keys<E: AuthEnvironment>(
        mut self,
        env: &E,
        token: &PresentedToken<'_>,
        check: &mut TokenCheck,
    ) -> Result<ValidToken, Option<Self>> {
        let (keys, may_change) = match &self.issuer.keys {
            IssuerKeys::InDocument(keys) => (Some(Rc::clone(keys)), false),
            IssuerKeys::Published(source) => (key_sets::find_cached_keys(env, source).await, true),
        };
        if let Some(keys) = keys {
            if let Some(verified) = check.verify(&self.issuer, token, &keys, env.now()) {
                return Ok(valid_token(&self.issuer, verified, env.now(), self.checked_at));
            }
            if !may_change || !check.other_keys_may_help() {
                return Err(None);
            }
            self.tried = Some(keys);
        }
        Err(Some(self))
    }

    /// Fetches the key set, and verifies the token with keys that were not tried.
    async fn verify_with_fetched_keys<E: AuthEnvironment>(
        self,
        env: &E,
        token: &PresentedToken<'_>,
        check: &mut TokenCheck,
    ) -> Option<ValidToken> {
        let IssuerKeys::Published(source) = &self.issuer.keys else {
            return None;
        };
        let Some(keys) = key_sets::refresh_keys(env, source).await else {
            if self.tried.is_none() {
                check.record_unavailable(key_sets::keys_unavailable(source));
            }
            return None;
        };
        if self.tried.is_some_and(|tried| Rc::ptr_eq(&tried, &keys)) {
            return None;
        }
        let verified = check.verify(&self.issuer, token, &keys, env.now())?;
        Some(valid_token(&self.issuer, verified, env.now(), self.checked_at))
    }
}

fn valid_token(
    issuer: &LoadedIssuer,
    verified: VerifiedToken,
    now: Timestamp,
    checked_at: Timestamp,
) -> ValidToken {
    ValidToken {
        issuer: issuer.id.clone(),
        verified,
        until: cached_until(now, checked_at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_unix_ms(ms).unwrap()
    }

    fn operator() -> Rc<VerifiedCredential> {
        Rc::new(VerifiedCredential {
            identity: Identity::operator(),
            issued_at: None,
            binding: None,
        })
    }

    #[test]
    fn a_token_is_cached_until_its_time() {
        let tokens = TokenCache::default();
        tokens.insert([1; 32], operator(), at(0), at(10));
        assert!(tokens.find(&[1; 32], at(9)).is_some());
        assert!(tokens.find(&[1; 32], at(10)).is_none());
        assert!(tokens.find(&[3; 32], at(0)).is_none());
    }

    #[test]
    fn a_token_is_cached_as_long_as_the_document_of_its_issuer() {
        let until = |now, checked_at| cached_until(at(now), checked_at).as_unix_ms();
        assert_eq!(until(20_000, at(0)), CACHED_MS);
        assert_eq!(until(20_000, at(20_000)), 20_000 + CACHED_MS);
        // The store is out of reach.
        assert_eq!(until(60_000, at(0)), 60_000 + CACHED_IN_OUTAGE_MS);
    }

    #[test]
    fn the_number_of_cached_tokens_is_bounded() {
        let tokens = TokenCache::default();
        for n in 0..2 * MAX_TOKENS {
            let mut digest = [0; 32];
            digest[..8].copy_from_slice(&n.to_be_bytes());
            tokens.insert(digest, operator(), at(0), at(10));
        }
        assert_eq!(tokens.0.borrow().len(), MAX_TOKENS);
        tokens.insert([9; 32], operator(), at(11), at(20));
        assert_eq!(tokens.0.borrow().len(), 1);
    }
}
