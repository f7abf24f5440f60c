//! From a token to who asks.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use leaderboard_core::Timestamp;
use leaderboard_identity::player_token::PLAYER_TOKEN_ISSUER;
use leaderboard_identity::token::{
    KeySet, PresentedToken, TokenProblem, VerificationKey, VerifiedToken, Verifier,
};
use sha2::{Digest, Sha256};

use super::issuer::KeySource;
use super::issuers::{self, Issuer};
use super::key_sets::{self, Source};
use crate::environment::Environment;
use crate::identity::{Credential, Identity};
use crate::problem::Problem;

/// Tokens that an instance remembers.
const MAX_TOKENS: usize = 1000;
/// How long a verified token is not verified again, in milliseconds: as long as a copy of its issuer's document is good.
const REMEMBERED_MS: i64 = 30_000;

/// Tokens that this instance has verified, by their digests.
#[derive(Debug, Default)]
pub(crate) struct Tokens(RefCell<BTreeMap<[u8; 32], Known>>);

#[derive(Debug)]
struct Known {
    identity: Identity,
    until: Timestamp,
}

impl Tokens {
    fn find(&self, digest: &[u8; 32], now: Timestamp) -> Option<Identity> {
        let known = self.0.borrow();
        let found = known.get(digest).filter(|known| now < known.until)?;
        Some(found.identity.clone())
    }

    fn remember(&self, digest: [u8; 32], identity: Identity, now: Timestamp, expires_at: Timestamp) {
        let mut known = self.0.borrow_mut();
        if known.len() >= MAX_TOKENS {
            known.retain(|_, known| now < known.until);
        }
        if known.len() >= MAX_TOKENS {
            known.pop_first();
        }
        let until = expires_at.min(now.saturating_add_ms(REMEMBERED_MS));
        known.insert(digest, Known { identity, until });
    }

    /// Drops everything, because an issuer has changed.
    pub(super) fn forget(&self) {
        self.0.borrow_mut().clear();
    }
}

/// Who a token says is asking, once it is verified.
///
/// # Errors
/// 401 with what is wrong with the token; 503 when what verifies it is out of reach.
pub(crate) async fn identity<E: Environment>(env: &E, token: &str) -> Result<Identity, Problem> {
    let (digest, now) = (Sha256::digest(token).into(), env.now());
    if let Some(identity) = env.memory().tokens.find(&digest, now) {
        return Ok(identity);
    }
    let presented = PresentedToken::parse(token).map_err(|problem| Problem::of_token(&problem))?;
    let (issuer, verified) = verify(env, &presented).await?;
    let identity = Identity {
        credential: Credential::Token {
            issuer,
            subject: verified.subject.unwrap_or_default().into(),
        },
        tenant: Some(verified.tenant),
        scopes: verified.scopes,
        player: verified.player,
    };
    let tokens = &env.memory().tokens;
    tokens.remember(digest, identity.clone(), now, verified.expires_at);
    Ok(identity)
}

/// The id of the issuer, and what the token says.
async fn verify<E: Environment>(
    env: &E,
    token: &PresentedToken<'_>,
) -> Result<(Box<str>, VerifiedToken), Problem> {
    let now = env.now();
    let refused = |problem: TokenProblem| Problem::of_token(&problem);
    let claimed = token
        .claimed_issuer()
        .ok_or_else(|| refused(TokenProblem::WrongIssuer))?;
    if claimed == PLAYER_TOKEN_ISSUER
        && let Some(own) = &env.settings().player_tokens
    {
        let verified = own.verifier.verify(token, &own.keys, now).map_err(refused)?;
        return Ok((PLAYER_TOKEN_ISSUER.into(), verified));
    }
    let mut last = TokenProblem::WrongIssuer;
    let mut failed = None;
    for issuer in issuers::of_address(env, &claimed).await? {
        // Another document of the same issuer may be for this audience. Those that are not are nobody's business here: their
        // keys may be out of reach, and they may be another tenant's.
        if !token.claims_to_be_for(&issuer.record.audiences) {
            last = TokenProblem::WrongAudience;
            continue;
        }
        match verify_with(env, token, &issuer).await {
            Ok(Ok(verified)) => return Ok((issuer.id, verified)),
            Ok(Err(problem)) => last = problem,
            Err(problem) => failed = Some(problem),
        }
    }
    Err(failed.unwrap_or_else(|| refused(last)))
}

async fn verify_with<E: Environment>(
    env: &E,
    token: &PresentedToken<'_>,
    issuer: &Issuer,
) -> Result<Result<VerifiedToken, TokenProblem>, Problem> {
    let unusable = |what: &dyn std::fmt::Display| Problem::internal(format!("issuer {}: {what}", issuer.id));
    let verifier: Verifier = issuer
        .record
        .verifier(issuer.owner.as_ref())
        .map_err(|invalid| unusable(&invalid))?;
    let now = env.now();
    let source = match &issuer.record.source {
        KeySource::Keys(keys) => {
            let keys: Result<Vec<VerificationKey>, _> = keys.iter().map(super::StaticKey::parsed).collect();
            let keys = KeySet::new(keys.map_err(|problem| unusable(&problem))?);
            return Ok(verifier.verify(token, &keys, now));
        }
        KeySource::Address(url) => Source::Address(url.clone()),
        KeySource::Discovery => Source::Discovery(issuer.record.issuer.clone()),
    };
    let keys: Rc<KeySet> = key_sets::keys(env, &source).await?;
    match verifier.verify(token, &keys, now) {
        Err(TokenProblem::UnknownKey { kid }) => match key_sets::renewed(env, &source).await {
            Some(keys) => Ok(verifier.verify(token, &keys, now)),
            None => Ok(Err(TokenProblem::UnknownKey { kid })),
        },
        outcome => Ok(outcome),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_unix_ms(ms).unwrap()
    }

    #[test]
    fn a_token_is_remembered_for_a_while_and_never_beyond_its_end() {
        let tokens = Tokens::default();
        tokens.remember([1; 32], Identity::operator(), at(0), at(10));
        tokens.remember([2; 32], Identity::operator(), at(0), at(1_000_000));
        assert!(tokens.find(&[1; 32], at(9)).is_some());
        assert!(tokens.find(&[1; 32], at(10)).is_none());
        assert!(tokens.find(&[2; 32], at(REMEMBERED_MS - 1)).is_some());
        assert!(tokens.find(&[2; 32], at(REMEMBERED_MS)).is_none());
        assert!(tokens.find(&[3; 32], at(0)).is_none());
    }

    #[test]
    fn so_many_are_remembered_and_not_more() {
        let tokens = Tokens::default();
        for n in 0..2 * MAX_TOKENS {
            let mut digest = [0; 32];
            digest[..8].copy_from_slice(&n.to_be_bytes());
            tokens.remember(digest, Identity::operator(), at(0), at(10));
        }
        assert_eq!(tokens.0.borrow().len(), MAX_TOKENS);
        tokens.remember([9; 32], Identity::operator(), at(11), at(20));
        assert_eq!(tokens.0.borrow().len(), 1);
    }
}
