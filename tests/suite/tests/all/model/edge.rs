//! Compares the documents, rate limits, counters and audit logs of a store with the model's.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use leaderboard_core::ports::{
    AuditKind, AuditLog, AuditRecord, ChargeRequest, Counters, DocumentName, Documents, Expected,
    RateLimitDecision, RateLimits, Usage, VersionMismatch,
};
use leaderboard_core::{TenantId, Versioned};
use leaderboard_model::Model;
use leaderboard_model::edge_history::{EdgeStep, ExpectedDocument, KINDS, RandomCharge, RandomName, Scope};
use leaderboard_test_support::values::{at, charge, tenant, units};
use leaderboard_test_support::{ALL, AllPorts};

/// Returns the tenant of a scope; `None` for the operator.
fn scope_tenant(scope: Scope) -> Option<TenantId> {
    scope.map(|number| tenant(&format!("t{number}")))
}

fn document_name(name: &RandomName) -> DocumentName {
    DocumentName {
        tenant: scope_tenant(name.scope),
        kind: name.kind,
        id: name.id.into(),
    }
}

/// A store and the model that get the same calls.
pub(super) struct ComparedEdges<S> {
    store: S,
    model: Model,
    /// The store's version of a document, by the model's version of it. Both number versions in their own
    /// way, but the numbers of both grow.
    versions: BTreeMap<(Scope, u64), u64>,
}

impl<S: AllPorts> ComparedEdges<S> {
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

    /// Makes one call to both, and compares the results.
    pub(super) async fn apply(&mut self, step: &EdgeStep) {
        match step {
            EdgeStep::Charge(call) => self.charge(call).await,
            EdgeStep::Put { name, body, expected } => self.put(name, &[*body], *expected).await,
            EdgeStep::Delete { name, expected } => self.delete(name, *expected).await,
            EdgeStep::Read(names) => self.read(names).await,
            EdgeStep::List {
                name,
                is_after,
                limit,
            } => self.list(name, *is_after, *limit).await,
            EdgeStep::Add(counts) => {
                let counts: Vec<(Box<str>, u64)> = counts
                    .iter()
                    .map(|(name, count)| (format!("c{name}").into(), *count))
                    .collect();
                self.model.add(&counts).await.unwrap();
                self.store.add(&counts).await.unwrap();
            }
            EdgeStep::Append { scope, body } => {
                let (tenant, body) = (scope_tenant(*scope), body.clone());
                let record = AuditRecord {
                    tenant,
                    kind: AuditKind::ALL[body.len() % 2],
                    at: at(0),
                    body,
                };
                let expected = self.model.append_audit(&record).await;
                assert_eq!(self.store.append_audit(&record).await, expected);
            }
            EdgeStep::ReadLog { scope, before, limit } => self.read_log(*scope, *before, *limit).await,
        }
    }

