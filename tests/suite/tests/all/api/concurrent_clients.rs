//! Tests with many concurrent clients, and with clients that close the connection within a request.

use std::io::Write;
use std::net::TcpStream;

use leaderboard_test_support::{ADMIN_KEY, ListedEntry};
use serde_json::json;
use tokio::task::JoinSet;

use crate::cases::api_cases;

const CLIENTS: i64 = 64;
/// How many scores each client submits.
const SCORES: i64 = 10;

/// Sends the first `bytes` bytes of a submission and closes the connection without reading the response.
/// Returns whether these bytes are the whole request.
fn send_part_and_close(url: &str, tenant: &str, bytes: usize) -> bool {
    let body = r#"{"player":"fickle","score":1}"#;
    let request = format!(
        "POST /api/v1/leaderboards/b/scores HTTP/1.1\r\nhost: x\r\nx-api-key: {ADMIN_KEY}\r\nx-tenant-id: {}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        tenant,
        body.len(),
    );
    let mut stream = TcpStream::connect(url.trim_start_matches("http://")).unwrap();
    stream
        .write_all(&request.as_bytes()[..bytes.min(request.len())])
        .unwrap();
    bytes >= request.len()
}

api_cases! {
    async fn increments_of_sixty_four_clients_add_up_exactly(api) {
        api.create_leaderboard("b", &json!({"operator": "increment"})).await;
        let mut clients = JoinSet::new();
        for _ in 0..CLIENTS {
            let api = api.clone();
            clients.spawn_local(async move {
                let mut seen = Vec::new();
                for _ in 0..SCORES {
                    seen.push(api.submit_score("b", "p", 1).await["values"]["score"].as_i64().unwrap());
                }
                seen
            });
        }
        let mut seen: Vec<i64> = clients.join_all().await.concat();
        seen.sort_unstable();
        // Exactly one client got each sum.
        assert_eq!(seen, (1..=CLIENTS * SCORES).collect::<Vec<_>>());
        assert_eq!(api.list_entries("b").await[0].score, CLIENTS * SCORES);
    }

    async fn webhooks_that_are_created_at_the_same_time_do_not_exceed_their_limit(api) {
        let mut clients = JoinSet::new();
        for n in 0..30 {
            let api = api.clone();
            clients.spawn_local(async move {
                let body = json!({"url": "https://hook.example/", "events": ["score.accepted"]});
                api.put(&format!("/webhooks/hook-{n}"), &body).await.status
            });
        }
        let statuses = clients.join_all().await;
        let page = api.get("/webhooks?limit=100").await.expect_status(200);
        assert_eq!(page["webhooks"].as_array().unwrap().len(), 20, "{statuses:?}");
        assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 20, "{statuses:?}");
    }

    async fn readers_among_writers_always_see_a_consistent_list(api) {
        api.create_leaderboard("b", &json!({"operator": "set"})).await;
        let mut tasks = JoinSet::new();
        for writer in 0..8 {
            let api = api.clone();
            tasks.spawn_local(async move {
                for n in 0..25 {
                    api.submit_score("b", &format!("p{}", (writer + n) % 10), n * 7 % 30).await;
                }
            });
        }
        for _ in 0..4 {
            let api = api.clone();
            tasks.spawn_local(async move {
                for _ in 0..25 {
                    let page = api.page("b", "?limit=100").await;
                    let list = ListedEntry::parse_all(&page["entries"]);
                    assert_eq!(page["count"], list.len());
                    assert!(list.windows(2).all(|pair| pair[0].score >= pair[1].score && pair[0].rank + 1 == pair[1].rank));
                }
            });
        }
        tasks.join_all().await;
    }
}

mod over_http {
    use super::*;
    use crate::cases::http_cases;

    http_cases! {
        async fn clients_that_close_early_do_not_affect_others(api) {
            api.create_leaderboard("b", &json!({"operator": "increment"})).await;
            let mut neighbours = JoinSet::new();
            for n in 0..8 {
                let api = api.clone();
                neighbours.spawn_local(async move {
                    for _ in 0..25 {
                        api.submit_score("b", &format!("p{n}"), 1).await;
                    }
                });
            }
            // A request is cut off after each byte of its request line, its headers and its body.
            let (url, tenant) = (api.url().to_owned(), api.tenant.clone());
            let count_whole = move || (1..320).filter(|bytes| send_part_and_close(&url, &tenant, *bytes)).count();
            let whole = tokio::task::spawn_blocking(count_whole).await.unwrap();
            neighbours.join_all().await;
            let list = api.list_entries("b").await;
            assert_eq!(list.iter().filter(|entry| entry.player.starts_with('p') && entry.score == 25).count(), 8);
            // A whole request may count, although nobody reads its response. A part of a request must not.
            let counted = list.iter().find(|entry| entry.player == "fickle").map_or(0, |entry| entry.score);
            assert!(whole > 0 && counted <= i64::try_from(whole).unwrap(), "{counted} of {whole}");
            api.submit_score("b", "fickle", 1).await;
        }
    }
}
