//! The library of functions: loaded when it is missing, one for each version of the code, and not needed.

use std::collections::BTreeSet;

use leaderboard_core::access::Caller;
use leaderboard_core::ports::{Counters, PageFrom, RankDetail, Scores};
use leaderboard_core::{PeriodId, PreparedSubmission, StoreError};
use leaderboard_redis::{Connection, RedisStore, Reply};
use leaderboard_test_support::RedisServer;

use crate::counting::CountingConnection;
use crate::native_redis::connect;
use crate::server::Server;
use crate::world::{NOW_MS, at, attempt, place, player, put, simple, tenant};

/// The most libraries of this project that a server keeps.
const MAX_LIBRARIES: usize = 8;

async fn submit<C: Connection>(
    store: &RedisStore<C>,
    attempt: PreparedSubmission,
) -> Result<u64, StoreError> {
    let answers = store.submit(&tenant(), &[attempt], RankDetail::Full).await?;
    Ok(answers[0].as_ref().unwrap()[0].version)
}

/// Returns the names of the libraries on the server.
async fn libraries(server: &Server) -> BTreeSet<String> {
    let listed = server.ask("FUNCTION LIST").await;
    let names = listed.windows(2).filter_map(|pair| match pair {
        [Reply::Bytes(field), Reply::Bytes(name)] if field == b"library_name" => Some(name.clone()),
        _ => None,
    });
    names.map(|name| String::from_utf8(name).unwrap()).collect()
}

/// Loads the library as another version of the code has it: with another digest. Returns its name.
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
    let board = put(&store, &simple("a")).await;
    counting.take_sent();
    for version in [2, 3] {
        server.ask("FUNCTION FLUSH").await;
        assert_eq!(
            submit(&store, attempt(&board, "p", version, NOW_MS)).await,
            Ok(version.cast_unsigned())
        );
        assert_eq!(counting.take_sent(), ["FCALL", "FUNCTION", "FUNCTION", "FCALL"]);
        store.add(&[("a".into(), 1)]).await.unwrap();
        store.counters().await.unwrap();
        assert_eq!(counting.take_sent(), ["FCALL", "HGETALL"]);
    }
    server.ask("FUNCTION FLUSH").await;
    let (tenant, all) = (tenant(), PeriodId::all_time());
    let here = place(&tenant, &board, &all);
    let page = store.page(&here, &PageFrom::Top, 10, &Caller::Anonymous).await;
    assert_eq!(page.unwrap().entries.len(), 1);
}

#[tokio::test]
async fn concurrent_calls_succeed_while_the_library_is_deleted_and_loaded() {
    let server = Server::start().await;
    let board = put(&server.store().await, &simple("a")).await;
    let mut stores = Vec::new();
    for _ in 0..8 {
        stores.push(server.store().await);
    }
    for round in 0..10 {
        server.ask("FUNCTION FLUSH").await;
        let calls = stores.iter().enumerate().map(|(at, store)| {
            let name = format!("p{at}-{round}");
            submit(store, attempt(&board, &name, 1, NOW_MS))
        });
        let (versions, _) = futures::join!(futures::future::join_all(calls), server.ask("FUNCTION FLUSH"));
        let versions: BTreeSet<u64> = versions.into_iter().map(Result::unwrap).collect();
        assert_eq!(versions.len(), 8, "each submission is applied once");
    }
}

#[tokio::test]
async fn two_versions_of_the_code_have_a_library_each() {
    let server = Server::start().await;
    let store = server.store().await;
    store.add(&[("a".into(), 1)]).await.unwrap();
    let own = libraries(&server).await;
    let other = load_other_version(&server, 1).await;
    for _ in 0..2 {
        store.add(&[("a".into(), 1)]).await.unwrap();
        let add = format!("FCALL {other}_ADD_COUNTERS 1 eb::counters a 10");
        server.ask(&add).await;
    }
    assert_eq!(store.counters().await.unwrap(), [("a".into(), 23)]);
    // One version loads its library while the other runs.
    server
        .ask(&format!("FUNCTION DELETE {}", own.first().unwrap()))
        .await;
    store.add(&[("a".into(), 1)]).await.unwrap();
    assert_eq!(libraries(&server).await, own.into_iter().chain([other]).collect());
}

#[tokio::test]
async fn libraries_of_earlier_versions_do_not_pile_up() {
    let server = Server::start().await;
    let store = server.store().await;
    let connection = server.connection().await;
    let foreign = "#!lua name=foreign\nredis.register_function('foreign', function() end)";
    let load = [&b"LOAD"[..], foreign.as_bytes()];
    connection.command("FUNCTION", &load).await.unwrap();
    store.add(&[("a".into(), 1)]).await.unwrap();
    let kept = libraries(&server).await;
    for number in 1..MAX_LIBRARIES {
        load_other_version(&server, number).await;
    }
    let own = kept.iter().find(|name| *name != "foreign");
    let delete = format!("FUNCTION DELETE {}", own.unwrap());
    server.ask(&delete).await;
    store.add(&[("a".into(), 1)]).await.unwrap();
    assert_eq!(libraries(&server).await.len(), MAX_LIBRARIES + 1);
    load_other_version(&server, MAX_LIBRARIES).await;
    server.ask(&delete).await;
    store.add(&[("a".into(), 1)]).await.unwrap();
    assert_eq!(libraries(&server).await, kept);
}

#[tokio::test]
async fn a_server_that_restarts_without_its_data_gets_the_library_again() {
    let mut server = RedisServer::start();
    for _ in 0..2 {
        let store = RedisStore::new(connect(&server.url()).await);
        let board = put(&store, &simple("a")).await;
        assert_eq!(submit(&store, attempt(&board, "p", 1, NOW_MS)).await, Ok(2));
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
            .ask(&format!(
                "ACL SETUSER edge reset on >secret ~eb:* &* +@all {permissions}"
            ))
            .await;
        let counting = CountingConnection::new(connect(&url).await);
        let store = RedisStore::new(&counting);
        store.add(&[("a".into(), 1)]).await.unwrap();
        assert_eq!(counting.take_sent(), first, "{permissions}");
        let board = put(&store, &simple("a")).await;
        submit(&store, attempt(&board, "p", 1, NOW_MS)).await.unwrap();
        let (tenant, all) = (tenant(), PeriodId::all_time());
        let here = place(&tenant, &board, &all);
        let page = store.page(&here, &PageFrom::Top, 10, &Caller::Anonymous).await;
        assert_eq!(page.unwrap().entries.len(), 1);
        store.remove(&here, &player("p"), at(NOW_MS)).await.unwrap();
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
    let board = put(&store, &simple("a")).await;
    submit(&store, attempt(&board, "p", 1, NOW_MS)).await.unwrap();
    server.ask("CONFIG SET maxmemory 1").await;
    server.ask("FUNCTION FLUSH").await;
    let refused = submit(&store, attempt(&board, "q", 1, NOW_MS)).await;
    assert!(matches!(refused, Err(StoreError::OutOfMemory(_))), "{refused:?}");
    let (tenant, all) = (tenant(), PeriodId::all_time());
    let here = place(&tenant, &board, &all);
    let page = store.page(&here, &PageFrom::Top, 10, &Caller::Anonymous).await;
    assert_eq!(page.unwrap().entries.len(), 1);
    assert_eq!(store.remove(&here, &player("p"), at(NOW_MS)).await, Ok(Some(3)));
    server.ask("CONFIG SET maxmemory 0").await;
    submit(&store, attempt(&board, "q", 1, NOW_MS)).await.unwrap();
    assert_eq!(libraries(&server).await.len(), 1, "functions are used again");
}