    /// Compares the counters, audit logs, documents and usage.
    pub(super) async fn check_everything(&self) {
        // A store may list or omit a counter that is 0.
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
                self.list(&RandomName { scope, kind, id: "" }, false, ALL).await;
            }
            if let Some(tenant) = scope_tenant(scope) {
                let expected = self.model.usage(&tenant, 10).await;
                assert_eq!(self.store.usage(&tenant, 10).await, expected);
            }
        }
    }

    async fn charge(&self, call: &RandomCharge) {
        let tenant = scope_tenant(Some(call.tenant)).unwrap();
        let charges = call.charges.iter();
        let (requests, scores) = call.usage;
        let request = ChargeRequest {
            charges: charges
                .map(|(bucket, cost)| charge(&format!("b{bucket}"), call.burst, *cost))
                .collect(),
            usage: Usage { requests, scores },
            max_requests_per_day: call.quota,
        };
        let (expected, found) = if call.is_report {
            let expected = self.model.report(&tenant, &request).await;
            (expected, self.store.report(&tenant, &request).await)
        } else {
            let expected = self.model.take(&tenant, &request).await;
            (expected, self.store.take(&tenant, &request).await)
        };
        let comparable =
            |decision: &RateLimitDecision| (decision.refused, decision.requests_today, units(decision));
        assert_eq!(
            comparable(&found.unwrap()),
            comparable(&expected.unwrap()),
            "{request:#?}"
        );
    }

    /// Returns the store's version for a version of the model.
    fn store_version(&self, scope: Scope, version: u64) -> u64 {
        *self
            .versions
            .get(&(scope, version))
            .expect("a version that the model returned")
    }

    /// Returns the model's document with the store's version.
    fn to_store_document(&self, scope: Scope, document: Versioned<Vec<u8>>) -> Versioned<Vec<u8>> {
        let version = self.store_version(scope, document.version);
        Versioned { version, ..document }
    }

    /// Returns the model's mismatch with the store's version.
    fn to_store_mismatch(&self, scope: Scope, mismatch: VersionMismatch) -> VersionMismatch {
        let current = mismatch.current.map(|version| self.store_version(scope, version));
        VersionMismatch { current }
    }

    /// Returns the conditions for the model's call and for the store's call.
    async fn conditions(&self, name: &RandomName, expected: ExpectedDocument) -> (Expected, Expected) {
        let current = self
            .model
            .read_documents(&[document_name(name)])
            .await
            .unwrap()
            .remove(0);
        let version = current.map(|document| document.version);
        let stored = version.map(|version| self.store_version(name.scope, version));
        let both = |expected: fn(Option<u64>) -> Expected| (expected(version), expected(stored));
        match expected {
            ExpectedDocument::Any => both(|_| Expected::Any),
            ExpectedDocument::Absent => both(|_| Expected::Absent),
            ExpectedDocument::Current => both(|version| version.map_or(Expected::Absent, Expected::Version)),
            ExpectedDocument::Other => both(|version| Expected::Version(version.unwrap_or_default() + 1)),
        }
    }

    async fn put(&mut self, name: &RandomName, body: &[u8], expected: ExpectedDocument) {
        let (for_model, for_store) = self.conditions(name, expected).await;
        let expected = self
            .model
            .put_document(&document_name(name), body, for_model)
            .await
            .unwrap();
        let found = self
            .store
            .put_document(&document_name(name), body, for_store)
            .await
            .unwrap();
        if let (Ok((version, _)), Ok((stored, _))) = (expected, found)
            && !self.versions.contains_key(&(name.scope, version))
        {
            let earlier = self.versions.range((name.scope, 0)..(name.scope, version));
            assert!(
                earlier.last().is_none_or(|(_, earlier)| *earlier < stored),
                "the store's versions must grow"
            );
            self.versions.insert((name.scope, version), stored);
        }
        let expected = expected
            .map(|(version, created)| (self.store_version(name.scope, version), created))
            .map_err(|mismatch| self.to_store_mismatch(name.scope, mismatch));
        assert_eq!(found, expected, "put of {name:?}");
    }

    async fn delete(&self, name: &RandomName, expected: ExpectedDocument) {
        let (for_model, for_store) = self.conditions(name, expected).await;
        let expected = self
            .model
            .delete_document(&document_name(name), for_model)
            .await
            .unwrap();
        let found = self
            .store
            .delete_document(&document_name(name), for_store)
            .await
            .unwrap();
        assert_eq!(
            found,
            expected.map_err(|mismatch| self.to_store_mismatch(name.scope, mismatch)),
            "{name:?}"
        );
    }

    async fn read(&self, names: &[RandomName]) {
        let document_names: Vec<_> = names.iter().map(document_name).collect();
        let expected = self.model.read_documents(&document_names).await.unwrap();
        let expected: Vec<_> = expected
            .into_iter()
            .zip(names)
            .map(|(found, name)| found.map(|document| self.to_store_document(name.scope, document)))
            .collect();
        assert_eq!(
            self.store.read_documents(&document_names).await.unwrap(),
            expected,
            "{names:?}"
        );
    }

    async fn list(&self, name: &RandomName, is_after: bool, limit: u32) {
        let (tenant, after) = (scope_tenant(name.scope), is_after.then_some(name.id));
        let expected = self
            .model
            .list_documents(tenant.as_ref(), name.kind, after, limit)
            .await
            .unwrap();
        let expected: Vec<_> = expected
            .into_iter()
            .map(|(id, document)| (id, self.to_store_document(name.scope, document)))
            .collect();
        let found = self
            .store
            .list_documents(tenant.as_ref(), name.kind, after, limit)
            .await
            .unwrap();
        assert_eq!(found, expected, "list of {name:?}");
    }

    async fn read_log(&self, scope: Scope, before: Option<u64>, limit: u32) {
        let tenant = scope_tenant(scope);
        let expected = self.model.read_audit(tenant.as_ref(), before, limit).await;
        assert_eq!(
            self.store.read_audit(tenant.as_ref(), before, limit).await,
            expected
        );
    }
}
