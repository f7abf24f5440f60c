//! Tests that a client is served beside a thousand connections that send one byte a second. Half of the
//! connections never end their headers, and half never end their body.

use std::time::Duration;

use leaderboard_host::HostConfig;
use leaderboard_test_support::{ADMIN_KEY, ApiClient, RedisServer, StoreKind, TestService};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::cases::on_both_kinds;

const SLOW_SENDERS: usize = 1_000;
/// The pause between two bytes of a slow sender.
const BYTE_PAUSE: Duration = Duration::from_secs(1);
/// How many times another client writes and reads meanwhile.
const ROUNDS: i64 = 40;
/// How long the other client waits between two rounds. All rounds take about as long as a slow body may take.
const ROUND_PAUSE: Duration = Duration::from_millis(100);
/// How many files the test and its host may open: both ends of each connection, and some more.
const OPEN_FILES: u64 = 4 * SLOW_SENDERS as u64;
/// The stated length of a body. A slow sender sends fewer bytes.
const BODY_BYTES: usize = 1_000;
/// How long the host waits for the headers of a request. This is longer than a slow body may take.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);

/// Raises this process's limit of open files to `OPEN_FILES`.
fn raise_open_files() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < OPEN_FILES) {
        limit.current = Some(OPEN_FILES);
        setrlimit(Resource::Nofile, limit).expect("4,000 open files");
    }
}

/// Sends `first`, then a byte a second until the server answers or closes the connection. Returns the status line,
/// which is empty if there is no response.
async fn send_slowly(mut stream: TcpStream, first: String) -> String {
    stream.write_all(first.as_bytes()).await.unwrap();
    let mut answer = [0; 64];
    loop {
        tokio::select! {
            read = stream.read(&mut answer) => {
                // The server may close the connection while a byte is on its way. Then a read fails.
                let length = read.unwrap_or(0);
                let text = String::from_utf8_lossy(answer.get(..length).unwrap());
                return text.lines().next().unwrap_or_default().to_owned();
            }
            () = tokio::time::sleep(BYTE_PAUSE) => {
                // The server may close the connection after its response. Then a write fails.
                let _ = stream.write_all(b"x").await;
            }
        }
    }
}

/// Starts all slow senders. Returns the tasks of unfinished bodies, and the tasks of unfinished headers.
async fn start_slow_senders(api: &ApiClient) -> (JoinSet<String>, JoinSet<String>) {
    let address = api.url().trim_start_matches("http://").to_owned();
    let head = format!(
        "POST /api/v1/leaderboards/b/scores HTTP/1.1\r\nhost: x\r\nx-api-key: {ADMIN_KEY}\r\nx-tenant-id: {}\r\n\
         content-type: application/json\r\n",
        api.tenant
    );
    let body_begun = format!("{head}content-length: {BODY_BYTES}\r\n\r\n{{");
    let (mut bodies, mut heads) = (JoinSet::new(), JoinSet::new());
    for _ in 0..SLOW_SENDERS / 2 {
        let stream = TcpStream::connect(&address).await.unwrap();
        bodies.spawn(send_slowly(stream, body_begun.clone()));
        let stream = TcpStream::connect(&address).await.unwrap();
        heads.spawn(send_slowly(stream, format!("{head}x-slow: ")));
    }
    (bodies, heads)
}

/// Checks that another client is served while the slow senders send.
async fn another_client_is_served_beside_slow_senders(store: StoreKind) {
    raise_open_files();
    let redis = (store == StoreKind::Redis).then(RedisServer::start);
    let set_timeout = |config: &mut HostConfig| config.limits.header_timeout = HEADER_TIMEOUT;
    let service = TestService::start_configured(redis, set_timeout).await;
    service.api().switch_limits_off().await;
    let api = service.api();
    api.create_leaderboard("b", &json!({"operator": "increment"}))
        .await;
    let (bodies, heads) = start_slow_senders(&api).await;
    for round in 1..=ROUNDS {
        let outcome = api.submit_score("b", "ada", 1).await;
        assert_eq!(outcome["values"]["score"], round, "{outcome}");
        let page = api.get("/leaderboards/b/entries").await.expect_status(200);
        assert_eq!(page["entries"][0]["values"]["score"], round, "{page}");
        tokio::time::sleep(ROUND_PAUSE).await;
    }
    for answer in bodies.join_all().await {
        assert_eq!(answer, "HTTP/1.1 408 Request Timeout");
    }
    for answer in heads.join_all().await {
        assert_eq!(answer, "", "a request with unfinished headers gets no response");
    }
    let outcome = api.submit_score("b", "ada", 1).await;
    assert_eq!(outcome["values"]["score"], ROUNDS + 1, "{outcome}");
}

on_both_kinds! {
    another_client_is_served_beside_slow_senders
}
