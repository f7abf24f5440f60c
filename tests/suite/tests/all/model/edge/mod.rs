//! Random histories of documents, rate limits, counters and the audit log.

mod history;

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use leaderboard_core::model::Model;
use leaderboard_core::ports::{
    AuditKind, AuditLog, AuditRecord, ChargeRequest, Counters, DocumentName, Documents, Expected,
    RateLimitDecision, RateLimits, Usage, VersionMismatch,
};
use leaderboard_core::{TenantId, Versioned};

use crate::given::{at, charge, tenant, units};
use crate::harness::{ALL, Store};
use history::{Call, Hope, KINDS, Name, Scope, Step};

pub(super) use history::histories;

fn of(scope: Scope) -> Option<TenantId> {
    scope.map(|number| tenant(&format!("t{number}")))
}

fn named(name: &Name) -> DocumentName {
    DocumentName {
        tenant: of(name.scope),
        kind: name.kind,
        id: name.id.into(),
    }
}

/// A store and the model, told the same.
pub(super) struct Pair<S> {
    store: S,
    model: Model,
    /// What the store calls a version of the model's: each numbers as it likes, as long as numbers grow.
    versions: BTreeMap<(Scope, u64), u64>,
}

impl<S: Store> Pair<S> {
    pub(super) fn new(store: S) -> Self {
        let model = Model::new();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        model.set_clock(u64::try_from(now.as_micros()).unwrap());
        Self {
            store,
            model,
            versions: BTreeMap::new(),
        }
    }

    pub(super) async fn take(&mut self, step: &Step) {
        match step {
            Step::Charge(call) => self.charge(call).await,
            Step::Put { name, body, hope } => self.put(name, &[*body], *hope).await,
            Step::Delete { name, hope } => self.delete(name, *hope).await,
            Step::Read(names) => self.read(names).await,
            Step::List {
                name,
                is_after,
                limit,
            } => self.list(name, *is_after, *limit).await,
            Step::Add(counts) => {
                let counts: Vec<(Box<str>, u64)> = counts
                    .iter()
                    .map(|(name, count)| (format!("c{name}").into(), *count))
                    .collect();
                self.model.add(&counts).await.unwrap();
                self.store.add(&counts).await.unwrap();
            }
            Step::Append { scope, body } => {
                let (tenant, body) = (of(*scope), body.clone());
                let record = AuditRecord {
                    tenant,
                    kind: AuditKind::ALL[body.len() % 2],
                    at: at(0),
                    body,
                };
                let expected = self.model.append_audit(&record).await;
                assert_eq!(self.store.append_audit(&record).await, expected);
            }
            Step::ReadLog { scope, before, limit } => self.read_log(*scope, *before, *limit).await,
        }
    }

    pub(super) async fn check_everything(&self) {
        // A counter that nothing was ever added to may be there or not.
        let counted = |counters: Vec<(Box<str>, u64)>| {
            counters
                .into_iter()
                .filter(|(_, count)| *count > 0)
                .collect::<Vec<_>>()
        };
        let expected = self.model.counters().await.unwrap();
        assert_eq!(counted(self.store.counters().await.unwrap()), counted(expected));
        for scope in [None, Some(0), Some(1)] {
            self.read_log(scope, None, ALL).await;
            for kind in KINDS {
                self.list(&Name { scope, kind, id: "" }, false, ALL).await;
            }
            if let Some(tenant) = of(scope) {
                let expected = self.model.usage(&tenant, 10).await;
                assert_eq!(self.store.usage(&tenant, 10).await, expected);
            }
        }
    }

    async fn charge(&self, call: &Call) {
        let tenant = of(Some(call.tenant)).unwrap();
        let charges = call.charges.iter();
        let (requests, scores) = call.usage;
        let charge_request = ChargeRequest {
            charges: charges
                .map(|(bucket, cost)| charge(&format!("b{bucket}"), call.burst, *cost))
                .collect(),
            usage: Usage { requests, scores },
            max_requests_per_day: call.quota,
        };
        let (expected, found) = if call.is_report {
            let expected = self.model.report(&tenant, &charge_request).await;
            (expected, self.store.report(&tenant, &charge_request).await)
        } else {
            let expected = self.model.take(&tenant, &charge_request).await;
            (expected, self.store.take(&tenant, &charge_request).await)
        };
        let told = |rate_limit_decision: &RateLimitDecision| {
            (
                rate_limit_decision.refused,
                rate_limit_decision.requests_today,
                units(rate_limit_decision),
            )
        };
        assert_eq!(
            told(&found.unwrap()),
            told(&expected.unwrap()),
            "{charge_request:#?}"
        );
    }

