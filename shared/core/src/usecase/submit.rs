//! Taking scores in.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::query::{MAX_CONFIGURATION_RETRIES, Shared};
use super::{Deps, Store, keeps_changing};
use crate::access::Caller;
use crate::ports::{Cache, Metering, SubmitTerms, Submitted};
use crate::{Attempt, LeaderboardId, Outcome, Refusal, RefusalReason, StoreError, Submission, TenantId};

type Answer = Result<Vec<Outcome>, Refusal>;

/// Settles submissions in their order, each atomically over its leaderboards. One answer for each: the
/// outcomes in the order of its leaderboards, or why it was refused.
///
/// A submission that meets a configuration which has just changed is tried again after the others of the call;
/// what the same call holds for the same player can then be settled in another order.
///
/// The call is charged once, with the first command that settles anything. When nothing gets as far as that (every
/// submission is refused by a configuration), it is charged by a command of its own.
///
/// # Errors
/// [`StoreError`] when the fate of the call is not known; a repeat with the same ids is safe.
pub async fn submit<S: Store, K: Cache>(
    deps: &Deps<'_, S, K>,
    tenant: &TenantId,
    caller: &Caller,
    submissions: &[Submission],
    terms: &SubmitTerms,
) -> Result<Submitted, StoreError> {
    let mut round = Round {
        deps,
        tenant,
        caller,
        fresh: BTreeSet::new(),
        unknown: BTreeSet::new(),
    };
    let mut answers: Vec<Option<Answer>> = submissions.iter().map(|_| None).collect();
    let mut terms = terms.clone();
    let mut metered = None;
    for _ in 0..=MAX_CONFIGURATION_RETRIES {
        let mut attempts = Vec::new();
        let mut open = Vec::new();
        for (submission, answer) in submissions.iter().zip(&mut answers) {
            if answer.is_some() {
                continue;
            }
            match round.resolve(submission).await? {
                Ok(attempt) => {
                    attempts.push(attempt);
                    open.push(answer);
                }
                Err(refusal) => *answer = Some(Err(refusal)),
            }
        }
        if attempts.is_empty() && terms.metering == Metering::default() {
            break;
        }
        let submitted = deps.store.submit_on(tenant, &attempts, &terms).await?;
        if submitted.metered.refused {
            return Ok(submitted);
        }
        metered.get_or_insert(submitted.metered);
        terms.metering = Metering::default();
        for (slot, settled) in open.into_iter().zip(submitted.answers) {
            match settled {
                Err(Refusal {
                    leaderboard,
                    reason: RefusalReason::StaleConfiguration,
                }) => {
                    round.fresh.remove(&leaderboard);
                    deps.forget_board(tenant, &leaderboard).await;
                }
                decided => *slot = Some(decided),
            }
        }
    }
    let answers = answers
        .into_iter()
        .collect::<Option<Vec<_>>>()
        .ok_or_else(keeps_changing)?;
    Ok(Submitted {
        metered: metered.unwrap_or_default(),
        answers,
    })
}

/// One request's view of the configurations.
struct Round<'a, S, K> {
    deps: &'a Deps<'a, S, K>,
    tenant: &'a TenantId,
    caller: &'a Caller,
    /// Leaderboards whose configuration was read from the store in this request.
    fresh: BTreeSet<LeaderboardId>,
    /// Leaderboards that the store does not have. No copy remembers them, so each is asked for once.
    unknown: BTreeSet<LeaderboardId>,
}

impl<S: Store, K: Cache> Round<'_, S, K> {
    /// Applies the configurations. A refusal is believed only of configurations just read: it proves nothing
    /// of the current ones otherwise.
    async fn resolve(&mut self, submission: &Submission) -> Result<Result<Attempt, Refusal>, StoreError> {
        let first = self.resolve_once(submission).await?;
        let believed = submission.leaderboards.iter().all(|id| self.fresh.contains(id));
        let refused = match &first {
            Err(_) => true,
            Ok(attempt) => attempt.targets.iter().any(|target| target.refused.is_some()),
        };
        if !refused || believed {
            return Ok(first);
        }
        for id in &submission.leaderboards {
            if !self.fresh.contains(id) {
                if self.deps.current_board(self.tenant, id).await?.is_none() {
                    self.unknown.insert(id.clone());
                }
                self.fresh.insert(id.clone());
            }
        }
        self.resolve_once(submission).await
    }

    async fn resolve_once(
        &mut self,
        submission: &Submission,
    ) -> Result<Result<Attempt, Refusal>, StoreError> {
        let mut boards: Vec<Shared> = Vec::with_capacity(submission.leaderboards.len());
        for id in &submission.leaderboards {
            let refuse = |reason| {
                Ok(Err(Refusal {
                    leaderboard: id.clone(),
                    reason,
                }))
            };
            if self.unknown.contains(id) {
                return refuse(RefusalReason::UnknownLeaderboard);
            }
            let Some(loaded) = self.deps.board(self.tenant, id).await? else {
                self.fresh.insert(id.clone());
                self.unknown.insert(id.clone());
                return refuse(RefusalReason::UnknownLeaderboard);
            };
            if loaded.fresh {
                self.fresh.insert(id.clone());
            }
            if !self
                .caller
                .may_submit(loaded.board.value.access, &submission.player)
            {
                return refuse(RefusalReason::Forbidden);
            }
            // It decides the period and the tie-break, so a player does not choose it.
            if matches!(self.caller, Caller::Player(_)) && submission.occurred_at.is_some() {
                return refuse(RefusalReason::TimeNotAllowed);
            }
            boards.push(Rc::clone(&loaded.board));
        }
        Ok(submission.resolve(&boards, self.deps.now))
    }
}
