//! The store breaks for real: what was acknowledged is there, what was not can be repeated.

use leaderboard_core::access::Caller;
use leaderboard_core::ports::{
    Bans, DeadLetter, DeadLetters, Events, Expected, Leaderboards, PageFrom, RankDetail, RateLimits,
    Readiness, Scores,
};
use leaderboard_core::{Leaderboard, Operator, Outcome, StoreError, Ties};
use leaderboard_redis::{Connection, RedisStore};
use leaderboard_suite::RedisServer;
use leaderboard_suite::native_redis::{self, NativeRedis};

use crate::given::{Board, at, board, resolved, submission};
use crate::harness::{ALL, Harness, OnRedis, OnSqlite, Store, World, block_on, line, run, with_id};

fn adding(name: &str) -> Leaderboard {
    Leaderboard {
        operator: Operator::Increment,
        ties: Ties::Dense,
        ..board(name)
    }
}

/// A world on a server that has every write on the disk before it answers.
async fn durable() -> World<OnRedis> {
    let harness = OnRedis(RedisServer::start_durable());
    let store = harness.open().await;
    World {
        harness,
        store,
        tenant: crate::given::tenant("acme"),
        now: std::cell::Cell::new(at(0)),
    }
}

async fn add<S: Store>(
    world: &World<OnRedis>,
    store: &S,
    board: &Board,
    id: &str,
) -> Result<Outcome, StoreError> {
    let attempt = resolved(&submission(&[board], "ann", &[1]), &[board], world.now());
    let settled = store
        .submit(&world.tenant, &[with_id(attempt, id)], RankDetail::Full)
        .await?;
    Ok(settled.into_iter().next().unwrap().unwrap().remove(0))
}

fn is_unavailable<T>(answer: &Result<T, StoreError>) -> bool {
    matches!(answer, Err(StoreError::Unavailable(_)))
}

/// A raw command on the server, past the store.
async fn raw(connection: &NativeRedis, words: &[&str]) -> Vec<leaderboard_redis::Reply> {
    let arguments: Vec<&[u8]> = words[1..].iter().map(|word| word.as_bytes()).collect();
    connection.command(words[0], &arguments).await.unwrap()
}

#[test]
fn a_killed_server_is_unavailable_and_keeps_what_it_acknowledged() {
    block_on(async {
        let mut world = durable().await;
        let board = world.put(&adding("l")).await;
        let mut acknowledged = 0;
        for round in 0..3 {
            for n in 0..50 {
                let told = add(&world, &world.store, &board, &format!("{round}/{n}"))
                    .await
                    .unwrap();
                acknowledged += 1;
                assert_eq!(told.values.first(), acknowledged);
            }
            world.harness.0.kill();
            assert!(is_unavailable(&add(&world, &world.store, &board, "down").await));
            assert!(is_unavailable(&world.store.ready().await));
            assert!(is_unavailable(
                &Leaderboards::get(&world.store, &world.tenant, &board.value.id).await
            ));
            assert!(is_unavailable(
                &world
                    .store
                    .ban(
                        &world.tenant,
                        &leaderboard_core::ports::Ban::new(crate::given::player("ann"), at(0))
                    )
                    .await
            ));
            let period = world.period(&board);
            let page = world
                .store
                .page(
                    &world.place(&board, &period),
                    &PageFrom::Top,
                    10,
                    &Caller::Anonymous,
                )
                .await;
            assert!(matches!(
                page,
                Err(leaderboard_core::ports::ReadError::Store(
                    StoreError::Unavailable(_)
                ))
            ));
            world.harness.0.restart();
            world.store = world.harness.open().await;
            assert_eq!(world.list(&board).await, [line(1, "ann", acknowledged)]);
            let log = Events::read(&world.store, &world.tenant, &board.value.id, 0, ALL)
                .await
                .unwrap();
            assert_eq!(i64::try_from(log.len()), Ok(acknowledged + 1));
        }
    });
}

#[test]
fn a_repeat_after_a_kill_counts_once_whether_the_first_one_counted_or_not() {
    block_on(async {
        let mut world = durable().await;
        let board = world.put(&adding("l")).await;
        for n in 0..20 {
            let id = format!("{n}");
            // The server dies at about the time the command reaches it.
            let busy = {
                let store = world.harness.open().await;
                let attempt = resolved(&submission(&[&board], "ann", &[1]), &[&board], world.now());
                let attempt = with_id(attempt, &id);
                let sending = std::pin::pin!(async {
                    store
                        .submit(&world.tenant, std::slice::from_ref(&attempt), RankDetail::Full)
                        .await
                });
                let pause = tokio::time::sleep(std::time::Duration::from_micros(40 * n));
                first_of(sending, pause).await
            };
            world.harness.0.kill();
            if let Some(answer) = &busy {
                assert!(answer.is_ok() || matches!(answer, Err(StoreError::Unavailable(_))));
            }
            world.harness.0.restart();
            world.store = world.harness.open().await;
            let told = add(&world, &world.store, &board, &id).await.unwrap();
            if let Some(Ok(_)) = busy {
                assert!(told.replayed, "an acknowledged write was lost");
            }
            assert_eq!(told.values.first(), i64::try_from(n).unwrap() + 1);
        }
        assert_eq!(world.list(&board).await, [line(1, "ann", 20)]);
    });
}

