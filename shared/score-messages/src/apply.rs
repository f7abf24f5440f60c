//! Applies submissions that did not come with a request that waits for their outcomes.

use std::collections::BTreeMap;

use leaderboard_api::tenant_record::TenantState;
use leaderboard_api::{Problem, ProblemType};
use leaderboard_core::access::Caller;
use leaderboard_core::ports::{
    ChargeRequest, RankDetail, RateLimits, ReadSource, SubmissionResult, SubmitOptions, Submitted, Usage,
};
use leaderboard_core::usecase::Deps;
use leaderboard_core::{PlayerId, StoreError, Submission, TenantId, usecase};
use leaderboard_pipeline::switches;
use leaderboard_responses::ResponseEnvironment;
use leaderboard_tenant_config::TenantConfig;

use crate::parts::parts;

/// A submission, and the player whose permissions it has; `None` for those of a message.
pub(crate) type Sent<'a> = (Option<&'a PlayerId>, &'a Submission);

/// What came of submissions.
#[derive(Debug)]
pub(crate) struct Applied {
    /// One answer for each submission; `None` if the store failed before it answered.
    pub answers: Vec<Option<SubmissionResult>>,
    /// The failure of the store. After it, no further submission was sent to the store.
    pub failure: Option<StoreError>,
}

/// Returns why submissions of a tenant are not applied now; `None` if they are.
pub(crate) fn why_closed<E: ResponseEnvironment>(
    env: &E,
    tenant: &TenantId,
    tenant_config: &TenantConfig,
) -> Option<Problem> {
    if switches::writes_are_off(env, tenant, tenant_config) {
        Some(Problem::new(ProblemType::WritesDisabled))
    } else if tenant_config.tenant.state == TenantState::Suspended {
        Some(Problem::new(ProblemType::TenantSuspended))
    } else {
        None
    }
}

/// Applies submissions of one tenant: those of messages in their order, and those of each player in their order. Each call names at
/// most as many leaderboards as a request may.
pub(crate) async fn apply_all<E: ResponseEnvironment>(
    env: &E,
    tenant: &TenantId,
    tenant_config: &TenantConfig,
    sent: &[Sent<'_>],
) -> Applied {
    let mut answers: Vec<Option<SubmissionResult>> = sent.iter().map(|_| None).collect();
    let mut by_caller: BTreeMap<Option<&PlayerId>, Vec<(usize, &Submission)>> = BTreeMap::new();
    for (at, (player, submission)) in sent.iter().enumerate() {
        by_caller.entry(*player).or_default().push((at, submission));
    }
    // The region is asked for the configurations of the first part alone, so that what a message costs there is bounded.
    let mut cache = env.cache();
    let mut failure = None;
    'calls: for (player, own) in by_caller {
        let caller = player.map_or(Caller::Message, |player| Caller::Player(player.clone()));
        for part in parts(&own, |(_, submission)| &submission.leaderboards) {
            let submissions: Vec<_> = part.iter().map(|(_, submission)| (*submission).clone()).collect();
            match submit(env, tenant, tenant_config, &caller, &submissions, cache.take()).await {
                Ok(submitted) => {
                    for ((at, _), answer) in part.iter().zip(submitted.answers) {
                        if let Some(slot) = answers.get_mut(*at) {
                            *slot = Some(answer);
                        }
                    }
                }
                Err(error) => {
                    failure = Some(error);
                    break 'calls;
                }
            }
        }
    }
    let outcomes = answers.iter().flatten().flatten().flatten();
    leaderboard_responses::invalidate_submitted(env, tenant, outcomes);
    Applied { answers, failure }
}

/// Applies submissions to at most [`leaderboard_api::wire::submission::MAX_REQUEST_LEADERBOARDS`] leaderboards, with cached
/// configurations.
async fn submit<E: ResponseEnvironment>(
    env: &E,
    tenant: &TenantId,
    tenant_config: &TenantConfig,
    caller: &Caller,
    submissions: &[Submission],
    cache: Option<&E::Cache>,
) -> Result<Submitted, StoreError> {
    let deps = Deps {
        store: env.store(),
        cache,
        leaderboard_memory: env.leaderboard_memory(),
        tenant,
        now: env.clock(),
        source: ReadSource::Primary,
    };
    let options = SubmitOptions {
        announce_on: env.changes_channel().cloned(),
        max_tenant_entries: tenant_config.tenant.quotas.entries,
        max_log_bytes: Some(tenant_config.tenant.quotas.max_log_bytes()),
        ..SubmitOptions::new(RankDetail::Omitted)
    };
    usecase::submit_scores(&deps, caller, submissions, &options)
        .await
        .inspect_err(|_| leaderboard_responses::invalidate_if_submitted(env, tenant, submissions.iter()))
}

/// Adds the applied scores to the tenant's usage. Every region receives every message, but only one region applies it.
pub(crate) async fn count<E: ResponseEnvironment>(env: &E, tenant: &TenantId, applied: usize) {
    let scores = u64::try_from(applied).unwrap_or(u64::MAX);
    let usage = Usage { requests: 0, scores };
    let charge_request = ChargeRequest {
        usage,
        ..ChargeRequest::default()
    };
    if applied > 0 {
        // A failure to count does not undo the submissions.
        let _ = env.store().report(tenant, &charge_request).await;
    }
}
