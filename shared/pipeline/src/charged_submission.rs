//! Charges a request that submits scores, in the call that writes them or in a call before it.

use leaderboard_api::{Problem, ProblemType, Response};
use leaderboard_core::ports::{ChargeRequest, RankDetail, RateLimitDecision, RateLimits, SubmitOptions};

use crate::PipelineEnvironment;
use crate::endpoint::Context;

/// The options of a submission, and the rate-limit decision once the request is charged.
#[derive(Debug)]
pub struct ChargedSubmission {
    /// The options for the call that writes. The charge request is empty once the request is charged.
    pub options: SubmitOptions,
    decision: Option<RateLimitDecision>,
}

impl ChargedSubmission {
    /// Returns the options of a request that is not charged yet.
    pub fn new<E: PipelineEnvironment>(context: &Context<'_, E>, ranks: RankDetail) -> Self {
        let quotas = &context.tenant_config.tenant.quotas;
        Self {
            options: SubmitOptions {
                ranks,
                charge_request: context.rate_limiter.charge_request_in_call(),
                max_tenant_entries: quotas.entries,
                max_log_bytes: Some(quotas.max_log_bytes()),
                announce_on: context.env.changes_channel().cloned(),
            },
            decision: None,
        }
    }

    /// Charges the request in a call of its own, unless it is charged already. A request that reads the store or writes the audit
    /// log before its submission is charged first.
    ///
    /// # Errors
    /// 429 when a limit is used up; 503 when the store is unavailable.
    pub async fn charge_now<E: PipelineEnvironment>(
        &mut self,
        context: &Context<'_, E>,
    ) -> Result<(), Problem> {
        if self.options.charge_request == ChargeRequest::default() {
            return Ok(());
        }
        let store = context.env.store();
        let decision = store.take(context.tenant, &self.options.charge_request).await?;
        self.options.charge_request = ChargeRequest::default();
        self.add_decision(decision)
    }

    /// Stores the rate-limit decision of a call. Only the first call had a charge request, so only its decision is stored.
    ///
    /// # Errors
    /// 429 when the call was refused.
    pub fn add_decision(&mut self, decision: RateLimitDecision) -> Result<(), Problem> {
        let refused = decision.refused;
        self.decision.get_or_insert(decision);
        if refused {
            return Err(Problem::new(ProblemType::TooManyRequests));
        }
        Ok(())
    }

    /// Returns the handler's answer with the decision, for the rate-limit headers.
    ///
    /// # Errors
    /// The problem of the answer.
    pub fn finish(self, answer: Result<Response, Problem>) -> Result<Response, Problem> {
        match answer {
            Ok(mut response) => {
                response.rate_limit_decision = self.decision;
                Ok(response)
            }
            Err(problem) => Err(problem.with_rate_limit_decision(self.decision)),
        }
    }
}
