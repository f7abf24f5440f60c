//! Keys and numbers that this program has not written: an error, and nothing is written.

use std::collections::BTreeSet;
use std::rc::Rc;

use leaderboard_core::access::Caller;
use leaderboard_core::ports::{
    Ban, Bans, Events, Expected, Leaderboards, PutLeaderboard, RankDetail, RateLimits, ReadError, Scores,
    SubmitTerms,
};
use leaderboard_core::{Attempt, Leaderboard, PeriodId, StoreError, SubmissionId, Ties, Versioned};
use leaderboard_redis::{Connection, RedisStore, Reply};

use crate::native_redis::NativeRedis;
use crate::server::Server;
use crate::world::{DAY_MS, NOW_MS, at, attempt, hourly, place, player, put, request, simple, tenant, terms};

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
