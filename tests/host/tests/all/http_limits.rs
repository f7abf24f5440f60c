//! Tests of the limits on requests of clients.

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Full;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::http_client::send;
use crate::setup::TestHost;

/// The most bytes of a request's body in these tests.
const LIMIT: u64 = 1000;

async fn start_with_body_limit() -> TestHost {
    TestHost::start_with(|config| config.limits.max_body_bytes = LIMIT).await
}

#[tokio::test]
async fn a_body_with_a_length_above_the_limit_is_refused() {
    let host = start_with_body_limit().await;
    for (length, status) in [
        (LIMIT, StatusCode::OK),
        (LIMIT + 1, StatusCode::PAYLOAD_TOO_LARGE),
    ] {
        let body = Bytes::from(vec![b'x'; usize::try_from(length).unwrap()]);
        let answer = send(
            host.address,
            Request::post("/probe/length").body(Full::new(body)).unwrap(),
        )
        .await
        .unwrap();
        assert_eq!(answer.status, status);
    }
}

#[tokio::test]
async fn a_body_without_a_length_is_cut_off_at_the_limit() {
    let host = start_with_body_limit().await;
    let mut chunked =
        b"POST /probe/length HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n"
            .to_vec();
    for _ in 0..3 {
        chunked.extend_from_slice(b"190\r\n");
        chunked.extend_from_slice(&[b'x'; 400]);
        chunked.extend_from_slice(b"\r\n");
    }
    chunked.extend_from_slice(b"0\r\n\r\n");
    let answer = send_raw(&host, &chunked).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
}

#[tokio::test]
async fn too_many_and_too_large_headers_are_refused() {
    let host = TestHost::start_with(|config| {
        config.limits.max_headers = 10;
        config.limits.max_header_bytes = 8192;
    })
    .await;
    let many: String = (0..20).map(|n| format!("x-{n}: 1\r\n")).collect();
    let large = format!("x-large: {}\r\n", "x".repeat(20_000));
    for headers in [many, large] {
        let answer = send_raw(
            &host,
            format!("GET /hello HTTP/1.1\r\nhost: x\r\n{headers}\r\n").as_bytes(),
        )
        .await;
        assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    }
}

#[tokio::test]
async fn a_client_that_does_not_finish_its_head_is_disconnected() {
    let host =
        TestHost::start_with(|config| config.limits.header_timeout = std::time::Duration::from_millis(100))
            .await;
    let mut stream = tokio::net::TcpStream::connect(host.address).await.unwrap();
    stream.write_all(b"GET /hello HTTP/1.1\r\nhost:").await.unwrap();
    let mut answer = Vec::new();
    // The read ends only because the host closes the connection.
    _ = stream.read_to_end(&mut answer).await;
    assert!(!String::from_utf8_lossy(&answer).contains("200 OK"));
}

/// Sends the bytes of `request`, and returns the first part of the response.
async fn send_raw(host: &TestHost, request: &[u8]) -> String {
    let mut stream = tokio::net::TcpStream::connect(host.address).await.unwrap();
    _ = stream.write_all(request).await;
    let mut answer = vec![0; 4096];
    let length = stream.read(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer[..length]).into_owned()
}
