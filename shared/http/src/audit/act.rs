//! Administrative acts.

use std::net::IpAddr;

use http::StatusCode;
use leaderboard_core::ports::{AuditKind, AuditLog, AuditRecord};
use leaderboard_core::{StoreError, TenantId};

use super::record::{Event, first_characters, parameters};
use super::refusals::{UNRECORDED, has_room_for_one};
use crate::endpoint::Context;
use crate::environment::Environment;
use crate::identity::{Credential, Identity};
use crate::metrics;
use crate::params::Params;
use crate::problem::{Problem, ProblemType};
use crate::response::Response;
use crate::route::{Need, Route};

/// What is known of a request by the time it is refused.
#[derive(Debug, Default)]
pub(crate) struct Trail {
    /// Where it comes from.
    pub(crate) client: Option<IpAddr>,
    /// The credential, once it has been found valid.
    pub(crate) credential: Option<Credential>,
    /// Whose it is.
    pub(crate) tenant: Option<TenantId>,
}

impl Trail {
    /// Notes who asks.
    pub(crate) fn identified(&mut self, identity: &Identity) {
        self.credential = Some(identity.credential.clone());
        self.tenant.clone_from(&identity.tenant);
    }
}

/// An act that is being done.
#[derive(Debug)]
pub(crate) struct Act {
    record: AuditRecord,
    /// The position of its record; `None` when the store refused the record of an act that frees memory.
    position: Option<u64>,
}

/// Records an act that is about to be done; `None` for a request that is none. An act that frees memory is done although the
/// store refuses its record, and [`end`] tries again: a store that is full refuses every record until something is deleted.
///
/// # Errors
/// 503 when another act cannot be recorded: nothing else is done that is not in the log.
pub(crate) async fn begin<R, E: Environment>(
    context: &Context<'_, E>,
    route: &Route<R>,
    params: &Params<'_>,
) -> Result<Option<Act>, Problem> {
    if !route.is_administrative() {
        return Ok(None);
    }
    let event = Event::Act {
        who: (&context.identity.credential).into(),
        method: route.verb.name(),
        route: route.pattern,
        parameters: parameters(params),
        query: first_characters(context.query),
        from: context.client,
        trace: context.trace_id,
    };
    let record = AuditRecord {
        tenant: (route.need != Need::Operator).then(|| context.tenant.clone()),
        kind: AuditKind::Act,
        at: context.now,
        body: event.into_body(),
    };
    let position = match context.env.store().append_audit(&record).await {
        Ok(position) => Some(position),
        Err(StoreError::OutOfMemory(_)) if route.frees_memory => None,
        Err(error) => {
            let cause = format!("the act cannot be recorded: {error}");
            return Err(Problem::new(ProblemType::Unavailable).with_cause(cause));
        }
    };
    Ok(Some(Act { record, position }))
}

/// Records how an act ended: the act itself, when it is not in the log yet, and after the response its status, when it was
/// refused or failed. Of refused acts the log takes no more than of refused credentials. The cause, for the log, when an act
/// that was done cannot be recorded; it is counted, too.
pub(crate) async fn end<E: Environment>(
    context: &Context<'_, E>,
    act: Option<Act>,
    answer: &Result<Response, Problem>,
) -> Option<String> {
    let Act { record, position } = act?;
    let status = match answer {
        Ok(response) => response.status,
        Err(problem) => problem.kind.status(),
    };
    let appended = match position {
        Some(position) => Ok(position),
        None => context.env.store().append_audit(&record).await,
    };
    let position = match appended {
        Ok(position) => position,
        Err(error) => {
            context.env.memory().counts.unrecorded();
            return Some(format!("the act was not recorded: {error}"));
        }
    };
    if status.is_client_error() || status.is_server_error() {
        record_status(context, record.tenant, position, status);
    }
    None
}

/// Records the status of an act that was refused or failed, after the response.
fn record_status<E: Environment>(
    context: &Context<'_, E>,
    tenant: Option<TenantId>,
    position: u64,
    status: StatusCode,
) {
    let event = Event::Outcome {
        of: position,
        status: status.as_u16(),
        trace: context.trace_id,
    };
    let record = AuditRecord {
        tenant,
        kind: AuditKind::Act,
        at: context.env.clock(),
        body: event.into_body(),
    };
    let env = context.env.clone();
    context.env.later(async move {
        // The act itself is recorded. A flood of refused ones must not push others out of the log.
        if status.is_client_error()
            && !has_room_for_one(&env, record.tenant.as_ref())
                .await
                .unwrap_or(false)
        {
            metrics::keep(&env, [(UNRECORDED.into(), 1)].into()).await;
            return;
        }
        // A store that is gone by now is why it failed.
        let _ = env.store().append_audit(&record).await;
    });
}

/// Appends another record of what this request is about to do; its position.
///
/// # Errors
/// [`StoreError`].
pub(super) async fn append<E: Environment>(
    context: &Context<'_, E>,
    event: Event<'_>,
) -> Result<u64, StoreError> {
    let record = AuditRecord {
        tenant: Some(context.tenant.clone()),
        kind: AuditKind::Act,
        at: context.now,
        body: event.into_body(),
    };
    context.env.store().append_audit(&record).await
}

/// What was not recorded is not done.
pub(super) fn unrecorded(error: &StoreError) -> Problem {
    Problem::new(ProblemType::Unavailable).with_cause(format!("the act cannot be recorded: {error}"))
}
