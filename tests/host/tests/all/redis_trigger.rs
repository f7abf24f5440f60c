//! Tests of the Redis trigger: delivery, order, failures and reconnection.

use std::time::Duration;

use leaderboard_test_support::RedisServer;
use redis::AsyncCommands;

use crate::setup::TestHost;

/// The longest time that a test waits for messages.
const TIMEOUT: Duration = Duration::from_secs(20);

async fn connect(server: &RedisServer) -> redis::aio::MultiplexedConnection {
    let client = redis::Client::open(server.url()).unwrap();
    client.get_multiplexed_async_connection().await.unwrap()
}

/// Publishes a message again and again until a subscriber receives it.
async fn publish(server: &RedisServer, payload: &[u8]) {
    let mut connection = connect(server).await;
    let publish = async {
        loop {
            let receivers: i64 = connection.publish("messages", payload).await.expect("publish");
            if receivers > 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(TIMEOUT, publish)
        .await
        .expect("nobody subscribes");
}

/// Waits until the guest has handled `count` messages, and returns the payloads of all handled messages.
async fn wait_for_messages(server: &RedisServer, count: usize) -> Vec<Vec<u8>> {
    let mut connection = connect(server).await;
    let wait = async {
        loop {
            let list: Vec<Vec<u8>> = connection.lrange("received", 0, -1).await.expect("list");
            if list.len() >= count {
                return list;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(TIMEOUT, wait)
        .await
        .expect("messages are missing")
}

#[tokio::test]
async fn messages_are_handled_in_order_and_after_failed_messages() {
    let server = RedisServer::start();
    let host = TestHost::with_redis(&server.url()).await;
    publish(&server, b"first").await;
    for payload in [&b"fail"[..], b"trap", b"\x00\xff binary", b"last"] {
        publish(&server, payload).await;
    }
    assert_eq!(
        wait_for_messages(&server, 3).await,
        [&b"first"[..], b"\x00\xff binary", b"last"]
    );
    host.stop().await;
}

#[tokio::test]
async fn after_a_restart_of_redis_messages_arrive_and_http_still_works() {
    let mut server = RedisServer::start();
    let host = TestHost::with_redis(&server.url()).await;
    publish(&server, b"before").await;
    wait_for_messages(&server, 1).await;
    server.kill();
    assert_eq!(host.get("/hello").await.body, "hello");
    server.restart();
    publish(&server, b"after").await;
    assert_eq!(wait_for_messages(&server, 1).await, [b"after"]);
    host.stop().await;
}

#[tokio::test]
async fn an_empty_address_switches_the_trigger_off() {
    let host = TestHost::start().await;
    assert_eq!(host.get("/hello").await.body, "hello");
    host.stop().await;
}
