//! The ports of documents, rate limits, usage, counters and the audit log.

use std::collections::BTreeMap;

use leaderboard_core::ports::{
    AnnouncedChange, Announcements, AuditLog, AuditRecord, Charge, ChargeRequest, Counters, DayUsage,
    DocumentKind, DocumentName, Documents, EntryQuota, Expected, MAX_DEBT_US, MAX_OVERDRAFT_BURSTS,
    RateLimitDecision, RateLimits, RecordedAudit, Usage, VersionMismatch,
};
use leaderboard_core::{StoreError, TenantId, Timestamp, Versioned};

use crate::Model;

const DAY_US: u64 = 24 * 60 * 60 * 1_000_000;

/// The documents, rate limits, usage, counters and audit records of all tenants and of the operator.
#[derive(Debug, Default)]
pub(crate) struct Edge {
    /// The store's own clock, in microseconds since the epoch. Only [`Model::set_clock`] moves it.
    pub(crate) clock_us: u64,
    documents: BTreeMap<DocumentName, Versioned<Vec<u8>>>,
    last_versions: BTreeMap<Option<TenantId>, u64>,
    /// The instant until which each bucket is ahead, in microseconds since the epoch.
    arrivals_us: BTreeMap<(TenantId, Box<str>), u64>,
    /// The usage by tenant and day.
    usage: BTreeMap<(TenantId, u32), Usage>,
    counters: BTreeMap<Box<str>, u64>,
    audit: BTreeMap<Option<TenantId>, Vec<RecordedAudit>>,
}

impl Model {
    /// Sets the store's own clock, in microseconds since the epoch. Rate limits use this clock.
    pub fn set_clock(&self, now_us: u64) {
        self.edge.borrow_mut().clock_us = now_us;
    }

    /// Replaces the records of a tenant's audit log.
    pub(crate) fn replace_audit_records(
        &self,
        tenant: &TenantId,
        replace: impl Fn(&[u8]) -> Option<Vec<u8>>,
    ) {
        let mut edge = self.edge.borrow_mut();
        for record in edge.audit.get_mut(&Some(tenant.clone())).into_iter().flatten() {
            if let Some(replaced) = replace(&record.body) {
                record.body = replaced;
            }
        }
    }

    /// Charges a request. With `refusing`, refuses a request that does not fit; otherwise always charges it.
    pub(crate) fn charge(
        &self,
        tenant: &TenantId,
        request: &ChargeRequest,
        refusing: bool,
    ) -> RateLimitDecision {
        self.edge.borrow_mut().charge(tenant, request, refusing)
    }
}

/// Returns the version that follows `last`: the time of the clock, or `last + 1` if that is larger.
pub(crate) fn version_after(last: u64, clock_us: u64) -> u64 {
    clock_us.max(last + 1)
}

impl Edge {
    fn charge(&mut self, tenant: &TenantId, request: &ChargeRequest, refusing: bool) -> RateLimitDecision {
        let now = self.clock_us;
        let day = u32::try_from(now / DAY_US).unwrap_or(u32::MAX);
        let today = self
            .usage
            .get(&(tenant.clone(), day))
            .copied()
            .unwrap_or_default();
        let over_quota = request
            .max_requests_per_day
            .is_some_and(|most| today.requests + request.usage.requests > most);
        let before: Vec<u64> = request
            .charges
            .iter()
            .map(|charge| self.ahead(tenant, charge))
            .collect();
        let has_room = |(charge, ahead): (&Charge, &u64)| match charge.needs {
            Some(needs) => ahead + charge.interval_us * needs <= charge.interval_us * charge.burst,
            None => true,
        };
        let refused = refusing && (over_quota || !request.charges.iter().zip(&before).all(has_room));
        if refused {
            return RateLimitDecision {
                ahead_us: before,
                requests_today: today.requests,
                refused,
            };
        }
        let mut ahead_us = Vec::new();
        for (charge, before) in request.charges.iter().zip(before) {
            let least = if refusing { MAX_DEBT_US } else { 0 };
            let most = least.max(charge.interval_us * charge.burst * MAX_OVERDRAFT_BURSTS);
            let after = (before + charge.interval_us * charge.cost).min(most.max(before));
            self.arrivals_us
                .insert((tenant.clone(), charge.bucket.clone()), now + after);
            ahead_us.push(after);
        }
        if request.usage != Usage::default() {
            let counted = self.usage.entry((tenant.clone(), day)).or_default();
            counted.requests += request.usage.requests;
            counted.scores += request.usage.scores;
        }
        RateLimitDecision {
            ahead_us,
            requests_today: today.requests + request.usage.requests,
            refused,
        }
    }

    /// Returns by how many microseconds a bucket is ahead of the clock.
    fn ahead(&self, tenant: &TenantId, charge: &Charge) -> u64 {
        let arrival = self.arrivals_us.get(&(tenant.clone(), charge.bucket.clone()));
        arrival.map_or(0, |arrival| arrival.saturating_sub(self.clock_us))
    }
}