/// What `work` gives, if it does so before `limit` ends.
async fn first_of<T>(
    mut work: std::pin::Pin<&mut impl Future<Output = T>>,
    limit: impl Future<Output = ()>,
) -> Option<T> {
    let mut limit = std::pin::pin!(limit);
    std::future::poll_fn(|context| {
        if let std::task::Poll::Ready(done) = work.as_mut().poll(context) {
            return std::task::Poll::Ready(Some(done));
        }
        limit.as_mut().poll(context).map(|()| None)
    })
    .await
}

#[test]
fn forgotten_scripts_are_sent_again() {
    run(async |world: World<OnRedis>| {
        let connection = native_redis::connect(&world.harness.0.url()).await;
        let board = world.put(&adding("l")).await;
        for value in 1..=5 {
            raw(&connection, &["SCRIPT", "FLUSH", "SYNC"]).await;
            assert_eq!(world.score(&board, "ann", 1).await.values.first(), value);
            raw(&connection, &["SCRIPT", "FLUSH", "SYNC"]).await;
            assert_eq!(world.list(&board).await, [line(1, "ann", value)]);
        }
        raw(&connection, &["SCRIPT", "FLUSH", "SYNC"]).await;
        world.hide("ann").await;
        raw(&connection, &["SCRIPT", "FLUSH", "SYNC"]).await;
        world
            .rebuilt(&Leaderboard {
                ties: Ties::Latest,
                ..adding("l")
            })
            .await;
        assert_eq!(world.events(&board).await.len(), 8);
    });
}

/// Every key of the store, one at a time, made a thing that this program did not write.
async fn each_key_broken(break_key: &[&str], allowed: fn(&StoreError) -> bool) {
    let harness = OnRedis::new();
    let url = harness.0.url();
    let connection = native_redis::connect(&url).await;
    let world = World {
        store: RedisStore::new(native_redis::connect(&url).await),
        harness,
        tenant: crate::given::tenant("acme"),
        now: std::cell::Cell::new(at(0)),
    };
    let board = world.put(&adding("l")).await;
    world.score_with_id(&board, "ann", 3, "x").await.unwrap();
    world.score_with_id(&board, "bob", 3, "y").await.unwrap();
    world.hide("bob").await;
    let keys = raw(&connection, &["KEYS", "*"]).await;
    assert!(keys.len() > 5, "{keys:?}");
    for key in keys {
        let leaderboard_redis::Reply::Bytes(key) = key else {
            panic!("{key:?} is no key");
        };
        let key = String::from_utf8(key).unwrap();
        raw(&connection, &["COPY", &key, "kept", "REPLACE"]).await;
        raw(&connection, &["DEL", &key]).await;
        let command: Vec<&str> = break_key
            .iter()
            .map(|word| if *word == "KEY" { &key } else { *word })
            .collect();
        raw(&connection, &command).await;
        let errors = every_error(&world, &board).await;
        // Only a new configuration needs the last version that was given.
        assert!(
            !errors.is_empty() || key.ends_with(":version"),
            "{key} went unnoticed"
        );
        for error in errors {
            assert!(allowed(&error), "{key}: {error:?}");
        }
        raw(&connection, &["COPY", "kept", &key, "REPLACE"]).await;
    }
}

/// The errors of every call there is.
async fn every_error<H: Harness>(world: &World<H>, board: &Board) -> Vec<StoreError> {
    let period = world.period(board);
    let place = world.place(board, &period);
    let caller = Caller::Server;
    let ann = crate::given::player("ann");
    let fresh = resolved(&submission(&[board], "ann", &[1]), &[board], world.now());
    let repeated = with_id(fresh.clone(), "x");
    let mut errors = Vec::new();
    let store = &world.store;
    errors.extend(
        store
            .submit(&world.tenant, &[repeated], RankDetail::Full)
            .await
            .err(),
    );
    errors.extend(
        store
            .submit(&world.tenant, &[fresh], RankDetail::Full)
            .await
            .err(),
    );
    errors.extend(
        Leaderboards::get(store, &world.tenant, &board.value.id)
            .await
            .err(),
    );
    errors.extend(store.list(&world.tenant, None, 10).await.err());
    errors.extend(
        Events::read(store, &world.tenant, &board.value.id, 0, 10)
            .await
            .err(),
    );
    errors.extend(
        store
            .periods(&world.tenant, &board.value.id, world.now())
            .await
            .err(),
    );
    errors.extend(store.usage(&world.tenant, 10).await.err());
    errors.extend(store.list_bans(&world.tenant, None, 10, world.now()).await.err());
    let tuple = board.value.layout().tuple(&crate::given::values(&[1]));
    let reads = [
        store
            .page(&place, &PageFrom::Top, 10, &Caller::Anonymous)
            .await
            .err(),
        store.around(&place, &ann, 5, &caller).await.err(),
        store
            .entries_by_player(&place, std::slice::from_ref(&ann), &caller)
            .await
            .err(),
        store.sample(&place, &[0, 500]).await.err(),
        store.positions(&place, &[tuple]).await.err(),
    ];
    errors.extend(reads.into_iter().flatten().filter_map(|error| match error {
        leaderboard_core::ports::ReadError::Store(error) => Some(error),
        leaderboard_core::ports::ReadError::StaleConfiguration => None,
    }));
    errors
}

