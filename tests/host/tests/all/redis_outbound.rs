//! Tests of outbound Redis: the form of replies, shared and own connections, and a server that goes away.

use leaderboard_test_support::{RedisServer, free_port};

use crate::http_client::encode;
use crate::setup::TestHost;

/// Returns the path at which the guest `probe` runs one command.
fn command_path(address: &str, command: &str, arguments: &[&str]) -> String {
    let arguments: String = arguments
        .iter()
        .map(|argument| format!("&argument={}", encode(argument)))
        .collect();
    format!("/redis?address={}&command={command}{arguments}", encode(address))
}

/// Returns the response of the guest `probe`, without the names of the types.
async fn probe_reply(host: &TestHost, path: &str) -> String {
    host.probe(path).await.replace("RedisResult::", "")
}

/// Lets the guest `probe` run a command on `server`, and returns its reply.
async fn run_command(host: &TestHost, server: &RedisServer, name: &str, arguments: &[&str]) -> String {
    probe_reply(host, &command_path(&server.url(), name, arguments)).await
}

#[tokio::test]
async fn replies_are_flattened() {
    let server = RedisServer::start();
    let host = TestHost::with_redis(&server.url()).await;
    let eval = async |script: &str| run_command(&host, &server, "EVAL", &[script, "0"]).await;
    let bytes = |text: &str| format!("Binary({:?})", text.as_bytes());
    assert_eq!(
        run_command(&host, &server, "SET", &["k", "v"]).await,
        "[Status(\"OK\")]"
    );
    assert_eq!(
        run_command(&host, &server, "GET", &["k"]).await,
        format!("[{}]", bytes("v"))
    );
    assert_eq!(run_command(&host, &server, "GET", &["none"]).await, "[Nil]");
    assert_eq!(run_command(&host, &server, "INCR", &["n"]).await, "[Int64(1)]");
    assert_eq!(
        eval("return {1,{2,{3}},'a'}").await,
        format!("[Int64(1), Int64(2), Int64(3), {}]", bytes("a"))
    );
    assert_eq!(eval("return {}").await, "[]");
    assert_eq!(eval("return {{},1,{}}").await, "[Int64(1)]");
    assert_eq!(eval("return 3.99").await, "[Int64(3)]");
    assert_eq!(
        eval("return redis.status_reply('FINE')").await,
        "[Status(\"FINE\")]"
    );
    assert_eq!(eval("return false").await, "[Nil]");
    assert_eq!(run_command(&host, &server, "SMEMBERS", &["none"]).await, "[]");
    for failing in [
        "return redis.error_reply('MINE it failed')",
        "return {1, redis.error_reply('MINE it failed')}",
    ] {
        let error = eval(failing).await;
        assert!(
            error.starts_with("error: Error::Other(") && error.contains("it failed"),
            "{error}"
        );
    }
    let wrong = run_command(&host, &server, "LPUSH", &["k", "v"]).await;
    assert!(wrong.contains("WRONGTYPE"), "{wrong}");
}

#[tokio::test]
async fn with_resp3_doubles_become_text_and_maps_are_errors() {
    let server = RedisServer::start();
    let host = TestHost::with_redis(&server.url()).await;
    let address = format!("{}/?protocol=resp3", server.url());
    run_command(&host, &server, "ZADD", &["z", "1.5", "m"]).await;
    assert_eq!(
        probe_reply(&host, &command_path(&address, "ZSCORE", &["z", "m"])).await,
        format!("[Binary({:?})]", b"1.5")
    );
    run_command(&host, &server, "HSET", &["h", "f", "v"]).await;
    let map = probe_reply(&host, &command_path(&address, "HGETALL", &["h"])).await;
    assert!(
        map.starts_with("error: ") && map.contains("Map type is not supported"),
        "{map}"
    );
}

#[tokio::test]
async fn guests_share_a_connection_until_a_command_needs_its_own() {
    let server = RedisServer::start();
    let host = TestHost::start_with(|config| {
        config.workers = 1;
        *config = config.clone().variable("redis_address", server.url());
    })
    .await;
    let count = "return string.match(redis.call('INFO', 'clients'), 'connected_clients:%d+')";
    let clients = async || run_command(&host, &server, "EVAL", &[count, "0"]).await;
    let before = clients().await;
    for _ in 0..20 {
        run_command(&host, &server, "GET", &["k"]).await;
    }
    assert_eq!(before, clients().await, "no connection was added");
    // SELECT of one guest does not change the database of the other guests.
    run_command(&host, &server, "SET", &["k", "zero"]).await;
    assert_eq!(
        run_command(&host, &server, "SELECT", &["5"]).await,
        "[Status(\"OK\")]"
    );
    assert_eq!(
        run_command(&host, &server, "GET", &["k"]).await,
        format!("[Binary({:?})]", b"zero")
    );
    // A blocking command of one guest does not block other guests.
    let address = server.url();
    let path = command_path(&address, "BLPOP", &["list", "30"]);
    let blocked = probe_reply(&host, &path);
    let other = async {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        assert_eq!(
            run_command(&host, &server, "GET", &["k"]).await,
            format!("[Binary({:?})]", b"zero")
        );
        run_command(&host, &server, "RPUSH", &["list", "item"]).await;
    };
    let (popped, ()) = tokio::join!(blocked, other);
    assert_eq!(popped, format!("[Binary({:?}), Binary({:?})]", b"list", b"item"));
}

#[tokio::test]
async fn the_host_waits_for_a_slow_reply() {
    let server = RedisServer::start();
    let host = TestHost::with_redis(&server.url()).await;
    let popped = run_command(&host, &server, "BLPOP", &["empty", "1.5"]).await;
    assert_eq!(popped, "[Nil]");
}

#[tokio::test]
async fn after_a_restart_the_old_connection_fails_and_a_new_one_works() {
    let mut server = RedisServer::start();
    let host = TestHost::with_redis(&server.url()).await;
    let address = encode(&server.url());
    let path = format!("/redis/twice?address={address}&command=PING&ms=3000&then=PING");
    let during = probe_reply(&host, &path);
    let restart = async {
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        server.kill();
        server.restart();
    };
    let (answer, ()) = tokio::join!(during, restart);
    let pong = "Ok([Status(\"PONG\")])";
    assert!(
        answer.starts_with(&format!("({pong}, Err(")) && answer.ends_with(&format!("{pong})")),
        "{answer}"
    );
}

#[tokio::test]
async fn opening_a_connection_to_a_missing_server_is_an_error() {
    let address = format!("redis://127.0.0.1:{}", free_port());
    let host = TestHost::with_redis(&address).await;
    let answer = host.probe(&command_path(&address, "PING", &[])).await;
    assert!(answer.starts_with("error: Error::Other("), "{answer}");
}
