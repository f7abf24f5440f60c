//! Callers at the same time: limits and quotas are exact, no change of a document is lost, and the audit log has no
//! gaps.

use std::rc::Rc;
use std::thread;

use leaderboard_core::ports::{
    AuditKind, AuditLog, AuditRecord, ChargeRequest, Counters, DocumentKind, DocumentName, Documents,
    EntryQuota, Expected, Leaderboards, RankDetail, RateLimits, SubmitOptions, Usage,
};
use leaderboard_core::{StoreError, TenantId};
use leaderboard_test_support::values::{at, board, charge, prepared, requests, submission, tenant};
use leaderboard_test_support::{
    ALL, AllPorts, RedisBackend, SqliteBackend, StoreBackend, block_on, put_leaderboard,
};

/// Threads, each with a runtime and a connection of its own.
const CALLERS: u64 = 6;
/// Calls of each kind that a caller makes.
const CALLS: u64 = 60;
/// What there is room for, of what all of them ask for.
const ROOM: u64 = 200;

/// What one caller was allowed.
#[derive(Debug, Default)]
struct Allowed {
    calls: u64,
    entries: u64,
}

/// Repeats a call that waited too long for the lock of the database. It had no effect.
async fn patiently<T>(call: impl AsyncFn() -> Result<T, StoreError>) -> T {
    loop {
        match call().await {
            Ok(done) => return done,
            Err(StoreError::Unavailable(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

/// A document that counts how often it was changed.
fn document() -> DocumentName {
    DocumentName {
        tenant: None,
        kind: DocumentKind::Flags,
        id: "count".into(),
    }
}

async fn count_up<S: AllPorts>(store: &S) {
    loop {
        let there = patiently(async || store.read_documents(&[document()]).await).await;
        let there = there.into_iter().flatten().next();
        let (count, expected) = there.map_or((0, Expected::Absent), |there| {
            let count: u64 = String::from_utf8(there.value).unwrap().parse().unwrap();
            (count, Expected::Version(there.version))
        });
        let next = (count + 1).to_string();
        let put = patiently(async || store.put_document(&document(), next.as_bytes(), expected).await).await;
        if put.is_ok() {
            return;
        }
    }
}

async fn call<S: AllPorts>(store: &S, tenant: &TenantId, caller: u64) -> Allowed {
    let board = Leaderboards::get(store, tenant, &board("race").id).await.unwrap();
    let board = Rc::new(board.unwrap());
    let mut allowed = Allowed::default();
    for n in 0..CALLS {
        let limit = ChargeRequest {
            charges: vec![charge("all", ROOM, 1)],
            ..requests(1, 0)
        };
        let rate_limit_decision = patiently(async || store.take(tenant, &limit).await).await;
        allowed.calls += u64::from(!rate_limit_decision.refused);
        let options = SubmitOptions {
            max_tenant_entries: Some(ROOM),
            charge_request: requests(0, 1),
            ..SubmitOptions::new(RankDetail::Omitted)
        };
        let name = format!("{caller}/{n}");
        let prepared_submissions = [prepared(&submission(&[&board], &name, &[1]), &[&board], at(0))];
        let submitted = patiently(async || {
            store
                .submit_with_options(tenant, &prepared_submissions, &options)
                .await
        })
        .await;
        allowed.entries += u64::from(submitted.answers[0].is_ok());
        count_up(store).await;
        let record = AuditRecord {
            tenant: None,
            kind: AuditKind::Action,
            at: at(0),
            body: name.into_bytes(),
        };
        patiently(async || store.append_audit(&record).await).await;
        patiently(async || store.add(&[("calls".into(), 1)]).await).await;
    }
    allowed
}

fn shared_limits_are_exact<B: StoreBackend + Sync>() {
    let backend = B::new();
    let tenant = tenant("acme");
    block_on(async {
        let store = backend.open().await;
        let put = put_leaderboard(&store, &tenant, &board("race"), Expected::Any, false, at(0)).await;
        put.unwrap();
    });
    let allowed: Vec<Allowed> = thread::scope(|scope| {
        let callers: Vec<_> = (0..CALLERS)
            .map(|caller| {
                let (backend, tenant) = (&backend, &tenant);
                scope.spawn(move || block_on(async { call(&backend.open().await, tenant, caller).await }))
            })
            .collect();
        callers.into_iter().map(|caller| caller.join().unwrap()).collect()
    });
    assert_eq!(allowed.iter().map(|one| one.calls).sum::<u64>(), ROOM);
    assert_eq!(allowed.iter().map(|one| one.entries).sum::<u64>(), ROOM);
    block_on(async {
        let store = backend.open().await;
        let (days, held) = store.usage(&tenant, 10).await.unwrap();
        let entry_quota = EntryQuota {
            leaderboards: 1,
            entries: ROOM,
            log_bytes: held.log_bytes,
        };
        assert_eq!(held, entry_quota);
        let used = Usage {
            requests: ROOM,
            scores: CALLERS * CALLS,
        };
        assert_eq!(days.iter().map(|day| day.usage).collect::<Vec<_>>(), [used]);
        assert_eq!(
            store.counters().await.unwrap(),
            [("calls".into(), CALLERS * CALLS)]
        );
        let document = store
            .read_documents(&[document()])
            .await
            .unwrap()
            .remove(0)
            .unwrap();
        assert_eq!(document.value, (CALLERS * CALLS).to_string().into_bytes());
        let log = store.read_audit(None, None, ALL).await.unwrap();
        let positions = log.iter().rev().map(|record| record.position);
        assert_eq!(
            positions.collect::<Vec<_>>(),
            (1..=CALLERS * CALLS).collect::<Vec<_>>()
        );
        let mut bodies: Vec<_> = log.into_iter().map(|record| record.body).collect();
        bodies.sort_unstable();
        bodies.dedup();
        assert_eq!(bodies.len() as u64, CALLERS * CALLS);
    });
}

#[test]
fn shared_limits_are_exact_on_sqlite() {
    shared_limits_are_exact::<SqliteBackend>();
}

#[test]
fn shared_limits_are_exact_on_redis() {
    shared_limits_are_exact::<RedisBackend>();
}
