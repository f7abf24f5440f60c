//! What a call costs and what survives a failure: commands counted, scripts forgotten, bad data, errors.

use std::cell::RefCell;

use leaderboard_core::access::Caller;
use leaderboard_core::ports::{
    Counters, DeadLetter, DeadLetters, DocumentKind, DocumentName, Documents, Events, MAX_DEAD_LETTERS,
    MAX_DEAD_LETTERS_IN_ALL, PageFrom, RankDetail, RateLimits, Readiness, Scores, SubmitTerms,
};
use leaderboard_core::{PeriodId, RefusalReason, Status, StoreError, TenantId};
use leaderboard_redis::{Connection, ConnectionError, RedisStore, Reply};

use crate::native_redis::NativeRedis;
use crate::server::Server;
use crate::world::{
    NOW_MS, at, attempt, hourly, place, player, put, request, resolve, simple, submission, tenant, terms,
};

/// A connection that writes down the commands sent over it.
struct Counting {
    inner: NativeRedis,
    sent: RefCell<Vec<String>>,
}

impl Connection for &Counting {
    async fn command(&self, name: &str, arguments: &[&[u8]]) -> Result<Vec<Reply>, ConnectionError> {
        self.sent.borrow_mut().push(name.to_owned());
        self.inner.command(name, arguments).await
    }

    async fn pause(&self) {
        self.inner.pause().await;
    }
}

impl Counting {
    async fn on(server: &Server) -> Self {
        Self {
            inner: server.connection().await,
            sent: RefCell::default(),
        }
    }

    fn take(&self) -> Vec<String> {
        self.sent.take()
    }
}

#[tokio::test]
async fn every_operation_is_one_command_also_after_the_scripts_are_gone() {
    let server = Server::start().await;
    let counting = Counting::on(&server).await;
    let store = RedisStore::new(&counting);
    let boards = [put(&store, &simple("a")).await, put(&store, &simple("b")).await];
    for sent in [&["EVALSHA", "EVAL"][..], &["EVALSHA"]] {
        if sent.len() == 2 {
            server.ask("SCRIPT FLUSH").await;
        }
        counting.take();
        let both = resolve(&submission("p", &[5]), &boards, NOW_MS);
        let settled = store
            .submit(&tenant(), &[both.unwrap()], RankDetail::Full)
            .await
            .unwrap();
        assert_eq!(settled[0].as_ref().unwrap().len(), 2);
        assert_eq!(counting.take(), sent);

        let tenant = tenant();
        let strict = SubmitTerms {
            metering: request(vec![hourly("player", 9, 1), hourly("tenant", 9, 1)]),
            max_tenant_entries: Some(10),
            announce_on: Some("changes".into()),
            ..terms()
        };
        let one = [attempt(&boards[0], "q", 5, NOW_MS)];
        store.submit_on(&tenant, &one, &strict).await.unwrap();
        assert_eq!(counting.take(), ["EVALSHA"]);
        store.take(&tenant, &strict.metering).await.unwrap();
        assert_eq!(counting.take(), sent);
        store.report(&tenant, &strict.metering).await.unwrap();
        assert_eq!(counting.take(), ["EVALSHA"]);
        store.usage(&tenant, 7).await.unwrap();
        assert_eq!(counting.take(), sent);
        let counts = [("a".into(), 1), ("b".into(), 2)];
        store.add(&counts).await.unwrap();
        assert_eq!(counting.take(), sent);

        let all = PeriodId::all_time();
        let here = place(&tenant, &boards[0], &all);
        let sent_read: Vec<String> = sent.iter().map(|name| format!("{name}_RO")).collect();
        store
            .page(&here, &PageFrom::Top, 10, &Caller::Anonymous)
            .await
            .unwrap();
        assert_eq!(counting.take(), sent_read);
        store
            .around(&here, &player("p"), 11, &Caller::Server)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(counting.take(), sent_read);
        store
            .standings(&here, &[player("p")], &Caller::Server)
            .await
            .unwrap();
        assert_eq!(counting.take(), sent_read);
        let names = [None, Some(tenant.clone())].map(|tenant| DocumentName {
            tenant,
            kind: DocumentKind::Key,
            id: "k".into(),
        });
        store.read_documents(&names).await.unwrap();
        assert_eq!(counting.take(), sent_read);
        store.sample(&here, &[0, 500, 1000]).await.unwrap();
        assert_eq!(counting.take(), sent_read);
        store.positions(&here, &[vec![128; 8]]).await.unwrap();
        assert_eq!(counting.take(), sent_read);
        store
            .periods(&tenant, &boards[0].value.id, at(NOW_MS))
            .await
            .unwrap();
        assert_eq!(counting.take(), sent_read);
    }
    store.read(&tenant(), &boards[0].value.id, 0, 10).await.unwrap();
    store.ready().await.unwrap();
    assert_eq!(counting.take(), ["XRANGE", "PING"]);
}

