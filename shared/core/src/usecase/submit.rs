//! Submissions of scores.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::leaderboard_memory::{LoadedLeaderboard, SharedLeaderboard};
use super::query::MAX_CONFIGURATION_RETRIES;
use super::{Deps, Store, configuration_keeps_changing};
use crate::access::Caller;
use crate::ports::{
    Cache, ChargeRequest, RateLimitDecision, RateLimits, SubmissionResult, SubmitOptions, Submitted,
};
use crate::{LeaderboardId, PreparedSubmission, Refusal, RefusalReason, StoreError, Submission};

/// A submission, and the caller whose permissions it has.
pub type SentSubmission<'a> = (&'a Caller, &'a Submission);

/// Applies submissions, those of each player in their order, each atomically: either to all of its leaderboards or to none. Each submission
/// comes with the caller whose permissions it has. Returns one result for each submission.
///
/// If the configuration of a submission changed, the submission is tried again after the others of the call. So two submissions
/// of one player in the same call can be applied in another order.
///
/// The call is charged once: by the command that applies its submissions, or by a separate command before configurations are read
/// from the store. So a call that names unknown leaderboards is charged before the store looks for them.
///
/// # Errors
/// [`StoreError`] if it is unknown whether the submissions were applied. The call can be repeated safely with the same ids.
pub async fn submit_scores<S: Store + RateLimits, K: Cache>(
    deps: &Deps<'_, S, K>,
    submissions: &[SentSubmission<'_>],
    options: &SubmitOptions,
) -> Result<Submitted, StoreError> {
    let mut call = SubmitCall {
        deps,
        options: options.clone(),
        rate_limit_decision: None,
        boards: BTreeMap::new(),
    };
    let mut answers: Vec<Option<SubmissionResult>> = submissions.iter().map(|_| None).collect();
    for _ in 0..=MAX_CONFIGURATION_RETRIES {
        let (asked, open): (Vec<_>, Vec<_>) = submissions
            .iter()
            .copied()
            .zip(&mut answers)
            .filter(|(_, answer)| answer.is_none())
            .unzip();
        let Some(resolved) = call.resolve(&asked).await? else {
            return Ok(call.refused());
        };
        let mut prepared = Vec::new();
        let mut open_results = Vec::new();
        for (resolved, answer) in resolved.into_iter().zip(open) {
            match resolved {
                Ok(one) => {
                    prepared.push(one);
                    open_results.push(answer);
                }
                Err(refusal) => *answer = Some(Err(refusal)),
            }
        }
        if prepared.is_empty() && call.options.charge_request == ChargeRequest::default() {
            break;
        }
        let submitted = deps
            .store
            .submit_with_options(deps.tenant, &prepared, &call.options)
            .await?;
        if call.charged(submitted.rate_limit_decision) {
            return Ok(call.refused());
        }
        for (slot, result) in open_results.into_iter().zip(submitted.answers) {
            *slot = call.accept_final_result(result).await;
        }
    }
    let answers = answers
        .into_iter()
        .collect::<Option<Vec<_>>>()
        .ok_or_else(configuration_keeps_changing)?;
    Ok(Submitted {
        rate_limit_decision: call.rate_limit_decision.unwrap_or_default(),
        answers,
    })
}

/// The state of one call: its configurations and its charge.
struct SubmitCall<'a, S, K> {
    deps: &'a Deps<'a, S, K>,
    /// The options of the next command. After the call has been charged, their charge request is empty.
    options: SubmitOptions,
    rate_limit_decision: Option<RateLimitDecision>,
    /// The loaded configurations; `None` for a leaderboard that does not exist.
    boards: BTreeMap<LeaderboardId, Option<LoadedLeaderboard>>,
}

