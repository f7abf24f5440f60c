//! Refused credentials. They are collected and recorded after the response, so that a flood of them makes few records.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use http::HeaderMap;
use http::header::AUTHORIZATION;
use leaderboard_core::ports::{AuditKind, AuditLog, AuditRecord, Charge, ChargeRequest, RateLimits};
use leaderboard_core::{StoreError, TenantId, Timestamp};

use super::action::AuditContext;
use super::record::{AuditActor, AuditEntry, cut};
use crate::PipelineEnvironment;
use leaderboard_api::{Credential, Problem, ProblemType};
use leaderboard_telemetry::metrics;

/// How long an instance collects equal refusals into one record, in milliseconds.
const GATHER_MS: u64 = 250;
/// The most different refusals that an instance collects. All further refusals share one record.
const MAX_GATHERED: usize = 64;
/// How many records of refusals all instances together can write to a log at once.
const BURST: u64 = 100;
/// The time in which a log regains room for one more record of a refusal, in microseconds: one second.
const INTERVAL_US: u64 = 1_000_000;
const BUCKET: &str = "audit:refused";
/// The bucket of the operator's log, which is counted under the default tenant.
const OPERATORS_BUCKET: &str = "audit:refused:operator";
/// How often an instance tries to write records that the log does not accept, once every [`GATHER_MS`]: for two seconds.
const MAX_TRIES: u32 = 8;
/// The counter of refusals that were never recorded.
pub(super) const UNRECORDED: &str = "edgeboard_refusals_unrecorded_total";
/// The reason in the record of refusals that are counted together.
const MANY: &str = "Too many different refusals to list.";

/// The properties that equal refusals share.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct RefusedCredential {
    tenant: Option<TenantId>,
    from: Option<IpAddr>,
    who: AuditActor,
    status: u16,
    reason: String,
}

/// The number of equal refusals, and the time of the first.
#[derive(Debug, Clone, PartialEq, Eq)]
struct SeenRefusals {
    at: Timestamp,
    trace: String,
    count: u64,
}

/// The refusals of an instance that are not recorded yet.
#[derive(Debug, Default)]
pub struct Refusals {
    gathered: RefCell<BTreeMap<RefusedCredential, SeenRefusals>>,
    /// Whether a task is about to record the refusals.
    recording: Cell<bool>,
}

/// Marks that a task is about to record refusals. Dropping it removes the mark, even if the task is cancelled.
struct Recording<E: PipelineEnvironment>(E);

impl<E: PipelineEnvironment> Recording<E> {
    /// Sets the mark, or returns `None` if another task has set it already.
    fn begin(env: &E) -> Option<Self> {
        let begun = env.pipeline_state().refusals.recording.replace(true);
        (!begun).then(|| Self(env.clone()))
    }
}

impl<E: PipelineEnvironment> Drop for Recording<E> {
    fn drop(&mut self) {
        self.0.pipeline_state().refusals.recording.set(false);
    }
}

impl Refusals {
    fn add(&self, mut refusal: RefusedCredential, seen: SeenRefusals) {
        let mut gathered = self.gathered.borrow_mut();
        if gathered.len() >= MAX_GATHERED && !gathered.contains_key(&refusal) {
            refusal = RefusedCredential {
                tenant: None,
                from: None,
                who: AuditActor::Nobody,
                status: refusal.status,
                reason: MANY.to_owned(),
            };
        }
        match gathered.get_mut(&refusal) {
            // A refusal that the log did not accept comes back here, and was first.
            Some(known) if known.at > seen.at => {
                let count = seen.count.saturating_add(known.count);
                *known = SeenRefusals { count, ..seen };
            }
            Some(known) => known.count = known.count.saturating_add(seen.count),
            None => {
                gathered.insert(refusal, seen);
            }
        }
    }
}

/// Collects a refusal of a credential. Ignores other problems, and requests without a credential.
pub fn collect_refusal<E: PipelineEnvironment>(
    env: &E,
    headers: &HeaderMap,
    audit: &AuditContext,
    problem: &Problem,
    trace_id: &str,
) {
    let refuses = matches!(
        problem.kind,
        ProblemType::Unauthenticated
            | ProblemType::Forbidden
            | ProblemType::AddressDenied
            | ProblemType::TenantSuspended
    );
    let refuses = refuses || problem.refused.is_some();
    let Some(mut who) = presented(headers, audit).filter(|_| refuses) else {
        return;
    };
    let mut tenant = audit.tenant.clone();
    if let Some(refused) = &problem.refused {
        if refused.tenant.is_some() {
            tenant.clone_from(&refused.tenant);
        }
        if let Some(credential) = &refused.credential {
            who = credential.into();
        }
    }
    let reason = problem.detail.as_deref().unwrap_or(problem.kind.title());
    let refusal = RefusedCredential {
        tenant,
        from: audit.client,
        who,
        status: problem.kind.status().as_u16(),
        reason: cut(reason),
    };
    env.counts().count_refused_credential();
    let refusals = &env.pipeline_state().refusals;
    let seen = SeenRefusals {
        at: env.now(),
        trace: trace_id.to_owned(),
        count: 1,
    };
    refusals.add(refusal, seen);
    if let Some(recording) = Recording::begin(env) {
        env.later(record(recording));
    }
}

