//! Many clients at once, and clients that go away in the middle.

use std::io::Write;
use std::net::TcpStream;

use serde_json::json;
use tokio::task::JoinSet;

use crate::edgeboard::{Edgeboard, KEY, over_http};

const CLIENTS: i64 = 64;
const SCORES: i64 = 10;

/// Sends the first bytes of a submission and closes the connection without reading. Whether it was all of them.
fn hang_up(edgeboard: &Edgeboard, bytes: usize) -> bool {
    let body = r#"{"player":"fickle","score":1}"#;
    let request = format!(
        "POST /api/v1/leaderboards/b/scores HTTP/1.1\r\nhost: x\r\nx-api-key: {KEY}\r\nx-tenant-id: {}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        edgeboard.tenant,
        body.len(),
    );
    let mut stream = TcpStream::connect(edgeboard.url.trim_start_matches("http://")).unwrap();
    stream
        .write_all(&request.as_bytes()[..bytes.min(request.len())])
        .unwrap();
    bytes >= request.len()
}

over_http! {
    async fn sixty_four_clients_add_up_exactly(edgeboard) {
        edgeboard.board("b", &json!({"operator": "increment"})).await;
        let mut clients = JoinSet::new();
        for _ in 0..CLIENTS {
            let edgeboard = edgeboard.clone();
            clients.spawn(async move {
                let mut seen = Vec::new();
                for _ in 0..SCORES {
                    seen.push(edgeboard.score("b", "p", 1).await["values"]["score"].as_i64().unwrap());
                }
                seen
            });
        }
        let mut seen: Vec<i64> = clients.join_all().await.concat();
        seen.sort_unstable();
        // Every sum on the way was told to exactly one of them.
        assert_eq!(seen, (1..=CLIENTS * SCORES).collect::<Vec<_>>());
        assert_eq!(edgeboard.list("b").await[0].score, CLIENTS * SCORES);
    }

    async fn readers_among_writers_always_see_a_consistent_list(edgeboard) {
        edgeboard.board("b", &json!({"operator": "set"})).await;
        let mut tasks = JoinSet::new();
        for writer in 0..8 {
            let edgeboard = edgeboard.clone();
            tasks.spawn(async move {
                for n in 0..25 {
                    edgeboard.score("b", &format!("p{}", (writer + n) % 10), n * 7 % 30).await;
                }
            });
        }
        for _ in 0..4 {
            let edgeboard = edgeboard.clone();
            tasks.spawn(async move {
                for _ in 0..25 {
                    let page = edgeboard.page("b", "?limit=100").await;
                    let list = crate::edgeboard::Standing::all_of(&page["entries"]);
                    assert_eq!(page["count"], list.len());
                    assert!(list.windows(2).all(|pair| pair[0].score >= pair[1].score && pair[0].rank + 1 == pair[1].rank));
                }
            });
        }
        tasks.join_all().await;
    }

    async fn clients_that_hang_up_harm_nobody(edgeboard) {
        edgeboard.board("b", &json!({"operator": "increment"})).await;
        let mut neighbours = JoinSet::new();
        for n in 0..8 {
            let edgeboard = edgeboard.clone();
            neighbours.spawn(async move {
                for _ in 0..25 {
                    edgeboard.score("b", &format!("p{n}"), 1).await;
                }
            });
        }
        // Cut at every place: in the line, in the headers, in the body, and after the last byte.
        let fickle = edgeboard.clone();
        let cut = move || (1..320).filter(|bytes| hang_up(&fickle, *bytes)).count();
        let whole = tokio::task::spawn_blocking(cut).await.unwrap();
        neighbours.join_all().await;
        let list = edgeboard.list("b").await;
        assert_eq!(list.iter().filter(|one| one.player.starts_with('p') && one.score == 25).count(), 8);
        // A request that was whole may have counted, and one that was not has not.
        let counted = list.iter().find(|one| one.player == "fickle").map_or(0, |one| one.score);
        assert!(whole > 0 && counted <= i64::try_from(whole).unwrap(), "{counted} of {whole}");
        edgeboard.score("b", "fickle", 1).await;
    }
}
