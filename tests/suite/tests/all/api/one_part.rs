//! Tests that the headers and the body of a response arrive together, on a host with Spin's settings. Without
//! `TCP_NODELAY`, a body that is sent after its headers waits for the client's acknowledgement, which takes
//! 40 ms. A few responses may be split nevertheless, because the system can take the processor away from the
//! host between headers and body.

use std::io::{Read, Write};
use std::net::TcpStream;

use leaderboard_host::OneOf;
use leaderboard_test_support::{RedisServer, StoreKind, TestService};
use serde_json::json;

/// How many connections send requests at the same time.
const CONNECTIONS: usize = 8;
/// How many requests an instance serves, and how many requests of each kind each connection sends, one after another.
/// An instance serves few, so that some responses are the first of their instance.
const FEW_FOR_EACH_INSTANCE: (usize, usize) = (8, 200);
/// The same, so that each response is the first of its instance: among the responses above, the first ones are so few
/// that all of them could be split. An instance with SQLite lives for half a second after its response, and all of these
/// instances together are fewer than the host may have.
const ONE_FOR_EACH_INSTANCE: (usize, usize) = (1, 25);

/// Sends a request and reads its response. Returns whether the first read had all of the response.
fn arrives_in_one_part(stream: &mut TcpStream, request: &str) -> bool {
    stream.write_all(request.as_bytes()).unwrap();
    let mut received = Vec::new();
    let mut reads = 0;
    loop {
        let mut part = [0; 64 * 1024];
        let length = stream.read(&mut part).unwrap();
        assert!(length > 0, "the server closed the connection");
        received.extend_from_slice(&part[..length]);
        reads += 1;
        if is_complete(&received) {
            return reads == 1;
        }
    }
}

/// Returns whether a response is complete, by its `content-length`.
fn is_complete(received: &[u8]) -> bool {
    let text = String::from_utf8_lossy(received);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    assert!(head.starts_with("HTTP/1.1 20"), "{text}");
    let length = head.lines().find_map(|line| {
        line.to_lowercase()
            .strip_prefix("content-length: ")
            .map(str::to_owned)
    });
    body.len() == length.expect("a content-length").parse::<usize>().unwrap()
}

/// Returns how many of the responses to `request` arrived in more than one part.
fn count_split(address: &str, request: &str, count: usize) -> usize {
    let count_on_one = || {
        let mut stream = TcpStream::connect(address).unwrap();
        (0..count)
            .filter(|_| !arrives_in_one_part(&mut stream, request))
            .count()
    };
    std::thread::scope(|scope| {
        let counts: Vec<_> = (0..CONNECTIONS).map(|_| scope.spawn(count_on_one)).collect();
        counts.into_iter().map(|count| count.join().unwrap()).sum()
    })
}

/// Checks that at most one in fifty responses arrives in more than one part.
async fn check_responses(store: StoreKind, (reuse, count): (usize, usize)) {
    let redis = (store == StoreKind::Redis).then(RedisServer::start);
    let service = TestService::start_configured(redis, |config| {
        config.like_spin = true;
        config.reuse.max_instance_reuse_count = OneOf::Value(reuse);
    })
    .await;
    service.api().switch_limits_off().await;
    let api = service.api();
    api.put("/leaderboards/b", &json!({"access": {"read": "public"}}))
        .await
        .expect_status(201);
    let tenant = format!("host: x\r\nx-tenant-id: {}\r\n", api.tenant);
    let get = |path: &str| format!("GET /api/v1{path} HTTP/1.1\r\n{tenant}\r\n");
    let score = r#"{"player":"ada","score":7}"#;
    let write = format!(
        "POST /api/v1/leaderboards/b/scores HTTP/1.1\r\n{tenant}x-api-key: {}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{score}",
        leaderboard_test_support::ADMIN_KEY,
        score.len()
    );
    let requests = [
        get("/health/live"),
        write,
        get("/leaderboards/b/entries"),
        get("/leaderboards/b/entries/ada"),
    ];
    let address = service.host.url().trim_start_matches("http://").to_owned();
    let split =
        tokio::task::spawn_blocking(move || requests.map(|request| count_split(&address, &request, count)));
    let split = split.await.unwrap();
    let max_split = CONNECTIONS * count / 50;
    assert!(
        split.iter().sum::<usize>() <= max_split,
        "responses in two parts: {split:?}, of {} of each kind",
        CONNECTIONS * count
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn responses_arrive_in_one_part_on_sqlite() {
    check_responses(StoreKind::Sqlite, FEW_FOR_EACH_INSTANCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn responses_arrive_in_one_part_on_redis() {
    check_responses(StoreKind::Redis, FEW_FOR_EACH_INSTANCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn first_responses_of_instances_arrive_in_one_part_on_sqlite() {
    check_responses(StoreKind::Sqlite, ONE_FOR_EACH_INSTANCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn first_responses_of_instances_arrive_in_one_part_on_redis() {
    check_responses(StoreKind::Redis, ONE_FOR_EACH_INSTANCE).await;
}
