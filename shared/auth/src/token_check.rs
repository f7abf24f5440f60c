//! The checks of a token against its candidates, and the problem if none of them succeeds.

use std::rc::Rc;

use leaderboard_api::{Credential, Problem};
use leaderboard_core::Timestamp;
use leaderboard_identity::token::{KeySet, PresentedToken, TokenProblem, VerifiedToken};

use crate::candidates::LoadedIssuer;

/// The checks of a token that have failed so far, each against one candidate.
#[derive(Default)]
pub(crate) struct TokenCheck {
    /// The problem of the last check.
    last: Option<TokenProblem>,
    /// The problem with the claims of a token whose signature is valid, with its credential.
    signed: Option<Problem>,
    /// The number of candidates so far, and the last of them.
    candidates: Option<(usize, Rc<LoadedIssuer>)>,
    /// The problem of a candidate that could not be loaded or has no keys.
    unavailable: Option<Problem>,
}

impl TokenCheck {
    pub(crate) fn verify(
        &mut self,
        issuer: &Rc<LoadedIssuer>,
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
        let count = match &self.candidates {
            Some((count, last)) if !Rc::ptr_eq(last, issuer) => count.saturating_add(1),
            Some((count, _)) => *count,
            None => 1,
        };
        self.candidates = Some((count, Rc::clone(issuer)));
        self.last = Some(problem);
        None
    }

    pub(crate) fn record_unavailable(&mut self, problem: Problem) {
        self.unavailable = Some(problem);
    }

    pub(crate) fn other_keys_may_help(&self) -> bool {
        self.last.as_ref().is_some_and(TokenProblem::other_keys_may_help)
    }

    pub(crate) fn into_problem(self) -> Problem {
        if let Some(problem) = self.signed.or(self.unavailable) {
            return problem;
        }
        let problem = Problem::of_token(&self.last.unwrap_or(TokenProblem::UnknownIssuer));
        match self.candidates {
            // Without a valid signature, the token is attributed to a tenant only if no other candidate exists.
            Some((1, issuer)) => problem.with_refused(issuer.tenant(), None),
            _ => problem,
        }
    }
}
