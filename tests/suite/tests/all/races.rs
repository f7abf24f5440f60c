//! Tests of concurrent callers: limits and quotas are exact, no change of a document is lost, and the audit
//! log has no gaps.

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

/// The number of caller threads. Each thread has its own runtime and connection.
const CALLERS: u64 = 6;
/// The number of calls of each kind that a caller makes.
const CALLS: u64 = 60;
/// The rate limit and the entry quota. All callers together ask for more.
const LIMIT: u64 = 200;

/// How many calls and entries the store allowed to one caller.
#[derive(Debug, Default)]
struct Allowed {
    calls: u64,
    entries: u64,
}

/// Repeats a call until the store is available, and returns its result. A call that waits too long for the
/// lock of the database has no effect, so a repeat is safe.
async fn retry_while_unavailable<T>(call: impl AsyncFn() -> Result<T, StoreError>) -> T {
    loop {
        match call().await {
            Ok(done) => return done,
            Err(StoreError::Unavailable(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

/// Returns the name of a document that holds a counter.
fn counter_document() -> DocumentName {
    DocumentName {
        tenant: None,
        kind: DocumentKind::Flags,
        id: "count".into(),
    }
}

/// Adds 1 to the counter document. Tries again when another caller changed the document in between.
async fn increment_counter<S: AllPorts>(store: &S) {
    loop {
        let documents =
            retry_while_unavailable(async || store.read_documents(&[counter_document()]).await).await;
        let current = documents.into_iter().flatten().next();
        let (count, expected) = current.map_or((0, Expected::Absent), |document| {
            let count: u64 = String::from_utf8(document.value).unwrap().parse().unwrap();
            (count, Expected::Version(document.version))
        });
        let next = (count + 1).to_string();
        let put = retry_while_unavailable(async || {
            store
                .put_document(&counter_document(), next.as_bytes(), expected)
                .await
        })
        .await;
        if put.is_ok() {
            return;
        }
    }
}

/// Makes all calls of one caller and returns what the store allowed.
async fn make_calls<S: AllPorts>(store: &S, tenant: &TenantId, caller: u64) -> Allowed {
    let board = Leaderboards::get(store, tenant, &board("race").id).await.unwrap();
    let board = Rc::new(board.unwrap());
    let mut allowed = Allowed::default();
    for n in 0..CALLS {
        let limit = ChargeRequest {
            charges: vec![charge("all", LIMIT, 1)],
            ..requests(1, 0)
        };
        let rate_limit_decision = retry_while_unavailable(async || store.take(tenant, &limit).await).await;
        allowed.calls += u64::from(!rate_limit_decision.refused);
        let options = SubmitOptions {
            max_tenant_entries: Some(LIMIT),
            charge_request: requests(0, 1),
            ..SubmitOptions::new(RankDetail::Omitted)
        };
        let name = format!("{caller}/{n}");
        let prepared_submissions = [prepared(&submission(&[&board], &name, &[1]), &[&board], at(0))];
        let submitted = retry_while_unavailable(async || {
            store
                .submit_with_options(tenant, &prepared_submissions, &options)
                .await
        })
        .await;
        allowed.entries += u64::from(submitted.answers[0].is_ok());
        increment_counter(store).await;
        let record = AuditRecord {
            tenant: None,
            kind: AuditKind::Action,
            at: at(0),
            body: name.into_bytes(),
        };
        retry_while_unavailable(async || store.append_audit(&record).await).await;
        retry_while_unavailable(async || store.add(&[("calls".into(), 1)]).await).await;
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
                scope.spawn(move || {
                    block_on(async { make_calls(&backend.open().await, tenant, caller).await })
                })
            })
            .collect();
        callers.into_iter().map(|caller| caller.join().unwrap()).collect()
    });
    assert_eq!(allowed.iter().map(|caller| caller.calls).sum::<u64>(), LIMIT);
    assert_eq!(allowed.iter().map(|caller| caller.entries).sum::<u64>(), LIMIT);
    block_on(async {
        let store = backend.open().await;
        let (days, held) = store.usage(&tenant, 10).await.unwrap();
        let entry_quota = EntryQuota {
            leaderboards: 1,
            entries: LIMIT,
            log_bytes: held.log_bytes,
        };
        assert_eq!(held, entry_quota);
        let used = Usage {
            requests: LIMIT,
            scores: CALLERS * CALLS,
        };
        assert_eq!(days.iter().map(|day| day.usage).collect::<Vec<_>>(), [used]);
        assert_eq!(
            store.counters().await.unwrap(),
            [("calls".into(), CALLERS * CALLS)]
        );
        let document = store
            .read_documents(&[counter_document()])
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
