//! Tests of the function library: the store loads a missing library, each version of the code has its own
//! library, and the store also works without a library.

use std::collections::BTreeSet;

use leaderboard_core::access::Caller;
use leaderboard_core::ports::{Ban, Bans, Counters, Events, PageFrom, RankDetail, Scores};
use leaderboard_core::{PeriodId, PreparedSubmission, StoreError, Ties};
use leaderboard_redis::{Connection, RedisStore, Reply};
use leaderboard_test_support::RedisServer;

use crate::counting::CountingConnection;
use crate::native_redis::connect;
use crate::server::Server;
use crate::world::{NOW_MS, at, make_period_ref, player, prepare, put, simple_leaderboard, tenant};

/// The maximum number of libraries of this project that a server keeps.
const MAX_LIBRARIES: usize = 8;

/// Submits once. Returns the version of the leaderboard after the submission.
async fn submit<C: Connection>(
    store: &RedisStore<C>,
    prepared: PreparedSubmission,
) -> Result<u64, StoreError> {
    let answers = store.submit(&tenant(), &[prepared], RankDetail::Full).await?;
    Ok(answers[0].as_ref().unwrap()[0].version)
}

/// Returns the names of the libraries on the server.
async fn list_libraries(server: &Server) -> BTreeSet<String> {
    let listed = server.run_command("FUNCTION LIST").await;
    let names = listed.windows(2).filter_map(|pair| match pair {
        [Reply::Bytes(field), Reply::Bytes(name)] if field == b"library_name" => Some(name.clone()),
        _ => None,
    });
    names.map(|name| String::from_utf8(name).unwrap()).collect()
}

/// Loads the library under the name that another version of the code would use. Returns the name.
async fn load_other_version(server: &Server, number: usize) -> String {
    let connection = server.connection().await;
    let listed = connection
        .command("FUNCTION", &[b"LIST", b"WITHCODE"])
        .await
        .unwrap();
    let source = listed.into_iter().find_map(|reply| match reply {
        Reply::Bytes(text) if text.starts_with(b"#!lua") => Some(String::from_utf8(text).unwrap()),
        _ => None,
    });
    let source = source.unwrap();
    let own = source
        .lines()
        .next()
        .unwrap()
        .strip_prefix("#!lua name=")
        .unwrap();
    let other = format!("edgeboard_{number:016x}");
    let source = source.replace(own, &other);
    connection
        .command("FUNCTION", &[b"LOAD", source.as_bytes()])
        .await
        .unwrap();
    other
}

#[tokio::test]
async fn a_missing_library_is_loaded_once() {
    let server = Server::start().await;
    let counting = CountingConnection::open(&server).await;
    let store = RedisStore::new(&counting);
    let board = put(&store, &simple_leaderboard("a")).await;
    counting.take_sent();
    for version in [2, 3] {
        server.run_command("FUNCTION FLUSH").await;
        assert_eq!(
            submit(&store, prepare(&board, "p", version, NOW_MS)).await,
            Ok(version.cast_unsigned())
        );
        assert_eq!(counting.take_sent(), ["FCALL", "FUNCTION", "FUNCTION", "FCALL"]);
        store.add(&[("a".into(), 1)]).await.unwrap();
        store.counters().await.unwrap();
        assert_eq!(counting.take_sent(), ["FCALL", "HGETALL"]);
    }
    server.run_command("FUNCTION FLUSH").await;
    let (tenant, all) = (tenant(), PeriodId::all_time());
    let period_ref = make_period_ref(&tenant, &board, &all);
    let page = store
        .page(&period_ref, &PageFrom::Top, 10, &Caller::Anonymous)
        .await;
    assert_eq!(page.unwrap().entries.len(), 1);
    server.run_command("FUNCTION FLUSH").await;
    let ban = Ban::new(player("p"), at(NOW_MS));
    store.ban(&tenant, &ban).await.unwrap().unwrap();
    server.run_command("FUNCTION FLUSH").await;
    let mut other_ties = simple_leaderboard("a");
    other_ties.ties = Ties::Latest;
    put(&store, &other_ties).await;
    server.run_command("FUNCTION FLUSH").await;
    let events = store.read(&tenant, &board.value.id, 0, 10).await.unwrap();
    assert_eq!(events.len(), 5);
}

#[tokio::test]
async fn concurrent_calls_succeed_while_the_library_is_deleted_and_loaded() {
    let server = Server::start().await;
    let board = put(&server.store().await, &simple_leaderboard("a")).await;
    let mut stores = Vec::new();
    for _ in 0..8 {
        stores.push(server.store().await);
    }
    for round in 0..10 {
        server.run_command("FUNCTION FLUSH").await;
        let calls = stores.iter().enumerate().map(|(at, store)| {
            let name = format!("p{at}-{round}");
            submit(store, prepare(&board, &name, 1, NOW_MS))
        });
        let (versions, _) = futures::join!(
            futures::future::join_all(calls),
            server.run_command("FUNCTION FLUSH")
        );
        let versions: BTreeSet<u64> = versions.into_iter().map(Result::unwrap).collect();
        assert_eq!(versions.len(), 8, "each submission is applied once");
    }
}