#[test]
fn a_key_of_a_wrong_type_is_corrupt() {
    block_on(each_key_broken(&["SET", "KEY", "nonsense"], |error| {
        matches!(error, StoreError::Corrupt(_))
    }));
    block_on(each_key_broken(&["RPUSH", "KEY", "nonsense"], |error| {
        matches!(error, StoreError::Corrupt(_))
    }));
}

#[test]
fn garbage_in_a_hash_is_corrupt_and_never_an_answer() {
    run(async |world: World<OnRedis>| {
        let connection = native_redis::connect(&world.harness.0.url()).await;
        let board = world.put(&adding("l")).await;
        world.score(&board, "ann", 3).await;
        let keys = raw(&connection, &["KEYS", "eb:*"]).await;
        let mut broken = 0;
        for key in keys {
            let leaderboard_redis::Reply::Bytes(key) = key else {
                panic!("{key:?} is no key");
            };
            let key = String::from_utf8(key).unwrap();
            if raw(&connection, &["TYPE", &key]).await != [leaderboard_redis::Reply::Status("hash".into())] {
                continue;
            }
            for field in raw(&connection, &["HKEYS", &key]).await {
                let leaderboard_redis::Reply::Bytes(field) = field else {
                    panic!("{field:?} is no field");
                };
                let field = String::from_utf8_lossy(&field).into_owned();
                raw(&connection, &["COPY", &key, "kept", "REPLACE"]).await;
                raw(&connection, &["HSET", &key, &field, "?"]).await;
                for error in every_error(&world, &board).await {
                    assert!(
                        matches!(&error, StoreError::Corrupt(_)),
                        "{key} {field}: {error:?}"
                    );
                    broken += 1;
                }
                raw(&connection, &["COPY", "kept", &key, "REPLACE"]).await;
            }
        }
        assert!(broken > 0, "garbage went unnoticed everywhere");
    });
}

#[test]
fn a_file_that_is_no_database_is_corrupt() {
    run(async |world: World<OnSqlite>| {
        let board = world.put(&adding("l")).await;
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "this is no database ".repeat(500)).unwrap();
        let connection = leaderboard_suite::native_sqlite::NativeSqlite::open(file.path()).unwrap();
        let store = leaderboard_sqlite::SqliteStore::new(connection);
        let read = Leaderboards::get(&store, &world.tenant, &board.value.id).await;
        assert!(matches!(read, Err(StoreError::Corrupt(_))), "{read:?}");
        assert!(matches!(store.ready().await, Err(StoreError::Corrupt(_))));
    });
}

#[test]
fn two_connections_to_one_file_see_the_same() {
    run(async |world: World<OnSqlite>| {
        let board = world.put(&adding("l")).await;
        let first = world.score_with_id(&board, "ann", 1, "x").await.unwrap();
        let second = world.harness.open().await;
        let attempt = with_id(
            resolved(&submission(&[&board], "ann", &[1]), &[&board], at(0)),
            "x",
        );
        let told = second
            .submit(&world.tenant, &[attempt], RankDetail::Full)
            .await
            .unwrap();
        let told = told.into_iter().next().unwrap().unwrap().remove(0);
        assert_eq!((told.replayed, told.version), (true, first.version));
        let put =
            crate::harness::put_in(&second, &world.tenant, &adding("l"), Expected::Any, false, at(1)).await;
        assert_eq!(put, Ok((board.version, false)));
        let letter = DeadLetter {
            at: at(0),
            reason: "bad".into(),
            payload: vec![1],
        };
        second
            .push_dead_letters(None, std::slice::from_ref(&letter))
            .await
            .unwrap();
        let stored = world.store.list_dead_letters(None, None, 10).await.unwrap();
        assert_eq!(stored.len(), 1);
        assert_eq!(stored[0].letter, letter);
    });
}