    /// What the store calls a version.
    fn translated(&self, scope: Scope, version: u64) -> u64 {
        *self
            .versions
            .get(&(scope, version))
            .expect("a version that was given")
    }

    fn document(&self, scope: Scope, document: Versioned<Vec<u8>>) -> Versioned<Vec<u8>> {
        let version = self.translated(scope, document.version);
        Versioned { version, ..document }
    }

    fn mismatch(&self, scope: Scope, mismatch: VersionMismatch) -> VersionMismatch {
        let current = mismatch.current.map(|version| self.translated(scope, version));
        VersionMismatch { current }
    }

    /// What the model and the store are told to expect.
    async fn expected(&self, name: &Name, hope: Hope) -> (Expected, Expected) {
        let there = self.model.read_documents(&[named(name)]).await.unwrap().remove(0);
        let version = there.map(|document| document.version);
        let stored = version.map(|version| self.translated(name.scope, version));
        let both = |expected: fn(Option<u64>) -> Expected| (expected(version), expected(stored));
        match hope {
            Hope::Anything => both(|_| Expected::Any),
            Hope::Nothing => both(|_| Expected::Absent),
            Hope::WhatIsThere => both(|version| version.map_or(Expected::Absent, Expected::Version)),
            Hope::SomethingElse => both(|version| Expected::Version(version.unwrap_or_default() + 1)),
        }
    }

    async fn put(&mut self, name: &Name, body: &[u8], hope: Hope) {
        let (of_model, of_store) = self.expected(name, hope).await;
        let expected = self
            .model
            .put_document(&named(name), body, of_model)
            .await
            .unwrap();
        let found = self
            .store
            .put_document(&named(name), body, of_store)
            .await
            .unwrap();
        if let (Ok((version, _)), Ok((stored, _))) = (expected, found)
            && !self.versions.contains_key(&(name.scope, version))
        {
            let earlier = self.versions.range((name.scope, 0)..(name.scope, version));
            assert!(
                earlier.last().is_none_or(|(_, earlier)| *earlier < stored),
                "versions grow"
            );
            self.versions.insert((name.scope, version), stored);
        }
        let expected = expected
            .map(|(version, created)| (self.translated(name.scope, version), created))
            .map_err(|mismatch| self.mismatch(name.scope, mismatch));
        assert_eq!(found, expected, "put of {name:?}");
    }

    async fn delete(&self, name: &Name, hope: Hope) {
        let (of_model, of_store) = self.expected(name, hope).await;
        let expected = self.model.delete_document(&named(name), of_model).await.unwrap();
        let found = self.store.delete_document(&named(name), of_store).await.unwrap();
        assert_eq!(
            found,
            expected.map_err(|mismatch| self.mismatch(name.scope, mismatch)),
            "{name:?}"
        );
    }

    async fn read(&self, names: &[Name]) {
        let asked: Vec<_> = names.iter().map(named).collect();
        let expected = self.model.read_documents(&asked).await.unwrap();
        let expected: Vec<_> = expected
            .into_iter()
            .zip(names)
            .map(|(found, name)| found.map(|document| self.document(name.scope, document)))
            .collect();
        assert_eq!(
            self.store.read_documents(&asked).await.unwrap(),
            expected,
            "{names:?}"
        );
    }

    async fn list(&self, name: &Name, is_after: bool, limit: u32) {
        let (tenant, after) = (of(name.scope), is_after.then_some(name.id));
        let expected = self
            .model
            .list_documents(tenant.as_ref(), name.kind, after, limit)
            .await
            .unwrap();
        let expected: Vec<_> = expected
            .into_iter()
            .map(|(id, document)| (id, self.document(name.scope, document)))
            .collect();
        let found = self
            .store
            .list_documents(tenant.as_ref(), name.kind, after, limit)
            .await
            .unwrap();
        assert_eq!(found, expected, "list of {name:?}");
    }

    async fn read_log(&self, scope: Scope, before: Option<u64>, limit: u32) {
        let tenant = of(scope);
        let expected = self.model.read_audit(tenant.as_ref(), before, limit).await;
        assert_eq!(
            self.store.read_audit(tenant.as_ref(), before, limit).await,
            expected
        );
    }
}
