//! Tests, on raw sockets, with clients that send a body slowly or state its length in two ways.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use leaderboard_test_support::{ADMIN_KEY, ApiClient};
use serde_json::json;

use crate::cases::http_cases;

const SCORE: &str = r#"{"player":"slow","score":7}"#;
/// How long a test waits for a response. This is longer than a body may take.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(40);
/// How long a slow client waits after each byte of a body. The rate is too low, but each pause is short.
const BYTE_PAUSE: Duration = Duration::from_millis(100);
/// The length of a slow body. It takes fifteen seconds, which is less than the total time for a body.
const SLOW_BODY_BYTES: usize = 150;

/// Returns the head of a submission, without the end of the headers.
fn request_head(api: &ApiClient, key: &str) -> String {
    format!(
        "POST /api/v1/leaderboards/b/scores HTTP/1.1\r\nhost: x\r\nx-api-key: {key}\r\nx-tenant-id: {}\r\n\
         content-type: application/json\r\n",
        api.tenant
    )
}

/// Sends `sent` and leaves the connection open. Returns what the server sends until it closes the connection.
async fn send_and_read(api: &ApiClient, sent: String) -> String {
    let address = api.url().trim_start_matches("http://").to_owned();
    let exchange = move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(RESPONSE_TIMEOUT)).unwrap();
        stream.write_all(sent.as_bytes()).unwrap();
        let mut answers = Vec::new();
        // The server may reset the connection after its response. A timeout is an error.
        if let Err(error) = stream.read_to_end(&mut answers) {
            assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{answers:?}");
        }
        String::from_utf8_lossy(&answers).into_owned()
    };
    tokio::task::spawn_blocking(exchange).await.unwrap()
}

/// Sends the head at once, and the pieces of the body slowly. Returns what the server sends until it closes
/// the connection.
async fn send_slowly_and_read(api: &ApiClient, head: String, body: Vec<String>) -> String {
    let address = api.url().trim_start_matches("http://").to_owned();
    let exchange = move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(RESPONSE_TIMEOUT)).unwrap();
        stream.write_all(head.as_bytes()).unwrap();
        let mut writer = stream.try_clone().unwrap();
        let sender = std::thread::spawn(move || {
            for piece in body {
                // The server may close the connection after its response. Then a write fails.
                if writer.write_all(piece.as_bytes()).is_err() {
                    return;
                }
                std::thread::sleep(BYTE_PAUSE);
            }
        });
        let mut answers = Vec::new();
        // The server may reset the connection after its response. A timeout is an error.
        if let Err(error) = stream.read_to_end(&mut answers) {
            assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{answers:?}");
        }
        sender.join().unwrap();
        String::from_utf8_lossy(&answers).into_owned()
    };
    tokio::task::spawn_blocking(exchange).await.unwrap()
}

http_cases! {
    async fn a_request_whose_body_is_missing_is_refused_and_its_connection_closed(api) {
        api.create_leaderboard("b", &json!({})).await;
        for (key, body, expected) in [
            // A request with a wrong key is answered before its body arrives.
            ("guess", "", "HTTP/1.1 401 "),
            (ADMIN_KEY, "", "HTTP/1.1 408 "),
            (ADMIN_KEY, r#"{"player":"#, "HTTP/1.1 408 "),
        ] {
            let sent = format!("{}content-length: {}\r\n\r\n{body}", request_head(api, key), SCORE.len());
            let answer = send_and_read(api, sent).await;
            assert!(answer.starts_with(expected), "{answer}");
            assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
        }
        let chunked = format!("{}transfer-encoding: chunked\r\n\r\n5\r\n{{\"pla\r\n", request_head(api, ADMIN_KEY));
        let answer = send_and_read(api, chunked).await;
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
        assert_eq!(api.get("/leaderboards/b/entries").await.expect_status(200)["count"], 0);
    }

    async fn a_slow_body_is_refused_before_its_end(api) {
        api.create_leaderboard("b", &json!({})).await;
        // A server that checked only the pauses, or only the total time, would accept this body.
        let body = format!("{SCORE:SLOW_BODY_BYTES$}");
        let length = format!("{}content-length: {}\r\n\r\n", request_head(api, ADMIN_KEY), body.len());
        let answer = send_slowly_and_read(api, length, body.chars().map(String::from).collect()).await;
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
        let chunks = body.chars().map(|byte| format!("1\r\n{byte}\r\n"));
        let chunks = chunks.chain(["0\r\n\r\n".to_owned()]).collect();
        let chunked = format!("{}transfer-encoding: chunked\r\n\r\n", request_head(api, ADMIN_KEY));
        let answer = send_slowly_and_read(api, chunked, chunks).await;
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
        assert_eq!(api.get("/leaderboards/b/entries").await.expect_status(200)["count"], 0);
    }

    async fn a_body_with_two_lengths_smuggles_no_request(api) {
        api.create_leaderboard("b", &json!({})).await;
        let smuggled = format!("{}content-length: {}\r\n\r\n{SCORE}", request_head(api, ADMIN_KEY), SCORE.len());
        let mine = r#"{"player":"mine","score":1}"#;
        for order in [
            format!("content-length: {}\r\ntransfer-encoding: chunked\r\n", 5 + smuggled.len()),
            format!("transfer-encoding: chunked\r\ncontent-length: {}\r\n", 5 + smuggled.len()),
        ] {
            let sent = format!("{}{order}\r\n{:x}\r\n{mine}\r\n0\r\n\r\n{smuggled}", request_head(api, ADMIN_KEY), mine.len());
            let answer = send_and_read(api, sent).await;
            assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
        }
        let entries = api.get("/leaderboards/b/entries").await.expect_status(200);
        let players = entries["entries"].as_array().unwrap().iter();
        assert!(players.map(|entry| &entry["player"]).all(|player| player == "mine"), "{entries}");
    }
}
