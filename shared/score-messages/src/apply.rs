//! Applies submissions that did not come with a request that waits for their outcomes.

use leaderboard_api::tenant_record::TenantState;
use leaderboard_api::{Problem, ProblemType};
use leaderboard_core::ports::{
    ChargeRequest, RankDetail, RateLimits, ReadSource, SubmissionResult, SubmitOptions, Submitted, Usage,
};
use leaderboard_core::usecase::{Deps, SentSubmission};
use leaderboard_core::{StoreError, TenantId, usecase};
use leaderboard_pipeline::switches;
use leaderboard_responses::ResponseEnvironment;
use leaderboard_tenant_config::TenantConfig;

use crate::parts::parts;

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

/// Applies submissions of one tenant, those of each player in their order. Each call names at most as many leaderboards as a request may.
pub(crate) async fn apply_all<E: ResponseEnvironment>(
    env: &E,
    tenant: &TenantId,
    tenant_config: &TenantConfig,
    sent: &[SentSubmission<'_>],
) -> Applied {
    let mut answers = Vec::with_capacity(sent.len());
    let mut failure = None;
    // The region is asked for the configurations of the first part alone, so that what a message costs there is bounded.
    let mut cache = env.cache();
    for part in parts(sent, |(_, submission)| &submission.leaderboards) {
        match submit(env, tenant, tenant_config, part, cache.take()).await {
            Ok(submitted) => answers.extend(submitted.answers.into_iter().map(Some)),
            Err(error) => {
                failure = Some(error);
                break;
            }
        }
    }
    answers.resize_with(sent.len(), || None);
    let outcomes = || answers.iter().flatten().flatten().flatten();
    leaderboard_responses::invalidate_submitted(env, tenant, outcomes());
    let max_log_bytes = tenant_config.tenant.quotas.max_log_bytes();
    leaderboard_responses::take_due_snapshots(env, tenant, max_log_bytes, outcomes());
    Applied { answers, failure }
}

/// Applies submissions to at most [`leaderboard_api::wire::submission::MAX_REQUEST_LEADERBOARDS`] leaderboards, with cached
/// configurations.
async fn submit<E: ResponseEnvironment>(
    env: &E,
    tenant: &TenantId,
    tenant_config: &TenantConfig,
    sent: &[SentSubmission<'_>],
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
    usecase::submit_scores(&deps, sent, &options)
        .await
        .inspect_err(|_| {
            let submissions = sent.iter().map(|(_, submission)| *submission);
            leaderboard_responses::invalidate_if_submitted(env, tenant, submissions);
        })
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