#[tokio::test]
async fn two_versions_of_the_code_have_a_library_each() {
    let server = Server::start().await;
    let store = server.store().await;
    store.add(&[("a".into(), 1)]).await.unwrap();
    let own = list_libraries(&server).await;
    let other = load_other_version(&server, 1).await;
    for _ in 0..2 {
        store.add(&[("a".into(), 1)]).await.unwrap();
        let add = format!("FCALL {other}_ADD_COUNTERS 1 eb::counters a 10");
        server.run_command(&add).await;
    }
    assert_eq!(store.counters().await.unwrap(), [("a".into(), 23)]);
    // One version loads its library while the other runs.
    server
        .run_command(&format!("FUNCTION DELETE {}", own.first().unwrap()))
        .await;
    store.add(&[("a".into(), 1)]).await.unwrap();
    assert_eq!(
        list_libraries(&server).await,
        own.into_iter().chain([other]).collect()
    );
}

#[tokio::test]
async fn a_load_above_the_maximum_deletes_libraries_of_other_versions() {
    let server = Server::start().await;
    let store = server.store().await;
    let connection = server.connection().await;
    let foreign = "#!lua name=foreign\nredis.register_function('foreign', function() end)";
    let load = [&b"LOAD"[..], foreign.as_bytes()];
    connection.command("FUNCTION", &load).await.unwrap();
    store.add(&[("a".into(), 1)]).await.unwrap();
    let kept = list_libraries(&server).await;
    for number in 1..MAX_LIBRARIES {
        load_other_version(&server, number).await;
    }
    let own = kept.iter().find(|name| *name != "foreign");
    let delete = format!("FUNCTION DELETE {}", own.unwrap());
    server.run_command(&delete).await;
    store.add(&[("a".into(), 1)]).await.unwrap();
    assert_eq!(list_libraries(&server).await.len(), MAX_LIBRARIES + 1);
    load_other_version(&server, MAX_LIBRARIES).await;
    server.run_command(&delete).await;
    store.add(&[("a".into(), 1)]).await.unwrap();
    assert_eq!(list_libraries(&server).await, kept);
}

#[tokio::test]
async fn a_server_that_restarts_without_its_data_gets_the_library_again() {
    let mut server = RedisServer::start();
    for _ in 0..2 {
        let store = RedisStore::new(connect(&server.url()).await);
        let board = put(&store, &simple_leaderboard("a")).await;
        assert_eq!(submit(&store, prepare(&board, "p", 1, NOW_MS)).await, Ok(2));
        server.restart();
    }
}

#[tokio::test]
async fn a_user_without_permission_for_functions_runs_scripts() {
    let server = Server::start().await;
    let url = server.url().replace("//", "//edge:secret@");
    for (permissions, first, later) in [
        (
            "-function -fcall -fcall_ro",
            &["FCALL", "EVALSHA", "EVAL"][..],
            "EVALSHA",
        ),
        ("-function", &["FCALL", "FUNCTION", "EVALSHA"], "EVALSHA"),
        (
            "-function|delete -function|list",
            &["FCALL", "FUNCTION", "FUNCTION", "FCALL"],
            "FCALL",
        ),
    ] {
        server
            .run_command(&format!(
                "ACL SETUSER edge reset on >secret ~eb:* &* +@all {permissions}"
            ))
            .await;
        let counting = CountingConnection::new(connect(&url).await);
        let store = RedisStore::new(&counting);
        store.add(&[("a".into(), 1)]).await.unwrap();
        assert_eq!(counting.take_sent(), first, "{permissions}");
        let board = put(&store, &simple_leaderboard("a")).await;
        submit(&store, prepare(&board, "p", 1, NOW_MS)).await.unwrap();
        let (tenant, all) = (tenant(), PeriodId::all_time());
        let period_ref = make_period_ref(&tenant, &board, &all);
        let page = store
            .page(&period_ref, &PageFrom::Top, 10, &Caller::Anonymous)
            .await;
        assert_eq!(page.unwrap().entries.len(), 1);
        store.remove(&period_ref, &player("p"), at(NOW_MS)).await.unwrap();
        let sent = counting.take_sent();
        assert!(sent.iter().any(|name| name == later), "{sent:?}");
        assert!(
            sent.iter().all(|name| name.starts_with(later) || name == "EVAL"),
            "{sent:?}"
        );
    }
}

#[tokio::test]
async fn a_server_that_is_out_of_memory_deletes_without_the_library() {
    let server = Server::start().await;
    let store = server.store().await;
    let board = put(&store, &simple_leaderboard("a")).await;
    submit(&store, prepare(&board, "p", 1, NOW_MS)).await.unwrap();
    server.run_command("CONFIG SET maxmemory 1").await;
    server.run_command("FUNCTION FLUSH").await;
    let refused = submit(&store, prepare(&board, "q", 1, NOW_MS)).await;
    assert!(matches!(refused, Err(StoreError::OutOfMemory(_))), "{refused:?}");
    let (tenant, all) = (tenant(), PeriodId::all_time());
    let period_ref = make_period_ref(&tenant, &board, &all);
    let page = store
        .page(&period_ref, &PageFrom::Top, 10, &Caller::Anonymous)
        .await;
    assert_eq!(page.unwrap().entries.len(), 1);
    assert_eq!(
        store.remove(&period_ref, &player("p"), at(NOW_MS)).await,
        Ok(Some(3))
    );
    server.run_command("CONFIG SET maxmemory 0").await;
    submit(&store, prepare(&board, "q", 1, NOW_MS)).await.unwrap();
    assert_eq!(list_libraries(&server).await.len(), 1, "functions are used again");
}
