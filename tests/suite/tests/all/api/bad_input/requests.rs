//! Tests of media types, body sizes and headers.

use std::io::{Read, Write};
use std::net::TcpStream;

use leaderboard_test_support::ADMIN_KEY;
use serde_json::{Value, json};

use super::{At, Row, assert_all_refused, create_leaderboards, read_state};
use crate::cases::api_cases;

const PATH: &str = "/leaderboards/b/scores";
const GOOD: &str = r#"{"player":"p","score":1}"#;
/// The size of the largest body that the service accepts, in bytes.
const MAX_BODY: usize = 1 << 20;

/// Returns a valid submission that is padded with spaces to this number of bytes.
fn padded(bytes: usize) -> String {
    format!("{GOOD}{}", " ".repeat(bytes - GOOD.len()))
}

api_cases! {
    async fn unsupported_media_types_and_codings_are_refused(api) {
        let mut rows = Vec::new();
        for media_type in ["text/plain", "application/xml", "application/x-www-form-urlencoded", "multipart/form-data",
            "application/json; charset=latin-1", "application/jsonx", "application/merge-patch+json", "json", "*/*", ""] {
            let row = Row::new("POST", PATH, 415, "unsupported-media-type", At::Nothing);
            rows.push(row.body(GOOD).header("content-type", media_type));
        }
        for coding in ["gzip", "br", "identity, gzip"] {
            let row = Row::new("POST", PATH, 415, "unsupported-media-type", At::Nothing);
            rows.push(row.body(GOOD).header("content-encoding", coding));
        }
        for (verb, path) in [("PUT", "/leaderboards/b"), ("PATCH", "/leaderboards/b"), ("POST", "/scores")] {
            let row = Row::new(verb, path, 415, "unsupported-media-type", At::Nothing);
            rows.push(row.body("{}").header("content-type", "text/plain"));
            // A request without a body has no media type and is refused, too.
            rows.push(Row::new(verb, path, 415, "unsupported-media-type", At::Nothing));
        }
        assert_all_refused(api, rows).await;
        let patch = api.request("PATCH", "/leaderboards/b").header("content-type", "text/plain").body("{}").send().await;
        assert_eq!(patch.header("accept-patch"), "application/merge-patch+json");
    }

    async fn json_media_types_are_accepted(api) {
        api.create_leaderboard("b", &json!({})).await;
        for media_type in ["application/json", "APPLICATION/JSON", "application/json;charset=UTF-8", "application/json; charset=\"utf-8\"",
            "application/vnd.edgeboard.v1+json"] {
            let call = api.request("POST", PATH).header("content-type", media_type).header("content-encoding", "identity");
            call.body(GOOD).send().await.expect_status(200);
        }
    }

    async fn invalid_headers_are_refused(api) {
        let header = |name: &'static str, shown: &'static str, value: &str| {
            Row::new("POST", PATH, 400, "invalid-header", At::Header(shown)).body(GOOD).header(name, value)
        };
        let long = format!("\"{}\"", "k".repeat(256));
        assert_all_refused(api, vec![
            header("idempotency-key", "Idempotency-Key", "two words"),
            header("idempotency-key", "Idempotency-Key", "\"\""),
            header("idempotency-key", "Idempotency-Key", "\"open"),
            header("idempotency-key", "Idempotency-Key", "\"a\"b\""),
            header("idempotency-key", "Idempotency-Key", &long),
            header("api-version", "API-Version", "latest"),
            header("x-tenant-id", "X-Tenant-ID", "No Tenant"),
            Row::new("POST", PATH, 400, "version-conflict", At::Header("API-Version")).body(GOOD).header("api-version", "3"),
            Row::new("POST", PATH, 406, "not-acceptable", At::Nothing).body(GOOD).header("accept", "text/html"),
            Row::new("POST", PATH, 401, "unauthenticated", At::Nothing).body(GOOD).header("x-api-key", "guess"),
        ]).await;
        // The service ignores a preference that it does not understand.
        let call = api.request("POST", PATH).header("prefer", "wait=10, ;;=, return=everything");
        call.json(&json!({"player": "a", "score": 0})).send().await.expect_status(200);
    }

    async fn a_body_may_have_at_most_one_mebibyte(api) {
        create_leaderboards(api).await;
        let before = read_state(api).await;
        for (verb, path) in [("POST", PATH), ("POST", "/scores"), ("PUT", "/leaderboards/b"), ("PATCH", "/leaderboards/b")] {
            let call = api.request(verb, path).json(&Value::Null).body(padded(MAX_BODY + 1));
            call.send().await.expect_problem(413, "body-too-large");
        }
        assert_eq!(read_state(api).await, before);
        api.request("POST", PATH).json(&Value::Null).body(padded(MAX_BODY)).send().await.expect_status(200);
    }
}

/// Posts a submission in chunks, without a stated length. Returns the beginning of the response.
fn post_chunked(url: &str, tenant: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(url.trim_start_matches("http://")).unwrap();
    let head = format!(
        "POST /api/v1{PATH} HTTP/1.1\r\nhost: x\r\nx-api-key: {ADMIN_KEY}\r\nx-tenant-id: {tenant}\r\n\
         content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut reader = stream.try_clone().unwrap();
    let writer = {
        let body = body.to_owned();
        std::thread::spawn(move || {
            for chunk in body.as_bytes().chunks(50_000) {
                // The server may close the connection before the end of a body that is too large.
                let framed = [format!("{:x}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat();
                if stream.write_all(&framed).is_err() {
                    return;
                }
            }
            drop(stream.write_all(b"0\r\n\r\n"));
        })
    };
    let mut answer = vec![0; 1024];
    let length = reader.read(&mut answer).unwrap();
    writer.join().unwrap();
    String::from_utf8_lossy(&answer[..length]).into_owned()
}

mod over_http {
    use super::*;
    use crate::cases::http_cases;

    http_cases! {
        async fn a_body_of_unknown_length_is_read_up_to_the_limit(api) {
            create_leaderboards(api).await;
            let before = read_state(api).await;
            let (url, tenant) = (api.url().to_owned(), api.tenant.clone());
            let send = async |body: String| {
                let (url, tenant) = (url.clone(), tenant.clone());
                tokio::task::spawn_blocking(move || post_chunked(&url, &tenant, &body)).await.unwrap()
            };
            let answer = send(padded(MAX_BODY + 1)).await;
            assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
            assert_eq!(read_state(api).await, before);
            let answer = send(padded(MAX_BODY)).await;
            assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        }
    }
}
