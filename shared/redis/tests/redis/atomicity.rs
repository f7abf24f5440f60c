//! Tests of the number of commands of each operation, and of the data that a failed operation leaves.

use std::rc::Rc;

use leaderboard_core::access::Caller;
use leaderboard_core::ports::{
    Counters, DocumentKind, DocumentName, Documents, Events, PageFrom, RankDetail, RateLimits, Readiness,
    Scores, SubmitOptions,
};
use leaderboard_core::{Leaderboard, PeriodId, RefusalReason, Status, StoreError, Versioned};
use leaderboard_redis::RedisStore;

use crate::counting::CountingConnection;
use crate::server::Server;
use crate::world::{
    NOW_MS, at, charge_request, hourly_charge, make_period_ref, player, prepare, put, resolve,
    simple_leaderboard, submission, submit_options, tenant,
};

/// The store of a test, its connection, and two leaderboards.
struct Setup<'a> {
    counting: &'a CountingConnection,
    store: RedisStore<&'a CountingConnection>,
    boards: [Rc<Versioned<Leaderboard>>; 2],
}

impl Setup<'_> {
    /// Checks that each operation that writes is one command.
    async fn check_writes(&self) {
        let (counting, store, tenant) = (self.counting, &self.store, tenant());
        let both = resolve(&submission("p", &[5]), &self.boards, NOW_MS);
        let results = store
            .submit(&tenant, &[both.unwrap()], RankDetail::Full)
            .await
            .unwrap();
        assert_eq!(results[0].as_ref().unwrap().len(), 2);
        assert_eq!(counting.take_sent(), ["FCALL"]);
        let strict = SubmitOptions {
            charge_request: charge_request(vec![
                hourly_charge("player", 9, 1),
                hourly_charge("tenant", 9, 1),
            ]),
            max_tenant_entries: Some(10),
            announce_on: Some("changes".into()),
            ..submit_options()
        };
        let one = [prepare(&self.boards[0], "q", 5, NOW_MS)];
        store.submit_with_options(&tenant, &one, &strict).await.unwrap();
        assert_eq!(counting.take_sent(), ["FCALL"]);
        store.take(&tenant, &strict.charge_request).await.unwrap();
        assert_eq!(counting.take_sent(), ["FCALL"]);
        store.report(&tenant, &strict.charge_request).await.unwrap();
        assert_eq!(counting.take_sent(), ["FCALL"]);
        store.usage(&tenant, 7).await.unwrap();
        assert_eq!(counting.take_sent(), ["FCALL"]);
        let counts = [("a".into(), 1), ("b".into(), 2)];
        store.add(&counts).await.unwrap();
        assert_eq!(counting.take_sent(), ["FCALL"]);
    }

    /// Checks that each operation that only reads is one command.
    async fn check_reads(&self) {
        let (counting, store, tenant) = (self.counting, &self.store, tenant());
        let all = PeriodId::all_time();
        let period_ref = make_period_ref(&tenant, &self.boards[0], &all);
        store
            .page(&period_ref, &PageFrom::Top, 10, &Caller::Anonymous)
            .await
            .unwrap();
        assert_eq!(counting.take_sent(), ["FCALL_RO"]);
        store
            .around(&period_ref, &player("p"), 11, &Caller::Server)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(counting.take_sent(), ["FCALL_RO"]);
        store
            .entries_by_player(&period_ref, &[player("p")], &Caller::Server)
            .await
            .unwrap();
        assert_eq!(counting.take_sent(), ["FCALL_RO"]);
        let names = [None, Some(tenant.clone())].map(|tenant| DocumentName {
            tenant,
            kind: DocumentKind::Key,
            id: "k".into(),
        });
        store.read_documents(&names).await.unwrap();
        assert_eq!(counting.take_sent(), ["FCALL_RO"]);
        store.sample(&period_ref, &[0, 500, 1000]).await.unwrap();
        assert_eq!(counting.take_sent(), ["FCALL_RO"]);
        store.positions(&period_ref, &[vec![128; 8]]).await.unwrap();
        assert_eq!(counting.take_sent(), ["FCALL_RO"]);
        store
            .periods(&tenant, &self.boards[0].value.id, at(NOW_MS))
            .await
            .unwrap();
        assert_eq!(counting.take_sent(), ["FCALL_RO"]);
    }
}