impl<S: Store + RateLimits, K: Cache> SubmitCall<'_, S, K> {
    /// Returns the result, or `None` if the configuration of the submission was stale. The configuration is then read again.
    async fn accept_final_result(&mut self, result: SubmissionResult) -> Option<SubmissionResult> {
        match result {
            Err(Refusal {
                leaderboard,
                reason: RefusalReason::StaleConfiguration,
            }) => {
                self.boards.remove(&leaderboard);
                self.deps.forget(&leaderboard).await;
                None
            }
            final_result => Some(final_result),
        }
    }

    /// Applies the configurations to submissions, in their order. Returns `None` if the rate limits refused the call.
    ///
    /// A refusal by a cached configuration is checked again with the current one, because the cached one may be stale.
    async fn resolve(
        &mut self,
        asked: &[SentSubmission<'_>],
    ) -> Result<Option<Vec<Result<PreparedSubmission, Refusal>>>, StoreError> {
        let named: BTreeSet<&LeaderboardId> = asked.iter().flat_map(|(_, one)| &one.leaderboards).collect();
        let mut missing = Vec::new();
        for id in named {
            if self.boards.contains_key(id) {
                continue;
            }
            match self.deps.find_cached_leaderboard(id).await {
                Some(board) => {
                    let loaded = LoadedLeaderboard { board, fresh: false };
                    self.boards.insert(id.clone(), Some(loaded));
                }
                None => missing.push(id.clone()),
            }
        }
        if !self.read(&missing).await? {
            return Ok(None);
        }
        let first: Vec<_> = asked.iter().map(|sent| self.resolve_one(*sent)).collect();
        let doubted: BTreeSet<&LeaderboardId> = asked
            .iter()
            .zip(&first)
            .filter(|(_, resolved)| is_refused(resolved))
            .flat_map(|((_, one), _)| &one.leaderboards)
            .filter(|id| !self.is_fresh(id))
            .collect();
        if doubted.is_empty() {
            return Ok(Some(first));
        }
        let doubted: Vec<_> = doubted.into_iter().cloned().collect();
        if !self.read(&doubted).await? {
            return Ok(None);
        }
        Ok(Some(asked.iter().map(|sent| self.resolve_one(*sent)).collect()))
    }

    /// Charges the call, then reads configurations from the store. Returns whether the call was accepted.
    async fn read(&mut self, ids: &[LeaderboardId]) -> Result<bool, StoreError> {
        if ids.is_empty() {
            return Ok(true);
        }
        if self.options.charge_request != ChargeRequest::default() {
            let rate_limit_decision = self
                .deps
                .store
                .take(self.deps.tenant, &self.options.charge_request)
                .await?;
            if self.charged(rate_limit_decision) {
                return Ok(false);
            }
        }
        let boards = self.deps.load_current_leaderboards(ids).await?;
        for (id, board) in ids.iter().zip(boards) {
            let loaded = board.map(|board| LoadedLeaderboard { board, fresh: true });
            self.boards.insert(id.clone(), loaded);
        }
        Ok(true)
    }

    /// Keeps the rate-limit decision of a command, so that the call is charged once. Returns whether the call was refused.
    fn charged(&mut self, rate_limit_decision: RateLimitDecision) -> bool {
        let refused = rate_limit_decision.refused;
        if refused || self.rate_limit_decision.is_none() {
            self.rate_limit_decision = Some(rate_limit_decision);
        }
        self.options.charge_request = ChargeRequest::default();
        refused
    }

    fn refused(self) -> Submitted {
        Submitted {
            rate_limit_decision: self.rate_limit_decision.unwrap_or_default(),
            answers: Vec::new(),
        }
    }

    /// Returns whether the store was asked for this configuration during this call.
    fn is_fresh(&self, id: &LeaderboardId) -> bool {
        matches!(
            self.boards.get(id),
            Some(None | Some(LoadedLeaderboard { fresh: true, .. }))
        )
    }

    fn resolve_one(&self, (caller, submission): SentSubmission<'_>) -> Result<PreparedSubmission, Refusal> {
        let mut boards: Vec<SharedLeaderboard> = Vec::with_capacity(submission.leaderboards.len());
        for id in &submission.leaderboards {
            let refusal = |reason| Refusal {
                leaderboard: id.clone(),
                reason,
            };
            let loaded = self.boards.get(id).and_then(Option::as_ref);
            let board = &loaded
                .ok_or_else(|| refusal(RefusalReason::UnknownLeaderboard))?
                .board;
            if !caller.may_submit(board.value.access, &submission.player) {
                return Err(refusal(RefusalReason::Forbidden));
            }
            // The time decides the period and the order of ties, so a player cannot choose it.
            if matches!(caller, Caller::Player(_)) && submission.occurred_at.is_some() {
                return Err(refusal(RefusalReason::TimeNotAllowed));
            }
            boards.push(Rc::clone(board));
        }
        self.apply(caller, submission, &boards)
    }

    /// Applies the configurations to a submission. If the submission has no time, its score happened when the submission was
    /// received. The fingerprint does not contain that time, because the client did not send it.
    fn apply(
        &self,
        caller: &Caller,
        submission: &Submission,
        boards: &[SharedLeaderboard],
    ) -> Result<PreparedSubmission, Refusal> {
        let now = self.deps.now;
        let (None, Some(received_at)) = (submission.occurred_at, submission.received_at) else {
            return submission.resolve_for(caller, boards, now);
        };
        let dated = Submission {
            occurred_at: Some(received_at),
            ..submission.clone()
        };
        let prepared = dated.resolve_for(caller, boards, now)?;
        Ok(PreparedSubmission {
            fingerprint: submission.fingerprint(),
            ..prepared
        })
    }
}

/// Returns whether a configuration refused a submission, as a whole or on one of its leaderboards.
fn is_refused(resolved: &Result<PreparedSubmission, Refusal>) -> bool {
    match resolved {
        Err(_) => true,
        Ok(prepared) => prepared.targets.iter().any(|target| target.refused.is_some()),
    }
}
