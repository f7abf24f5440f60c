//! Clients that send a body slowly, or state its length in two ways, on raw sockets.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use leaderboard_test_support::{ADMIN_KEY, ApiClient};
use serde_json::json;

use crate::cases::http_cases;

const SCORE: &str = r#"{"player":"slow","score":7}"#;
/// How long a test waits for an answer before it gives up: longer than a body may take.
const PATIENCE: Duration = Duration::from_secs(40);
/// How long a slow client waits after each byte of a body: far below the least rate, and never idle for long.
const TRICKLE_PAUSE: Duration = Duration::from_millis(100);
/// Bytes of a body that comes so slowly: whole after fifteen seconds, within the time that a body may take in all.
const TRICKLED_BYTES: usize = 150;

/// The head of a submission, without the end of the headers.
fn head(api: &ApiClient, key: &str) -> String {
    format!(
        "POST /api/v1/leaderboards/b/scores HTTP/1.1\r\nhost: x\r\nx-api-key: {key}\r\nx-tenant-id: {}\r\n\
         content-type: application/json\r\n",
        api.tenant
    )
}

/// What comes back until the server closes, when `sent` is sent and the connection is left open.
async fn answers(api: &ApiClient, sent: String) -> String {
    let address = api.url().trim_start_matches("http://").to_owned();
    let ask = move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(sent.as_bytes()).unwrap();
        let mut answers = Vec::new();
        // A reset after the answer is an end, too; to wait in vain is none.
        if let Err(error) = stream.read_to_end(&mut answers) {
            assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{answers:?}");
        }
        String::from_utf8_lossy(&answers).into_owned()
    };
    tokio::task::spawn_blocking(ask).await.unwrap()
}

/// What comes back until the server closes, when the head is sent at once and the body in pieces, slowly.
async fn answers_to_a_trickle(api: &ApiClient, head: String, body: Vec<String>) -> String {
    let address = api.url().trim_start_matches("http://").to_owned();
    let trickle = move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(head.as_bytes()).unwrap();
        let mut writer = stream.try_clone().unwrap();
        let sender = std::thread::spawn(move || {
            for piece in body {
                // A server that has answered takes no more.
                if writer.write_all(piece.as_bytes()).is_err() {
                    return;
                }
                std::thread::sleep(TRICKLE_PAUSE);
            }
        });
        let mut answers = Vec::new();
        // As in `answers`.
        if let Err(error) = stream.read_to_end(&mut answers) {
            assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{answers:?}");
        }
        sender.join().unwrap();
        String::from_utf8_lossy(&answers).into_owned()
    };
    tokio::task::spawn_blocking(trickle).await.unwrap()
}

http_cases! {
    async fn a_missing_body_is_answered_and_the_connection_is_closed(api) {
        api.create_leaderboard("b", &json!({})).await;
        for (key, body, expected) in [
            // Who is not let in is answered without a byte of the body.
            ("guess", "", "HTTP/1.1 401 "),
            (ADMIN_KEY, "", "HTTP/1.1 408 "),
            (ADMIN_KEY, r#"{"player":"#, "HTTP/1.1 408 "),
        ] {
            let sent = format!("{}content-length: {}\r\n\r\n{body}", head(api, key), SCORE.len());
            let answer = answers(api, sent).await;
            assert!(answer.starts_with(expected), "{answer}");
            assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
        }
        let chunked = format!("{}transfer-encoding: chunked\r\n\r\n5\r\n{{\"pla\r\n", head(api, ADMIN_KEY));
        let answer = answers(api, chunked).await;
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
        assert_eq!(api.get("/leaderboards/b/entries").await.expect_status(200)["count"], 0);
    }

    async fn a_slow_body_is_answered_before_its_end(api) {
        api.create_leaderboard("b", &json!({})).await;
        // Were only pauses measured, or only the time in all, the whole body would come, and be taken.
        let body = format!("{SCORE:TRICKLED_BYTES$}");
        let length = format!("{}content-length: {}\r\n\r\n", head(api, ADMIN_KEY), body.len());
        let answer = answers_to_a_trickle(api, length, body.chars().map(String::from).collect()).await;
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
        let chunks = body.chars().map(|byte| format!("1\r\n{byte}\r\n"));
        let chunks = chunks.chain(["0\r\n\r\n".to_owned()]).collect();
        let chunked = format!("{}transfer-encoding: chunked\r\n\r\n", head(api, ADMIN_KEY));
        let answer = answers_to_a_trickle(api, chunked, chunks).await;
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
        assert_eq!(api.get("/leaderboards/b/entries").await.expect_status(200)["count"], 0);
    }

    async fn a_body_with_two_lengths_smuggles_no_request(api) {
        api.create_leaderboard("b", &json!({})).await;
        let smuggled = format!("{}content-length: {}\r\n\r\n{SCORE}", head(api, ADMIN_KEY), SCORE.len());
        let mine = r#"{"player":"mine","score":1}"#;
        for order in [
            format!("content-length: {}\r\ntransfer-encoding: chunked\r\n", 5 + smuggled.len()),
            format!("transfer-encoding: chunked\r\ncontent-length: {}\r\n", 5 + smuggled.len()),
        ] {
            let sent = format!("{}{order}\r\n{:x}\r\n{mine}\r\n0\r\n\r\n{smuggled}", head(api, ADMIN_KEY), mine.len());
            let answer = answers(api, sent).await;
            assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
        }
        let entries = api.get("/leaderboards/b/entries").await.expect_status(200);
        let players = entries["entries"].as_array().unwrap().iter();
        assert!(players.map(|entry| &entry["player"]).all(|player| player == "mine"), "{entries}");
    }
}
