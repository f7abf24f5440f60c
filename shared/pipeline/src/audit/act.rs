//! Administrative acts.

use std::cell::RefCell;
use std::net::IpAddr;

use http::StatusCode;
use leaderboard_core::ports::{AuditKind, AuditLog, AuditRecord};
use leaderboard_core::{StoreError, TenantId};

use super::record::{AuditEntry, first_characters, parameters};
use super::refusals::{UNRECORDED, has_room_for_one};
use crate::PipelineEnvironment;
use crate::endpoint::Context;
use crate::route::Route;
use leaderboard_api::PathParams;
use leaderboard_api::Permission;
use leaderboard_api::Response;
use leaderboard_api::{Credential, Identity};
use leaderboard_api::{Problem, ProblemType};
use leaderboard_telemetry::metrics;

/// What is known of a request by the time it is refused.
#[derive(Debug, Default)]
pub struct AuditContext {
    /// Where it comes from.
    pub client: Option<IpAddr>,
    /// The credential, once it has been found valid.
    pub credential: Option<Credential>,
    /// Whose it is.
    pub tenant: Option<TenantId>,
}

impl AuditContext {
    /// Sets whose credential was found valid.
    pub(crate) fn set_identity(&mut self, identity: &Identity) {
        self.credential = Some(identity.credential.clone());
        self.tenant.clone_from(&identity.tenant);
    }
}

/// An administrative act that a request asks for. Its handler records it with [`record_act`] when nothing is found wrong with
/// the request, and before anything is changed.
#[derive(Debug)]
pub struct AuditedAction<'a> {
    method: &'static str,
    route: &'static str,
    parameters: &'a PathParams<'a>,
    /// Whether it is about the whole installation, and recorded in the operator's log.
    is_operators: bool,
    /// Whether it is done although the store is out of memory.
    frees_memory: bool,
    recorded: RefCell<Option<RecordedAction>>,
}

/// The record of an act.
#[derive(Debug)]
struct RecordedAction {
    record: AuditRecord,
    /// Its position; `None` when the store refused the record of an act that frees memory.
    position: Option<u64>,
}

impl<'a> AuditedAction<'a> {
    /// The act of a request for a route; `None` for a request that is none.
    pub fn of<R>(route: &Route<R>, parameters: &'a PathParams<'a>) -> Option<Self> {
        route.is_administrative().then(|| Self {
            method: route.verb.name(),
            route: route.pattern,
            parameters,
            is_operators: route.permission == Permission::Operator,
            frees_memory: route.frees_memory,
            recorded: RefCell::default(),
        })
    }

    fn record<E>(&self, context: &Context<'_, E>) -> AuditRecord {
        let event = AuditEntry::Action {
            who: (&context.identity.credential).into(),
            method: self.method,
            route: self.route,
            parameters: parameters(self.parameters),
            query: first_characters(context.query),
            from: context.client,
            trace: context.trace_id,
        };
        AuditRecord {
            tenant: (!self.is_operators).then(|| context.tenant.clone()),
            kind: AuditKind::Action,
            at: context.now,
            body: event.into_body(),
        }
    }
}

/// Records the act of a request that was found valid, and is about to be done; once, however often it is called. An act that
/// frees memory is done although the store refuses its record, and [`end`] tries again: a store that is full refuses every
/// record until something is deleted.
///
/// # Errors
/// 503 when another act cannot be recorded: nothing else is done that is not in the log.
pub async fn record_act<E: PipelineEnvironment>(context: &Context<'_, E>) -> Result<(), Problem> {
    let Some(act) = &context.action else {
        return Ok(());
    };
    if act.recorded.borrow().is_some() {
        return Ok(());
    }
    let record = act.record(context);
    let position = match context.env.store().append_audit(&record).await {
        Ok(position) => Some(position),
        Err(StoreError::OutOfMemory(_)) if act.frees_memory => None,
        Err(error) => return Err(unrecorded(&error)),
    };
    *act.recorded.borrow_mut() = Some(RecordedAction { record, position });
    Ok(())
}

/// Records how an act ended: the act itself, when it was done and is not in the log yet, and after the response its status, when it
/// was refused or failed. An act that was refused before [`record_act`] is recorded after the response, too; of refused acts the log
/// takes no more than of refused credentials. The cause, for the log, when an act that was done cannot be recorded; it is
/// counted, too.
pub async fn end<E: PipelineEnvironment>(
    context: &Context<'_, E>,
    answer: &Result<Response, Problem>,
) -> Option<String> {
    let act = context.action.as_ref()?;
    let status = match answer {
        Ok(response) => response.status,
        Err(problem) => problem.kind.status(),
    };
    let has_failed = status.is_client_error() || status.is_server_error();
    let recorded = act.recorded.take();
    let (record, position) = match recorded {
        Some(RecordedAction { record, position }) => (record, position),
        None => (act.record(context), None),
    };
    if position.is_none() && !has_failed {
        return match context.env.store().append_audit(&record).await {
            Ok(_) => None,
            Err(error) => {
                context.env.counts().unrecorded();
                Some(format!("the act was not recorded: {error}"))
            }
        };
    }
    if has_failed {
        record_failure(context, record, position, status);
    }
    None
}

/// Records the status of an act that was refused or failed, after the response, and the act itself where it has no position yet.
fn record_failure<E: PipelineEnvironment>(
    context: &Context<'_, E>,
    act: AuditRecord,
    position: Option<u64>,
    status: StatusCode,
) {
    let trace = context.trace_id.to_owned();
    let env = context.env.clone();
    context.env.later(async move {
        // A flood of refused acts must not push others out of the log.
        if (status.is_client_error() || position.is_none())
            && !has_room_for_one(&env, act.tenant.as_ref()).await.unwrap_or(false)
        {
            metrics::keep(&env, [(UNRECORDED.into(), 1)].into()).await;
            return;
        }
        // A store that is gone by now is why it failed.
        let appended = match position {
            Some(position) => Ok(position),
            None => env.store().append_audit(&act).await,
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
            ..act
        };
        let _ = env.store().append_audit(&record).await;
    });
}

/// Appends another record of what this request is about to do; its position.
///
/// # Errors
/// [`StoreError`].
pub(super) async fn append<E: PipelineEnvironment>(
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

/// What was not recorded is not done.
pub(super) fn unrecorded(error: &StoreError) -> Problem {
    Problem::new(ProblemType::Unavailable).with_cause(format!("the act cannot be recorded: {error}"))
}