#[tokio::test]
async fn a_batch_is_split_so_that_no_command_holds_the_server_up() {
    let server = Server::start().await;
    let counting = Counting::on(&server).await;
    let store = RedisStore::new(&counting);
    let board = put(&store, &simple("a")).await;
    let attempts: Vec<_> = (0..200)
        .map(|n| attempt(&board, &format!("p{n}"), n, NOW_MS))
        .collect();
    counting.take();
    let settled = store
        .submit(&tenant(), &attempts, RankDetail::Omitted)
        .await
        .unwrap();
    assert_eq!(settled.len(), 200);
    assert!(settled.iter().all(Result::is_ok));
    assert_eq!(
        counting.take().iter().filter(|name| *name == "EVALSHA").count(),
        4
    );
    assert!(
        store
            .submit(&tenant(), &[], RankDetail::Full)
            .await
            .unwrap()
            .is_empty()
    );
    assert!(counting.take().is_empty());
}

#[tokio::test]
async fn a_refusing_leaderboard_leaves_the_others_as_they_were() {
    let server = Server::start().await;
    let store = server.store().await;
    let mut bounded = simple("b");
    bounded.limits.max = Some(10);
    let boards = [put(&store, &simple("a")).await, put(&store, &bounded).await];
    let keys_before = server.ask("KEYS *").await.len();
    let refused = resolve(&submission("p", &[11]), &boards, NOW_MS).unwrap();
    let settled = store
        .submit(&tenant(), &[refused], RankDetail::Full)
        .await
        .unwrap();
    let refusal = settled[0].as_ref().unwrap_err();
    assert_eq!(refusal.leaderboard, boards[1].value.id);
    assert_eq!(refusal.reason, RefusalReason::AboveMax { max: 10 });
    assert_eq!(server.ask("KEYS *").await.len(), keys_before);
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
    let board = put(&store, &simple("a")).await;
    let one = [attempt(&board, "p", 5, NOW_MS)];
    let unavailable = |said: &Result<_, StoreError>| matches!(said, Err(StoreError::Unavailable(_)));
    server.ask("CONFIG SET maxmemory 1").await;
    let said = store.submit(&tenant(), &one, RankDetail::Full).await;
    assert!(matches!(said, Err(StoreError::OutOfMemory(_))), "{said:?}");
    server.ask("CONFIG SET maxmemory 0").await;
    assert_eq!(
        store.read(&tenant(), &board.value.id, 0, 10).await.unwrap().len(),
        1
    );
    server.ask("REPLICAOF 127.0.0.1 1").await;
    let said = store.submit(&tenant(), &one, RankDetail::Full).await;
    assert!(unavailable(&said), "{said:?}");
    let tenant = tenant();
    let all = PeriodId::all_time();
    assert!(
        store
            .page(
                &place(&tenant, &board, &all),
                &PageFrom::Top,
                5,
                &Caller::Anonymous
            )
            .await
            .is_ok()
    );
    server.ask("REPLICAOF NO ONE").await;
    let said = store.submit(&tenant, &one, RankDetail::Full).await.unwrap();
    assert_eq!(said[0].as_ref().unwrap()[0].status, Status::Created);
    drop(server);
    let said = store.submit(&tenant, &one, RankDetail::Full).await;
    assert!(unavailable(&said), "{said:?}");
    assert!(matches!(store.ready().await, Err(StoreError::Unavailable(_))));
}

