//! Tests of key-value stores and SQLite databases.

use leaderboard_host::Host;

use crate::http_client::{encode, get};
use crate::setup::{TestHost, config};

/// Returns the path at which the guest `probe` runs SQL statements one after the other.
fn sqlite_path(statements: &[&str]) -> String {
    let statements: Vec<String> = statements
        .iter()
        .map(|sql| format!("sql={}", encode(sql)))
        .collect();
    format!("/sqlite?{}", statements.join("&"))
}

#[tokio::test]
async fn a_value_can_be_read_on_any_thread_as_soon_as_it_is_set() {
    let host = TestHost::start().await;
    assert_eq!(host.probe("/kv/get?key=a").await, "None");
    assert_eq!(host.probe("/kv/exists?key=a").await, "false");
    for round in 0..50 {
        assert_eq!(host.probe(&format!("/kv/set?key=a&value={round}")).await, "()");
        assert_eq!(host.probe("/kv/get?key=a").await, format!("Some(\"{round}\")"));
    }
    host.probe("/kv/set?key=b&value=").await;
    assert_eq!(host.probe("/kv/get?key=b").await, "Some(\"\")");
    assert_eq!(host.probe("/kv/exists?key=b").await, "true");
    assert_eq!(host.probe("/kv/keys").await, "[\"a\", \"b\"]");
    assert_eq!(host.probe("/kv/delete?key=a").await, "()");
    assert_eq!(host.probe("/kv/delete?key=a").await, "()");
    assert_eq!(host.probe("/kv/keys").await, "[\"b\"]");
}

#[tokio::test]
async fn many_keys_are_streamed() {
    let host = TestHost::start().await;
    let address = host.address;
    let sets =
        (0..600).map(|n| async move { get(address, &format!("/probe/kv/set?key=k{n:04}&value=v")).await });
    for answer in futures::future::join_all(sets).await {
        assert_eq!(answer.body, "()");
    }
    let expected: Vec<String> = (0..600).map(|n| format!("k{n:04}")).collect();
    assert_eq!(host.probe("/kv/keys").await, format!("{expected:?}"));
}

#[tokio::test]
async fn values_survive_a_restart_of_the_host() {
    let state = tempfile::tempdir().unwrap();
    for expected in ["None", "Some(\"kept\")"] {
        let running = Host::start(config(state.path())).await.unwrap();
        let address = running.address().unwrap();
        assert_eq!(get(address, "/probe/kv/get?key=a").await.body, expected);
        get(address, "/probe/kv/set?key=a&value=kept").await;
        running.stop().await;
    }
}

#[tokio::test]
async fn rows_have_their_columns_and_types() {
    let host = TestHost::start().await;
    let create = "CREATE TABLE t (i INTEGER, r REAL, s TEXT, b BLOB)";
    let insert = "INSERT INTO t VALUES (9223372036854775807, 0.5, 'x', x'00ff'), (NULL, NULL, NULL, NULL)";
    let answer = host
        .probe(&sqlite_path(&[
            create,
            insert,
            "SELECT i, r, s, b AS last FROM t",
        ]))
        .await;
    assert_eq!(
        answer,
        "(([\"i\", \"r\", \"s\", \"last\"], [[Value::Integer(9223372036854775807), Value::Real(0.5), \
         Value::Text(\"x\"), Value::Blob([0, 255])], [Value::Null, Value::Null, Value::Null, Value::Null]]), 2, 2)"
    );
    let bound = host
        .probe(&format!(
            "{}&text=x",
            sqlite_path(&["SELECT r FROM t WHERE s = ?"])
        ))
        .await;
    assert!(bound.starts_with("(([\"r\"], [[Value::Real(0.5)]])"), "{bound}");
}

#[tokio::test]
async fn a_long_result_is_streamed_completely() {
    let host = TestHost::start().await;
    let count =
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) SELECT i FROM n";
    let answer = host.probe(&sqlite_path(&[count])).await;
    assert_eq!(answer.matches("Value::Integer").count(), 5000);
    assert!(
        answer.contains("[Value::Integer(5000)]]"),
        "the last row must be in the result"
    );
}

#[tokio::test]
async fn wrong_statements_and_attached_files_are_errors() {
    let host = TestHost::start().await;
    for statement in [
        "SELEC 1",
        "SELECT * FROM nowhere",
        "ATTACH DATABASE '/tmp/other.db' AS other",
    ] {
        let answer = host.probe(&sqlite_path(&[statement])).await;
        assert!(answer.starts_with("error: Error::Io("), "{statement}: {answer}");
    }
    assert!(
        host.probe(&sqlite_path(&["ATTACH DATABASE ':memory:' AS other"]))
            .await
            .starts_with("((")
    );
}

#[tokio::test]
async fn a_writer_waits_for_another_connection_s_transaction() {
    let host = TestHost::start().await;
    host.probe(&sqlite_path(&["CREATE TABLE t (i INTEGER)"])).await;
    let address = host.address;
    let path = format!(
        "/probe{}",
        sqlite_path(&["BEGIN IMMEDIATE", "INSERT INTO t VALUES (1)", "COMMIT"])
    );
    let writers = (0..20).map(|_| get(address, &path));
    for answer in futures::future::join_all(writers).await {
        assert!(answer.body.starts_with("(("), "{}", answer.body);
    }
    let count = host.probe(&sqlite_path(&["SELECT count(*) FROM t"])).await;
    assert!(count.contains("[Value::Integer(20)]"), "{count}");
}
