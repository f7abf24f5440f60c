//! Administrative acts.

use std::net::IpAddr;

use leaderboard_core::TenantId;
use leaderboard_core::ports::{AuditKind, AuditLog, AuditRecord};

use super::record::{Event, parameters};
use crate::endpoint::Context;
use crate::environment::Environment;
use crate::identity::{Credential, Identity};
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

/// A record of an act that is being done.
#[derive(Debug)]
pub(crate) struct Act {
    tenant: Option<TenantId>,
    position: u64,
}

/// Records an act that is about to be done; `None` for a request that is none.
///
/// # Errors
/// 503 when it cannot be recorded: nothing is done that is not in the log.
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
        query: context.query,
        from: context.client,
        trace: context.trace_id,
    };
    let record = AuditRecord {
        tenant: (route.need != Need::Operator).then(|| context.tenant.clone()),
        kind: AuditKind::Act,
        at: context.now,
        body: event.into_body(),
    };
    let appended = context.env.store().append_audit(&record).await;
    let position = appended.map_err(|error| {
        Problem::new(ProblemType::Unavailable).with_cause(format!("the act cannot be recorded: {error}"))
    })?;
    let tenant = record.tenant;
    Ok(Some(Act { tenant, position }))
}

/// Records how an act ended, when it was refused or failed; after the response.
pub(crate) fn end<E: Environment>(
    context: &Context<'_, E>,
    act: Option<Act>,
    answer: &Result<Response, Problem>,
) {
    let status = match answer {
        Ok(response) => response.status,
        Err(problem) => problem.kind.status(),
    };
    let Some(act) = act.filter(|_| status.is_client_error() || status.is_server_error()) else {
        return;
    };
    let event = Event::Outcome {
        of: act.position,
        status: status.as_u16(),
        trace: context.trace_id,
    };
    let record = AuditRecord {
        tenant: act.tenant,
        kind: AuditKind::Act,
        at: context.env.clock(),
        body: event.into_body(),
    };
    let env = context.env.clone();
    context.env.later(async move {
        // The act itself is recorded; a store that is gone by now is why it failed.
        let _ = env.store().append_audit(&record).await;
    });
}
