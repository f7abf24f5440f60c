//! Refused credentials. They are recorded after the response and gathered before: a flood of them makes few records.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::net::IpAddr;

use http::HeaderMap;
use http::header::AUTHORIZATION;
use leaderboard_core::ports::{AuditLog, AuditRecord, Charge, Metering, RateLimits};
use leaderboard_core::{StoreError, TenantId, Timestamp};

use super::act::Trail;
use super::record::{Event, Who, cut};
use crate::environment::Environment;
use crate::identity::Credential;
use crate::problem::{Problem, ProblemType};

/// For how long the same refusals of an instance are gathered into one record, in milliseconds.
const GATHER_MS: u64 = 250;
/// How many different refusals are gathered; the others are counted together.
const MAX_GATHERED: usize = 64;
/// How many records of refusals a log takes at once, all instances together.
const BURST: u64 = 100;
/// How long one more record of refusals takes after that, in microseconds: one each second.
const INTERVAL_US: u64 = 1_000_000;
const BUCKET: &str = "audit:refused";
/// The reason of refusals that are counted together.
const MANY: &str = "Too many different refusals to list.";

/// Refusals that count as the same.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Refusal {
    tenant: Option<TenantId>,
    from: Option<IpAddr>,
    who: Who,
    status: u16,
    reason: String,
}

/// How often, and when first.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    at: Timestamp,
    trace: String,
    count: u64,
}

/// The refusals of an instance that are not recorded yet.
#[derive(Debug, Default)]
pub(crate) struct Refusals {
    gathered: RefCell<BTreeMap<Refusal, Seen>>,
    /// Whether somebody is about to record them.
    recording: Cell<bool>,
}

impl Refusals {
    fn add(&self, mut refusal: Refusal, seen: Seen) {
        let mut gathered = self.gathered.borrow_mut();
        if gathered.len() >= MAX_GATHERED && !gathered.contains_key(&refusal) {
            refusal = Refusal {
                tenant: None,
                from: None,
                who: Who::Nobody,
                status: refusal.status,
                reason: MANY.to_owned(),
            };
        }
        match gathered.get_mut(&refusal) {
            Some(known) => known.count += seen.count,
            None => {
                gathered.insert(refusal, seen);
            }
        }
    }
}

/// Notes that a request's credential was refused, if that is what the problem says and it had one.
pub(crate) fn refused<E: Environment>(
    env: &E,
    headers: &HeaderMap,
    trail: &Trail,
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
    let Some(mut who) = presented(headers, trail).filter(|_| refuses) else {
        return;
    };
    let mut tenant = trail.tenant.clone();
    if let Some(refused) = &problem.refused {
        if refused.tenant.is_some() {
            tenant.clone_from(&refused.tenant);
        }
        if let Some(credential) = &refused.credential {
            who = credential.into();
        }
    }
    let reason = problem.detail.as_deref().unwrap_or(problem.kind.title());
    let refusal = Refusal {
        tenant,
        from: trail.client,
        who,
        status: problem.kind.status().as_u16(),
        reason: cut(reason),
    };
    env.memory().counts.refused();
    let refusals = &env.memory().refusals;
    let seen = Seen {
        at: env.now(),
        trace: trace_id.to_owned(),
        count: 1,
    };
    refusals.add(refusal, seen);
    if !refusals.recording.replace(true) {
        env.later(record(env.clone()));
    }
}

/// The credential of a request; `None` when it had none.
fn presented(headers: &HeaderMap, trail: &Trail) -> Option<Who> {
    match &trail.credential {
        Some(Credential::None) => None,
        Some(valid) => Some(valid.into()),
        None if headers.contains_key(AUTHORIZATION) => Some(Who::UnknownToken),
        None if headers.contains_key("x-api-key") => Some(Who::UnknownKey),
        None => None,
    }
}

async fn record<E: Environment>(env: E) {
    let refusals = &env.memory().refusals;
    loop {
        env.pause(GATHER_MS).await;
        let mut waiting = refusals.gathered.take().into_iter();
        while let Some((refusal, seen)) = waiting.next() {
            if !matches!(append(&env, &refusal, &seen).await, Ok(true)) {
                // The log takes no more now. They are counted on, and the next refusal tries again.
                refusals.add(refusal, seen);
                waiting.for_each(|(refusal, seen)| refusals.add(refusal, seen));
                refusals.recording.set(false);
                return;
            }
        }
        if refusals.gathered.borrow().is_empty() {
            refusals.recording.set(false);
            return;
        }
    }
}

/// Appends a record; whether there was room for it.
async fn append<E: Environment>(env: &E, refusal: &Refusal, seen: &Seen) -> Result<bool, StoreError> {
    let charge = Charge {
        bucket: BUCKET.into(),
        interval_us: INTERVAL_US,
        burst: BURST,
        cost: 1,
    };
    let metering = Metering {
        charges: vec![charge],
        ..Metering::default()
    };
    let payer = refusal.tenant.as_ref().unwrap_or(&env.settings().default_tenant);
    if env.store().take(payer, &metering).await?.refused {
        return Ok(false);
    }
    let event = Event::Refused {
        who: &refusal.who,
        status: refusal.status,
        reason: &refusal.reason,
        from: refusal.from,
        trace: &seen.trace,
        count: seen.count,
    };
    let record = AuditRecord {
        tenant: refusal.tenant.clone(),
        at: seen.at,
        body: event.into_body(),
    };
    env.store().append_audit(&record).await?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(number: u8) -> Refusal {
        Refusal {
            tenant: None,
            from: Some(IpAddr::from([10, 0, 0, number])),
            who: Who::UnknownKey,
            status: 401,
            reason: "The key is not valid.".to_owned(),
        }
    }

    fn seen(trace: &str) -> Seen {
        Seen {
            at: Timestamp::saturating_from_unix_ms(0),
            trace: trace.to_owned(),
            count: 1,
        }
    }

    #[test]
    fn the_same_refusals_are_counted_and_the_first_is_told() {
        let refusals = Refusals::default();
        for trace in ["a", "b", "c"] {
            refusals.add(refusal(1), seen(trace));
        }
        refusals.add(refusal(2), seen("d"));
        let gathered = refusals.gathered.take();
        assert_eq!(gathered.len(), 2);
        assert_eq!(
            (gathered[&refusal(1)].count, gathered[&refusal(1)].trace.as_str()),
            (3, "a")
        );
    }

    #[test]
    fn a_flood_from_many_addresses_takes_bounded_room_and_loses_no_count() {
        let refusals = Refusals::default();
        for number in 0..=u8::MAX {
            refusals.add(refusal(number), seen("a"));
        }
        let gathered = refusals.gathered.take();
        assert_eq!(gathered.len(), MAX_GATHERED + 1);
        assert_eq!(gathered.values().map(|seen| seen.count).sum::<u64>(), 256);
    }
}