#[tokio::test]
async fn every_operation_is_one_command() {
    let server = Server::start().await;
    let counting = CountingConnection::open(&server).await;
    let store = RedisStore::new(&counting);
    let boards = [
        put(&store, &simple_leaderboard("a")).await,
        put(&store, &simple_leaderboard("b")).await,
    ];
    let setup = Setup {
        counting: &counting,
        store,
        boards,
    };
    counting.take_sent();
    setup.check_writes().await;
    setup.check_reads().await;
    let board = &setup.boards[0].value.id;
    setup.store.read(&tenant(), board, 0, 10).await.unwrap();
    setup.store.check_ready().await.unwrap();
    assert_eq!(counting.take_sent(), ["XRANGE", "PING"]);
}

#[tokio::test]
async fn a_large_batch_is_split_into_several_commands() {
    let server = Server::start().await;
    let counting = CountingConnection::open(&server).await;
    let store = RedisStore::new(&counting);
    let board = put(&store, &simple_leaderboard("a")).await;
    let submissions: Vec<_> = (0..200)
        .map(|n| prepare(&board, &format!("p{n}"), n, NOW_MS))
        .collect();
    counting.take_sent();
    let results = store
        .submit(&tenant(), &submissions, RankDetail::Omitted)
        .await
        .unwrap();
    assert_eq!(results.len(), 200);
    assert!(results.iter().all(Result::is_ok));
    assert_eq!(
        counting
            .take_sent()
            .iter()
            .filter(|name| *name == "FCALL")
            .count(),
        4
    );
    assert!(
        store
            .submit(&tenant(), &[], RankDetail::Full)
            .await
            .unwrap()
            .is_empty()
    );
    assert!(counting.take_sent().is_empty());
}

#[tokio::test]
async fn a_refusal_of_one_leaderboard_leaves_the_other_unchanged() {
    let server = Server::start().await;
    let store = server.store().await;
    let mut bounded = simple_leaderboard("b");
    bounded.limits.max = Some(10);
    let boards = [
        put(&store, &simple_leaderboard("a")).await,
        put(&store, &bounded).await,
    ];
    let keys_before = server.run_command("KEYS *").await.len();
    let refused = resolve(&submission("p", &[11]), &boards, NOW_MS).unwrap();
    let results = store
        .submit(&tenant(), &[refused], RankDetail::Full)
        .await
        .unwrap();
    let refusal = results[0].as_ref().unwrap_err();
    assert_eq!(refusal.leaderboard, boards[1].value.id);
    assert_eq!(refusal.reason, RefusalReason::AboveMax { max: 10 });
    assert_eq!(server.run_command("KEYS *").await.len(), keys_before);
    assert_eq!(
        store
            .read(&tenant(), &boards[0].value.id, 0, 10)
            .await
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn a_server_that_cannot_write_is_unavailable() {
    let server = Server::start().await;
    let store = server.store().await;
    let board = put(&store, &simple_leaderboard("a")).await;
    let one = [prepare(&board, "p", 5, NOW_MS)];
    let unavailable = |actual: &Result<_, StoreError>| matches!(actual, Err(StoreError::Unavailable(_)));
    server.run_command("CONFIG SET maxmemory 1").await;
    let actual = store.submit(&tenant(), &one, RankDetail::Full).await;
    assert!(matches!(actual, Err(StoreError::OutOfMemory(_))), "{actual:?}");
    server.run_command("CONFIG SET maxmemory 0").await;
    assert_eq!(
        store.read(&tenant(), &board.value.id, 0, 10).await.unwrap().len(),
        1
    );
    server.run_command("REPLICAOF 127.0.0.1 1").await;
    let actual = store.submit(&tenant(), &one, RankDetail::Full).await;
    assert!(unavailable(&actual), "{actual:?}");
    let tenant = tenant();
    let all = PeriodId::all_time();
    assert!(
        store
            .page(
                &make_period_ref(&tenant, &board, &all),
                &PageFrom::Top,
                5,
                &Caller::Anonymous
            )
            .await
            .is_ok()
    );
    server.run_command("REPLICAOF NO ONE").await;
    let actual = store.submit(&tenant, &one, RankDetail::Full).await.unwrap();
    assert_eq!(actual[0].as_ref().unwrap()[0].status, Status::Created);
    drop(server);
    let actual = store.submit(&tenant, &one, RankDetail::Full).await;
    assert!(unavailable(&actual), "{actual:?}");
    assert!(matches!(
        store.check_ready().await,
        Err(StoreError::Unavailable(_))
    ));
}
