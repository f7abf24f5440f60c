//! What a call costs and what survives a failure: commands counted, scripts forgotten, bad data, errors.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use leaderboard_core::access::Caller;
use leaderboard_core::ports::{
    Ban, Bans, Counters, DeadLetter, DeadLetters, DocumentKind, DocumentName, Documents, Events, Expected,
    Leaderboards, MAX_DEAD_LETTERS, MAX_DEAD_LETTERS_IN_ALL, PageFrom, PutLeaderboard, RankDetail,
    RateLimits, ReadError, Readiness, Scores, SubmitTerms,
};
use leaderboard_core::{
    Attempt, Leaderboard, PeriodId, RefusalReason, Status, StoreError, SubmissionId, TenantId, Ties,
    Versioned,
};
use leaderboard_redis::{Connection, ConnectionError, RedisStore, Reply};

use crate::native_redis::NativeRedis;
use crate::server::Server;
use crate::world::{
    DAY_MS, NOW_MS, at, attempt, hourly, place, player, put, request, resolve, simple, submission, tenant,
    terms,
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
async fn bad_data_is_an_error_and_nothing_is_written() {
    let server = Server::start().await;
    let store = server.store().await;
    let board = put(&store, &simple("a")).await;
    let wrong = "eb:acme:b:a:";
    // Whether a read meets it as well.
    let broken = [
        ("SET {}v:all x", true),
        ("SET {}h:all x", false),
        ("SET {}e:all x", false),
        ("SET {}m:all x", true),
        ("SET {}periods x", false),
        ("SET {}log x", false),
        ("SET {}doc x", true),
        ("HSET {}m:all l garbage v 1", true),
        ("HSET {}m:all l x v 1", true),
        ("HSET {}e:all p garbage", true),
        ("HSET {}e:all p \u{1}", true),
        ("HSET {}m:all v many", true),
    ];
    for (command, read_too) in broken {
        server.ask("FLUSHALL").await;
        let board = put(&store, &board.value).await;
        let first = attempt(&board, "p", 5, NOW_MS);
        if command.starts_with("HSET") {
            store
                .submit(&tenant(), std::slice::from_ref(&first), RankDetail::Full)
                .await
                .unwrap();
        }
        let key = command.split(' ').nth(1).unwrap().replace("{}", wrong);
        if command.starts_with("SET") {
            server.ask(&format!("DEL {key}")).await;
        }
        server.ask(&command.replace("{}", wrong)).await;
        let dump = server.digest().await;
        let settled = store.submit(&tenant(), &[first], RankDetail::Full).await;
        assert!(
            matches!(settled, Err(StoreError::Corrupt(_))),
            "{command}: {settled:?}"
        );
        assert_eq!(server.digest().await, dump, "{command}");
        let (tenant, all) = (tenant(), PeriodId::all_time());
        let here = place(&tenant, &board, &all);
        let around = store.around(&here, &player("p"), 5, &Caller::Server).await;
        let is_error = matches!(around, Err(ReadError::Store(StoreError::Corrupt(_))));
        assert_eq!(is_error, read_too, "{command}: {around:?}");
    }
}

/// What is tried on broken data.
#[derive(Debug, Clone, Copy)]
enum Change {
    /// The score that is there from the beginning, once more.
    Begin,
    /// A score of a player who has no entry.
    First,
    /// A score of a player who has one.
    Further,
    Remove,
    Put,
    Delete,
    Ban,
    /// The count of a request that has been let through.
    Report,
}

/// Tries a change; the error.
async fn change(
    store: &RedisStore<NativeRedis>,
    board: &Rc<Versioned<Leaderboard>>,
    change: Change,
) -> Option<StoreError> {
    let (tenant, all) = (tenant(), PeriodId::all_time());
    let mut used = request(vec![hourly("player", 9, 1)]);
    used.usage.scores = 1;
    let score = async |name: &str, value: i64| {
        let one = [attempt(board, name, value, NOW_MS)].map(|attempt| Attempt {
            id: Some(SubmissionId::new(format!("{name} {value}")).unwrap()),
            ..attempt
        });
        let terms = SubmitTerms {
            metering: used.clone(),
            max_tenant_entries: Some(10),
            max_log_bytes: Some(1 << 30),
            ..terms()
        };
        store.submit_on(&tenant, &one, &terms).await.err()
    };
    match change {
        Change::Begin => score("p", 5).await,
        Change::First => score("new", 5).await,
        Change::Further => score("p", 6).await,
        Change::Remove => {
            let here = place(&tenant, board, &all);
            let removed = store.remove(&here, &player("p"), at(NOW_MS)).await;
            removed.err().and_then(|error| match error {
                ReadError::Store(error) => Some(error),
                ReadError::StaleConfiguration => None,
            })
        }
        Change::Put => {
            let mut other = board.value.clone();
            other.title.push('!');
            let put = PutLeaderboard {
                max_leaderboards: None,
                tenant: &tenant,
                leaderboard: &other,
                expected: Expected::Any,
                current: &all,
                rebuild: true,
                expiries: &[(all.clone(), Some(at(NOW_MS + DAY_MS)))],
                at: at(NOW_MS),
            };
            store.put(&put).await.err()
        }
        Change::Delete => store.delete(&tenant, &board.value.id, Expected::Any).await.err(),
        Change::Ban => store.ban(&tenant, &Ban::new(player("p"), at(NOW_MS))).await.err(),
        Change::Report => store.report(&tenant, &used).await.err(),
    }
}

/// The errors of what only reads.
async fn errors_of_reads(
    store: &RedisStore<NativeRedis>,
    board: &Rc<Versioned<Leaderboard>>,
) -> Vec<StoreError> {
    let (tenant, all) = (tenant(), PeriodId::all_time());
    let here = place(&tenant, board, &all);
    let around = store.around(&here, &player("p"), 5, &Caller::Server).await.err();
    let errors = [
        store.usage(&tenant, 10).await.err(),
        store.list_bans(&tenant, None, 10, at(NOW_MS)).await.err(),
        store.find_ban(&tenant, &player("q"), at(NOW_MS)).await.err(),
        store.periods(&tenant, &board.value.id, at(NOW_MS)).await.err(),
        Leaderboards::get(store, &tenant, &board.value.id).await.err(),
        around.and_then(|error| match error {
            ReadError::Store(error) => Some(error),
            ReadError::StaleConfiguration => None,
        }),
    ];
    errors.into_iter().flatten().collect()
}

#[tokio::test]
async fn a_counter_that_is_no_number_is_found_before_anything_is_written() {
    let server = Server::start().await;
    let store = server.store().await;
    let mut dense = simple("a");
    dense.ties = Ties::Dense;
    let board = put(&store, &dense).await;
    assert_eq!(change(&store, &board, Change::Begin).await, None);
    let mut banned = Ban::new(player("q"), at(NOW_MS));
    banned.expires_at = Some(at(NOW_MS + DAY_MS));
    store.ban(&tenant(), &banned).await.unwrap().unwrap();
    let backup = server.digest().await;
    let connection = server.connection().await;
    let mut noticed = BTreeSet::new();
    for (key, _) in &backup {
        let Reply::Bytes(key) = key else {
            panic!("{key:?} is no key")
        };
        let name = String::from_utf8(key.clone()).unwrap();
        // The whole key is another thing, or one of its fields is no number.
        let mut broken = vec![(None, "whole".to_owned())];
        server.restore(&backup).await;
        if server.ask(&format!("TYPE {name}")).await == [Reply::Status("hash".into())] {
            for field in connection.command("HKEYS", &[key]).await.unwrap() {
                let Reply::Bytes(field) = field else {
                    panic!("{field:?} is no field")
                };
                let shown = String::from_utf8_lossy(&field).into_owned();
                broken.push((Some(field), shown));
            }
        }
        for (field, shown) in broken {
            for tried in [
                Change::Begin,
                Change::First,
                Change::Further,
                Change::Remove,
                Change::Put,
                Change::Delete,
                Change::Ban,
                Change::Report,
            ] {
                server.restore(&backup).await;
                match &field {
                    Some(field) => connection.command("HSET", &[key, field, b"?"]).await,
                    None => connection.command("SET", &[key, b"nonsense"]).await,
                }
                .unwrap();
                let before = server.digest().await;
                for error in errors_of_reads(&store, &board).await {
                    assert!(
                        matches!(error, StoreError::Corrupt(_)),
                        "read {name} {shown}: {error:?}"
                    );
                }
                let Some(error) = change(&store, &board, tried).await else {
                    continue;
                };
                assert!(
                    matches!(error, StoreError::Corrupt(_)),
                    "{tried:?} {name} {shown}: {error:?}"
                );
                assert!(
                    server.digest().await == before,
                    "{tried:?} {name} {shown} has written: {error:?}"
                );
                noticed.insert((format!("{tried:?}"), name.replace("eb:acme:", ""), shown.clone()));
            }
        }
    }
    // Each counter is noticed by whatever adds to it.
    for (key, field, by) in [
        (
            "b:a:doc",
            "n",
            &["First", "Further", "Remove", "Put", "Delete"][..],
        ),
        ("b:a:doc", "f", &["First", "Further", "Remove", "Put"]),
        ("b:a:doc", "s", &["First", "Further", "Remove"]),
        ("b:a:ids1", "", &["First", "Further"]),
        (
            "log_bytes",
            "e",
            &["First", "Further", "Remove", "Put", "Delete", "Ban"],
        ),
        ("b:a:ids1", "\u{1}", &["First", "Further", "Delete"]),
        ("log_bytes", "b20513", &["First", "Further", "Delete"]),
        ("entry-counts", "", &["First", "Remove", "Put", "Delete"]),
        ("entry-counts", "a:all", &["First", "Remove", "Delete"]),
        ("b:a:m:all", "v", &["First", "Further", "Remove", "Put"]),
        ("bans:state", "n", &["Ban"]),
        ("bans:state", "x", &["First", "Further", "Remove", "Ban"]),
    ] {
        for by in by {
            let expected = ((*by).to_owned(), key.to_owned(), field.to_owned());
            assert!(noticed.contains(&expected), "{expected:?} is not in {noticed:#?}");
        }
    }
    // The tuple of the entry that is there, and the day's usage, have other names in each run or none to show.
    for (key, by) in [
        ("b:a:c:all", &["First", "Further", "Remove"][..]),
        ("usage", &["First", "Further", "Report"]),
    ] {
        for by in by {
            let mut all = noticed.iter();
            assert!(
                all.any(|(tried, name, _)| tried == by && name == key),
                "{by} {key}: {noticed:#?}"
            );
        }
    }
}

#[tokio::test]
async fn a_garbled_configuration_or_event_is_an_error() {
    let server = Server::start().await;
    let store = server.store().await;
    let board = put(&store, &simple("a")).await;
    server.ask("HSET eb:acme:b:a:doc b garbage").await;
    let said = leaderboard_core::ports::Leaderboards::get(&store, &tenant(), &board.value.id).await;
    assert!(matches!(said, Err(StoreError::Corrupt(_))), "{said:?}");
    let listed = leaderboard_core::ports::Leaderboards::list(&store, &tenant(), None, 5).await;
    assert!(matches!(listed, Err(StoreError::Corrupt(_))), "{listed:?}");
    server.ask("XADD eb:acme:b:a:log 0-* e garbage").await;
    let events = store.read(&tenant(), &board.value.id, 0, 5).await;
    assert!(matches!(events, Err(StoreError::Corrupt(_))), "{events:?}");
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
