//! From a token to who asks.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::rc::Rc;

use leaderboard_core::{StoreError, Timestamp};
use leaderboard_identity::api_key::is_within;
use leaderboard_identity::player_token::PLAYER_TOKEN_ISSUER;
use leaderboard_identity::token::{KeyBinding, KeySet, PresentedToken, TokenProblem, VerifiedToken};
use sha2::{Digest, Sha256};

use super::candidates::{self, Issuer, Keys, TRUSTED_MS};
use super::{key_sets, keys};
use crate::AuthEnvironment;
use leaderboard_api::Permission;
use leaderboard_api::{Credential, Identity};
use leaderboard_api::{Problem, ProblemType};
use leaderboard_tenant_config::TenantConfig;

/// TokenCache that an instance remembers.
const MAX_TOKENS: usize = 1000;
/// How long a token is remembered while the store cannot be asked for its issuer, in milliseconds.
const FORGIVEN_MS: i64 = 1_000;

/// TokenCache that this instance has verified, by their digests.
#[derive(Debug, Default)]
pub struct TokenCache(RefCell<BTreeMap<[u8; 32], Known>>);

#[derive(Debug)]
struct Known {
    token: Rc<VerifiedCredential>,
    until: Timestamp,
}

/// What a good token says of its caller, and what can end it early.
#[derive(Debug)]
struct VerifiedCredential {
    identity: Identity,
    issued_at: Option<Timestamp>,
    binding: Option<KeyBinding>,
}

impl TokenCache {
    fn find(&self, digest: &[u8; 32], now: Timestamp) -> Option<Rc<VerifiedCredential>> {
        let known = self.0.borrow();
        let found = known.get(digest).filter(|known| now < known.until)?;
        Some(Rc::clone(&found.token))
    }

    fn remember(&self, digest: [u8; 32], token: Rc<VerifiedCredential>, now: Timestamp, until: Timestamp) {
        let mut known = self.0.borrow_mut();
        if known.len() >= MAX_TOKENS {
            known.retain(|_, known| now < known.until);
        }
        if known.len() >= MAX_TOKENS {
            known.pop_first();
        }
        known.insert(digest, Known { token, until });
    }

    /// Drops everything, because an issuer has changed.
    pub fn forget(&self) {
        self.0.borrow_mut().clear();
    }
}