impl Documents for Model {
    async fn read_documents(
        &self,
        names: &[DocumentName],
    ) -> Result<Vec<Option<Versioned<Vec<u8>>>>, StoreError> {
        let edge = self.edge.borrow();
        Ok(names
            .iter()
            .map(|name| edge.documents.get(name).cloned())
            .collect())
    }

    async fn put_document(
        &self,
        name: &DocumentName,
        body: &[u8],
        expected: Expected,
    ) -> Result<Result<(u64, bool), VersionMismatch>, StoreError> {
        let mut edge = self.edge.borrow_mut();
        let current = edge.documents.get(name);
        if let Err(mismatch) = expected.check(current.map(|document| document.version)) {
            return Ok(Err(mismatch));
        }
        if let Some(document) = current
            && document.value == body
        {
            return Ok(Ok((document.version, false)));
        }
        let created = current.is_none();
        let clock_us = edge.clock_us;
        let last = edge.last_versions.entry(name.tenant.clone()).or_default();
        *last = version_after(*last, clock_us);
        let version = *last;
        let value = body.to_vec();
        edge.documents.insert(name.clone(), Versioned { version, value });
        Ok(Ok((version, created)))
    }

    async fn delete_document(
        &self,
        name: &DocumentName,
        expected: Expected,
    ) -> Result<Result<bool, VersionMismatch>, StoreError> {
        let mut edge = self.edge.borrow_mut();
        if let Err(mismatch) = expected.check(edge.documents.get(name).map(|document| document.version)) {
            return Ok(Err(mismatch));
        }
        Ok(Ok(edge.documents.remove(name).is_some()))
    }

    async fn list_documents(
        &self,
        tenant: Option<&TenantId>,
        kind: DocumentKind,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<(Box<str>, Versioned<Vec<u8>>)>, StoreError> {
        let edge = self.edge.borrow();
        let wanted = edge.documents.iter().filter(|(name, _)| {
            name.tenant.as_ref() == tenant && name.kind == kind && after.is_none_or(|after| &*name.id > after)
        });
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Ok(wanted
            .take(limit)
            .map(|(name, document)| (name.id.clone(), document.clone()))
            .collect())
    }
}

impl RateLimits for Model {
    async fn take(
        &self,
        tenant: &TenantId,
        request: &ChargeRequest,
    ) -> Result<RateLimitDecision, StoreError> {
        Ok(self.charge(tenant, request, true))
    }

    async fn report(
        &self,
        tenant: &TenantId,
        request: &ChargeRequest,
    ) -> Result<RateLimitDecision, StoreError> {
        Ok(self.charge(tenant, request, false))
    }

    async fn usage(&self, tenant: &TenantId, days: u32) -> Result<(Vec<DayUsage>, EntryQuota), StoreError> {
        let edge = self.edge.borrow();
        let own = edge.usage.iter().rev().filter(|((owner, _), _)| owner == tenant);
        let limit = usize::try_from(days).unwrap_or(usize::MAX);
        let days = own
            .take(limit)
            .map(|((_, day), usage)| DayUsage {
                day: *day,
                usage: *usage,
            })
            .collect();
        let now = i64::try_from(edge.clock_us / 1000).unwrap_or(i64::MAX);
        let now = Timestamp::saturating_from_unix_ms(now);
        Ok((days, self.entry_quota(tenant, now)))
    }
}

impl Counters for Model {
    async fn add(&self, counts: &[(Box<str>, u64)]) -> Result<(), StoreError> {
        let mut edge = self.edge.borrow_mut();
        for (name, count) in counts {
            *edge.counters.entry(name.clone()).or_default() += count;
        }
        Ok(())
    }

    async fn counters(&self) -> Result<Vec<(Box<str>, u64)>, StoreError> {
        let edge = self.edge.borrow();
        Ok(edge
            .counters
            .iter()
            .map(|(name, count)| (name.clone(), *count))
            .collect())
    }
}

impl AuditLog for Model {
    async fn append_audit(&self, record: &AuditRecord) -> Result<u64, StoreError> {
        let mut edge = self.edge.borrow_mut();
        let log = edge.audit.entry(record.tenant.clone()).or_default();
        let position = log.last().map_or(0, |last| last.position) + 1;
        log.push(RecordedAudit {
            position,
            at: record.at,
            body: record.body.clone(),
        });
        Ok(position)
    }

    async fn read_audit(
        &self,
        tenant: Option<&TenantId>,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<RecordedAudit>, StoreError> {
        let edge = self.edge.borrow();
        let log = edge.audit.get(&tenant.cloned()).map(|log| log.iter().rev());
        let wanted = log
            .into_iter()
            .flatten()
            .filter(|record| before.is_none_or(|before| record.position < before));
        Ok(wanted
            .take(usize::try_from(limit).unwrap_or(usize::MAX))
            .cloned()
            .collect())
    }
}

impl Announcements for Model {
    async fn announce(&self, _: &str, _: &TenantId, _: AnnouncedChange<'_>) -> Result<bool, StoreError> {
        Ok(true)
    }
}
