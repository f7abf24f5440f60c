//! Administrative actions: recorded before they are done.

use std::net::IpAddr;

use http::StatusCode;
use leaderboard_core::ports::{AuditKind, AuditLog, AuditRecord};
use leaderboard_core::{StoreError, TenantId};

use super::record::{AuditEntry, first_characters, parameters};
use super::refusals::{UNRECORDED, has_room_for_one};
use crate::PipelineEnvironment;
use crate::audited_action::{AuditedAction, RecordedAction};
use crate::endpoint::Context;
use leaderboard_api::{Credential, Identity, Problem, ProblemType, Response};
use leaderboard_telemetry::metrics;

/// The audit context: what is known about a request when it is refused.
#[derive(Debug, Default)]
pub struct AuditContext {
    /// The client's address.
    pub client: Option<IpAddr>,
    /// The credential, once it has been found valid.
    pub credential: Option<Credential>,
    /// The tenant of the credential.
    pub tenant: Option<TenantId>,
}

impl AuditContext {
    /// Stores whose credential was found valid.
    pub(crate) fn set_identity(&mut self, identity: &Identity) {
        self.credential = Some(identity.credential.clone());
        self.tenant.clone_from(&identity.tenant);
    }
}

/// Returns the record of an action.
fn make_record<E>(action: &AuditedAction<'_>, context: &Context<'_, E>) -> AuditRecord {
    let event = AuditEntry::Action {
        who: (&context.identity.credential).into(),
        method: action.method,
        route: action.route,
        parameters: parameters(action.parameters),
        query: first_characters(context.query),
        from: context.client,
        trace: context.trace_id,
    };
    AuditRecord {
        tenant: (!action.is_operators).then(|| context.tenant.clone()),
        kind: AuditKind::Action,
        at: context.now,
        body: event.into_body(),
    }
}

/// Records the action of a valid request before the action is done. A repeated call records nothing. An action that frees memory
/// is done even if the store has no memory for its record. [`record_action_result`] then tries again, because a full store refuses
/// every record until something is deleted.
///
/// # Errors
/// 503 when the action cannot be recorded. The caller must then not do the action.
pub async fn record_audit_event<E: PipelineEnvironment>(context: &Context<'_, E>) -> Result<(), Problem> {
    let Some(action) = &context.action else {
        return Ok(());
    };
    if action.recorded.borrow().is_some() {
        return Ok(());
    }
    let record = make_record(action, context);
    let position = match context.env.store().append_audit(&record).await {
        Ok(position) => Some(position),
        Err(StoreError::OutOfMemory(_)) if action.frees_memory => None,
        Err(error) => return Err(build_unrecorded_problem(&error)),
    };
    *action.recorded.borrow_mut() = Some(RecordedAction { record, position });
    Ok(())
}

/// Records how an action ended. If the log does not contain a completed action yet, records it now. A refused or failed action
/// gets a second record with its status after the response; these records have the same rate limit as records of refused
/// credentials. If a completed action cannot be recorded, counts that and returns the cause for the access log.
pub async fn record_action_result<E: PipelineEnvironment>(
    context: &Context<'_, E>,
    answer: &Result<Response, Problem>,
) -> Option<String> {
    let action = context.action.as_ref()?;
    let status = match answer {
        Ok(response) => response.status,
        Err(problem) => problem.kind.status(),
    };
    let has_failed = status.is_client_error() || status.is_server_error();
    let recorded = action.recorded.take();
    let (record, position) = match recorded {
        Some(RecordedAction { record, position }) => (record, position),
        None => (make_record(action, context), None),
    };
    if position.is_none() && !has_failed {
        return match context.env.store().append_audit(&record).await {
            Ok(_) => None,
            Err(error) => {
                context.env.counts().count_unrecorded_action();
                Some(format!("the action was not recorded: {error}"))
            }
        };
    }
    if has_failed {
        record_failure(context, record, position, status);
    }
    None
}

/// Records the status of a refused or failed action after the response, and the action itself if it has no position yet.
fn record_failure<E: PipelineEnvironment>(
    context: &Context<'_, E>,
    action: AuditRecord,
    position: Option<u64>,
    status: StatusCode,
) {
    let trace = context.trace_id.to_owned();
    let env = context.env.clone();
    context.env.later(async move {
        // Otherwise a flood of refused actions would push other records out of the log.
        if (status.is_client_error() || position.is_none())
            && !has_room_for_one(&env, action.tenant.as_ref())
                .await
                .unwrap_or(false)
        {
            metrics::add_to_region(&env, [(UNRECORDED.into(), 1)].into()).await;
            return;
        }
        // The store may be unavailable, which is why the action failed.
        let appended = match position {
            Some(position) => Ok(position),
            None => env.store().append_audit(&action).await,
        };
        let Ok(of) = appended else {
            return;
        };
        let event = AuditEntry::Outcome {
            of,
            status: status.as_u16(),
            trace: &trace,
        };
        let record = AuditRecord {
            at: env.clock(),
            body: event.into_body(),
            ..action
        };
        let _ = env.store().append_audit(&record).await;
    });
}

/// Appends another record about the change that this request is about to make, and returns the record's position.
///
/// # Errors
/// [`StoreError`].
pub(super) async fn append_record<E: PipelineEnvironment>(
    context: &Context<'_, E>,
    event: AuditEntry<'_>,
) -> Result<u64, StoreError> {
    let record = AuditRecord {
        tenant: Some(context.tenant.clone()),
        kind: AuditKind::Action,
        at: context.now,
        body: event.into_body(),
    };
    context.env.store().append_audit(&record).await
}

/// Returns the problem for an action that is not done because it cannot be recorded.
pub(super) fn build_unrecorded_problem(error: &StoreError) -> Problem {
    Problem::new(ProblemType::Unavailable).with_cause(format!("the action cannot be recorded: {error}"))
}