/// Returns the credential of a request; `None` if the request had no credential.
fn presented(headers: &HeaderMap, audit: &AuditContext) -> Option<AuditActor> {
    match &audit.credential {
        Some(Credential::None) => None,
        Some(valid) => Some(valid.into()),
        None if headers.contains_key(AUTHORIZATION) => Some(AuditActor::UnknownToken),
        None if headers.contains_key("x-api-key") => Some(AuditActor::UnknownKey),
        None => None,
    }
}

async fn record<E: PipelineEnvironment>(recording: Recording<E>) {
    let env = &recording.0;
    let refusals = &env.pipeline_state().refusals;
    for _ in 0..MAX_TRIES {
        env.pause(GATHER_MS).await;
        record_gathered(env).await;
        if refusals.gathered.borrow().is_empty() {
            return;
        }
    }
    // The instance may not live until the log takes records again. The region keeps the count.
    let given_up = refusals.gathered.take();
    let count = given_up
        .values()
        .fold(0_u64, |sum, seen| sum.saturating_add(seen.count));
    metrics::add_to_region(env, [(UNRECORDED.into(), count)].into()).await;
}

/// Records the collected refusals. Keeps those that the log does not accept.
async fn record_gathered<E: PipelineEnvironment>(env: &E) {
    let refusals = &env.pipeline_state().refusals;
    let gathered: Vec<RefusedCredential> = refusals.gathered.borrow().keys().cloned().collect();
    let mut full = BTreeSet::new();
    for refusal in gathered {
        if full.contains(&refusal.tenant) {
            continue;
        }
        let Some(seen) = refusals.gathered.borrow_mut().remove(&refusal) else {
            continue;
        };
        if !matches!(append(env, &refusal, &seen).await, Ok(true)) {
            full.insert(refusal.tenant.clone());
            refusals.add(refusal, seen);
        }
    }
}

/// Charges one record of a refusal to the log of a tenant, or to the operator's log, and returns whether the log accepts it.
pub(super) async fn has_room_for_one<E: PipelineEnvironment>(
    env: &E,
    tenant: Option<&TenantId>,
) -> Result<bool, StoreError> {
    let (payer, bucket) = match tenant {
        Some(tenant) => (tenant, BUCKET),
        None => (env.default_tenant(), OPERATORS_BUCKET),
    };
    let charge = Charge {
        bucket: bucket.into(),
        interval_us: INTERVAL_US,
        burst: BURST,
        needs: Some(1),
        cost: 1,
    };
    let charge_request = ChargeRequest {
        charges: vec![charge],
        ..ChargeRequest::default()
    };
    Ok(!env.store().take(payer, &charge_request).await?.refused)
}

/// Appends a record, and returns whether the log accepted it.
async fn append<E: PipelineEnvironment>(
    env: &E,
    refusal: &RefusedCredential,
    seen: &SeenRefusals,
) -> Result<bool, StoreError> {
    if !has_room_for_one(env, refusal.tenant.as_ref()).await? {
        return Ok(false);
    }
    let event = AuditEntry::Refused {
        who: &refusal.who,
        status: refusal.status,
        reason: &refusal.reason,
        from: refusal.from,
        trace: &seen.trace,
        count: seen.count,
    };
    let record = AuditRecord {
        tenant: refusal.tenant.clone(),
        kind: AuditKind::Authentication,
        at: seen.at,
        body: event.into_body(),
    };
    env.store().append_audit(&record).await?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn create_refusal(number: u8) -> RefusedCredential {
        RefusedCredential {
            tenant: None,
            from: Some(IpAddr::from([10, 0, 0, number])),
            who: AuditActor::UnknownKey,
            status: 401,
            reason: "The key is not valid.".to_owned(),
        }
    }

    fn create_seen(trace: &str) -> SeenRefusals {
        SeenRefusals {
            at: Timestamp::saturating_from_unix_ms(0),
            trace: trace.to_owned(),
            count: 1,
        }
    }

    #[test]
    fn equal_refusals_are_counted_under_the_first_trace_id() {
        let refusals = Refusals::default();
        for trace in ["a", "b", "c"] {
            refusals.add(create_refusal(1), create_seen(trace));
        }
        refusals.add(create_refusal(2), create_seen("d"));
        let gathered = refusals.gathered.take();
        assert_eq!(gathered.len(), 2);
        assert_eq!(
            (
                gathered[&create_refusal(1)].count,
                gathered[&create_refusal(1)].trace.as_str()
            ),
            (3, "a")
        );
    }

    #[test]
    fn refusals_of_many_addresses_take_limited_space_and_are_all_counted() {
        let refusals = Refusals::default();
        for number in 0..=u8::MAX {
            refusals.add(create_refusal(number), create_seen("a"));
        }
        let gathered = refusals.gathered.take();
        assert_eq!(gathered.len(), MAX_GATHERED + 1);
        assert_eq!(gathered.values().map(|seen| seen.count).sum::<u64>(), 256);
    }
}