#[tokio::test]
async fn dead_letters_are_bounded_for_each_tenant_and_in_all_and_leave_nothing_behind() {
    let server = Server::start().await;
    let store = server.store().await;
    let letter = |number: u64| DeadLetter {
        at: at(NOW_MS),
        reason: "not JSON".into(),
        payload: number.to_string().into_bytes(),
    };
    let count = |number: u64| [Reply::Integer(i64::try_from(number).unwrap())];
    let all: Vec<_> = (0..MAX_DEAD_LETTERS + 3).map(letter).collect();
    let mut numbers = 0..;
    for (scope, kept) in [("t0", 1), ("t1", 2)] {
        let tenant = TenantId::new(scope).unwrap();
        for some in all.chunks(1000) {
            store.push_dead_letters(Some(&tenant), some).await.unwrap();
        }
        let own = store
            .list_dead_letters(Some(&tenant), None, u32::MAX)
            .await
            .unwrap();
        assert_eq!(own.len() as u64, MAX_DEAD_LETTERS);
        assert_eq!(own[0].letter, letter(MAX_DEAD_LETTERS + 2));
        assert_eq!(own[own.len() - 1].letter, letter(3));
        assert_eq!(
            server.ask("HLEN eb::dead-letters").await,
            count(kept * MAX_DEAD_LETTERS)
        );
    }
    for tenant in 2..=MAX_DEAD_LETTERS_IN_ALL / MAX_DEAD_LETTERS {
        let tenant = TenantId::new(format!("t{tenant}")).unwrap();
        let some: Vec<_> = numbers.by_ref().take(9_999).map(letter).collect();
        for some in some.chunks(1000) {
            store.push_dead_letters(Some(&tenant), some).await.unwrap();
        }
    }
    for key in [
        "HLEN eb::dead-letters",
        "ZCARD eb::dead-letters:ids",
        "HLEN eb::dead-letters:digests",
    ] {
        assert_eq!(server.ask(key).await, count(MAX_DEAD_LETTERS_IN_ALL), "{key}");
    }
    // What the last tenants added has pushed out the oldest, which are the first tenant's.
    assert_eq!(
        server.ask("ZCARD eb:t0:dead-letters:own").await,
        count(MAX_DEAD_LETTERS - (9 * 9_999 + 2 * MAX_DEAD_LETTERS - MAX_DEAD_LETTERS_IN_ALL))
    );
    for letter in store.list_dead_letters(None, None, 10).await.unwrap() {
        assert!(store.delete_dead_letter(letter.id).await.unwrap());
        assert!(!store.delete_dead_letter(letter.id).await.unwrap());
    }
    for key in [
        "HLEN eb::dead-letters",
        "ZCARD eb::dead-letters:ids",
        "HLEN eb::dead-letters:digests",
    ] {
        assert_eq!(
            server.ask(key).await,
            count(MAX_DEAD_LETTERS_IN_ALL - 10),
            "{key}"
        );
    }
}

#[tokio::test]
async fn a_thousand_dead_letters_are_one_command() {
    let server = Server::start().await;
    let counting = Counting::on(&server).await;
    let store = RedisStore::new(&counting);
    let letters: Vec<_> = (0..1000)
        .map(|number| DeadLetter {
            at: at(NOW_MS),
            reason: "off".into(),
            payload: number.to_string().into_bytes(),
        })
        .collect();
    store.push_dead_letters(None, &letters[..1]).await.unwrap();
    counting.sent.borrow_mut().clear();
    store.push_dead_letters(None, &letters).await.unwrap();
    assert_eq!(*counting.sent.borrow(), ["EVALSHA"]);
}