/// Who a token says is asking, once it is verified. Where several tenants trust its issuer, `named` is the one that the
/// request names. `need` is what the route asks for: it says how old the copy of the token's API key may be.
///
/// # Errors
/// 401 with what is wrong with the token; 403 for another address than the token is good from; 503 when what verifies it is
/// out of reach.
pub(crate) async fn identity<E: AuthEnvironment>(
    env: &E,
    token: &str,
    named: Option<&str>,
    client: Option<IpAddr>,
    permission: Permission,
) -> Result<Identity, Problem> {
    let token = verified(env, token, named).await?;
    let refusal = check(env, &token, client, permission).await;
    refusal.map_err(|problem| {
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

/// Whether a good token has ended early: with the API key that issued it, or with all tokens of its time.
async fn check<E: AuthEnvironment>(
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
        Ok(known) if known.tenant.revokes_tokens_of(token.issued_at) => {
            return Err(refused(TokenProblem::Revoked));
        }
        // What needs the record more than a read does is refused for the lack of it later.
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
    let record = keys::record(env, tenant, binding.key, permission).await?;
    let record = record.ok_or_else(|| refused(TokenProblem::Revoked))?;
    record
        .check_token(binding, token.issued_at, env.now())
        .map_err(refused)
}

/// A token that is good by its issuer's keys and its claims.
async fn verified<E: AuthEnvironment>(
    env: &E,
    token: &str,
    named: Option<&str>,
) -> Result<Rc<VerifiedCredential>, Problem> {
    let digest = Sha256::new()
        .chain_update(named.unwrap_or_default())
        .chain_update(" ")
        .chain_update(token)
        .finalize()
        .into();
    let now = env.now();
    if let Some(token) = env.auth_state().tokens.find(&digest, now) {
        return Ok(token);
    }
    let presented = PresentedToken::parse(token).map_err(|problem| Problem::of_token(&problem))?;
    let good = verify(env, &presented, named).await?;
    let until = good.until.min(good.verified.expires_at);
    let identity = Identity {
        credential: Credential::Token {
            issuer: good.issuer,
            subject: good.verified.subject.unwrap_or_default().into(),
        },
        tenant: Some(good.verified.tenant),
        scopes: good.verified.scopes,
        player: good.verified.player,
        expires_at: Some(good.verified.expires_at),
    };
    let token = Rc::new(VerifiedCredential {
        identity,
        issued_at: good.verified.issued_at,
        binding: good.verified.binding,
    });
    let tokens = &env.auth_state().tokens;
    tokens.remember(digest, Rc::clone(&token), now, until);
    Ok(token)
}

/// A token that was found good.
struct ValidToken {
    /// The id of its issuer.
    issuer: Box<str>,
    verified: VerifiedToken,
    /// Until when that need not be found out again.
    until: Timestamp,
}

/// Until when a token of an issuer is remembered: as long as the copy of its document is good.
fn remembered_until(now: Timestamp, checked_at: Option<Timestamp>) -> Timestamp {
    let Some(checked_at) = checked_at else {
        return now;
    };
    let until = checked_at.saturating_add_ms(TRUSTED_MS);
    if until > now {
        until
    } else {
        // The copy is used because the store does not answer.
        now.saturating_add_ms(FORGIVEN_MS)
    }
}

async fn verify<E: AuthEnvironment>(
    env: &E,
    token: &PresentedToken<'_>,
    named: Option<&str>,
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
    let mut attempt = Attempt::default();
    let mut waiting = Vec::new();
    for candidate in candidates::find_candidates(env, &claimed, &token.claimed_audiences(), named).await? {
        let (issuer, checked_at) = match candidates::load_issuer(env, &candidate, &claimed).await {
            Ok(Some(found)) => found,
            Ok(None) => continue,
            Err(error) => {
                attempt.failed(error.into());
                continue;
            }
        };
        let source = match &issuer.keys {
            Keys::Here(keys) => {
                if let Some(verified) = attempt.verify(&issuer, token, keys, now) {
                    return Ok(good(&issuer, verified, now, checked_at));
                }
                continue;
            }
            Keys::At(source) => source.clone(),
        };
        let keys = key_sets::at_hand(env, &source).await;
        if let Some(keys) = &keys {
            if let Some(verified) = attempt.verify(&issuer, token, keys, now) {
                return Ok(good(&issuer, verified, now, checked_at));
            }
            if !attempt.other_keys_may_help() {
                continue;
            }
        }
        waiting.push((issuer, checked_at, source, keys));
    }
    // Another issuer is asked only when nothing that is at hand says that the token is good.
    for (issuer, checked_at, source, tried) in waiting {
        let Some(keys) = key_sets::renewed(env, &source).await else {
            if tried.is_none() {
                attempt.failed(key_sets::out_of_reach(&source));
            }
            continue;
        };
        if tried.is_some_and(|tried| Rc::ptr_eq(&tried, &keys)) {
            continue;
        }
        if let Some(verified) = attempt.verify(&issuer, token, &keys, now) {
            return Ok(good(&issuer, verified, now, checked_at));
        }
    }
    Err(attempt.into_problem())
}

fn good(
    issuer: &Issuer,
    verified: VerifiedToken,
    now: Timestamp,
    checked_at: Option<Timestamp>,
) -> ValidToken {
    ValidToken {
        issuer: issuer.id.clone(),
        verified,
        until: remembered_until(now, checked_at),
    }
}

/// Why a token was not found good, so far.
#[derive(Default)]
struct Attempt {
    /// What is wrong with it, by the last document that it was checked by.
    last: Option<TokenProblem>,
    /// What is wrong with its claims, though its signature is good, and whose it is.
    signed: Option<Problem>,
    /// The only issuer that it was checked by.
    only: Option<(usize, Rc<Issuer>)>,
    failed: Option<Problem>,
}

impl Attempt {
    fn verify(
        &mut self,
        issuer: &Rc<Issuer>,
        token: &PresentedToken<'_>,
        keys: &KeySet,
        now: Timestamp,
    ) -> Option<VerifiedToken> {
        let problem = match issuer.verifier.verify(token, keys, now) {
            Ok(verified) => return Some(verified),
            Err(problem) => problem,
        };
        if problem.is_of_signed_claims() {
            let credential = Credential::Token {
                issuer: issuer.id.clone(),
                subject: token.claimed_subject().unwrap_or_default().into(),
            };
            let refusal = Problem::of_token(&problem).with_refused(issuer.tenant(), Some(credential));
            self.signed.get_or_insert(refusal);
        }
        let others = match &self.only {
            Some((count, known)) if !Rc::ptr_eq(known, issuer) => count.saturating_add(1),
            Some((count, _)) => *count,
            None => 1,
        };
        self.only = Some((others, Rc::clone(issuer)));
        self.last = Some(problem);
        None
    }

    fn failed(&mut self, problem: Problem) {
        self.failed = Some(problem);
    }

    fn other_keys_may_help(&self) -> bool {
        self.last.as_ref().is_some_and(TokenProblem::other_keys_may_help)
    }

    fn into_problem(self) -> Problem {
        if let Some(problem) = self.signed.or(self.failed) {
            return problem;
        }
        let problem = Problem::of_token(&self.last.unwrap_or(TokenProblem::UnknownIssuer));
        match self.only {
            // The signature says nothing, so it is the tenant's only where nobody else's could be candidate.
            Some((1, issuer)) => problem.with_refused(issuer.tenant(), None),
            _ => problem,
        }
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
    fn a_token_is_remembered_for_so_long() {
        let tokens = TokenCache::default();
        tokens.remember([1; 32], operator(), at(0), at(10));
        assert!(tokens.find(&[1; 32], at(9)).is_some());
        assert!(tokens.find(&[1; 32], at(10)).is_none());
        assert!(tokens.find(&[3; 32], at(0)).is_none());
    }

    #[test]
    fn what_is_known_of_a_token_is_no_newer_than_the_copy_of_its_issuer() {
        let until = |now, checked_at| remembered_until(at(now), checked_at).as_unix_ms();
        assert_eq!(until(20_000, Some(at(0))), TRUSTED_MS);
        assert_eq!(until(20_000, Some(at(20_000))), 20_000 + TRUSTED_MS);
        assert_eq!(until(20_000, None), 20_000);
        // The store is out of reach.
        assert_eq!(until(60_000, Some(at(0))), 60_000 + FORGIVEN_MS);
    }

    #[test]
    fn so_many_are_remembered_and_not_more() {
        let tokens = TokenCache::default();
        for n in 0..2 * MAX_TOKENS {
            let mut digest = [0; 32];
            digest[..8].copy_from_slice(&n.to_be_bytes());
            tokens.remember(digest, operator(), at(0), at(10));
        }
        assert_eq!(tokens.0.borrow().len(), MAX_TOKENS);
        tokens.remember([9; 32], operator(), at(11), at(20));
        assert_eq!(tokens.0.borrow().len(), 1);
    }
}
