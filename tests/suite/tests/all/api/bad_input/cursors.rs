//! Cursors that are forged, foreign or out of date.

use serde_json::json;

use super::{At, Row, refused};
use crate::edgeboard::{Edgeboard, Numbers, over_http};

const BASE64URL: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Four players and the cursor behind the second.
async fn cursor_of(edgeboard: &Edgeboard, board: &str, configuration: serde_json::Value) -> String {
    edgeboard.board(board, &configuration).await;
    for (player, score) in [("a", 4), ("b", 3), ("c", 2), ("d", 1)] {
        edgeboard.score(board, player, score).await;
    }
    edgeboard.page(board, "?limit=2").await["next"]
        .as_str()
        .unwrap()
        .to_owned()
}

over_http! {
    async fn forged_ones_are_refused(edgeboard) {
        let row = |cursor: String| {
            Row::new("GET", format!("/leaderboards/b/entries?cursor={cursor}"), 400, "invalid-cursor", At::Parameter("cursor"))
        };
        let mut rows: Vec<Row> = ["", "x", "%21%21", "AAAA", "AQ", "null", "eyJvZmZzZXQiOjEwfQ", "AQ==", "%00", "é"]
            .iter().map(|cursor| row(crate::edgeboard::segment(cursor).replace("%25", "%"))).collect();
        rows.push(row("A".repeat(4000)));
        let mut numbers = Numbers(5);
        for length in 1..80 {
            // Bytes that begin as a cursor does, and go on at random.
            let tail: String = (0..length).map(|_| char::from(BASE64URL[usize::try_from(numbers.below(64)).unwrap()])).collect();
            rows.push(row(format!("AQ{tail}")));
        }
        refused(edgeboard, rows).await;
    }

    async fn a_changed_byte_gives_an_answer_or_a_refusal_and_never_a_failure(edgeboard) {
        let cursor = cursor_of(edgeboard, "b", json!({})).await;
        let before = edgeboard.page("b", "").await;
        for at in 0..cursor.len() {
            for other in [b'A', b'_', b'k'] {
                let mut changed = cursor.clone().into_bytes();
                changed[at] = other;
                let changed = String::from_utf8(changed).unwrap();
                let answer = edgeboard.get(&format!("/leaderboards/b/entries?cursor={changed}")).await;
                match answer.status {
                    200 => assert_eq!(answer.json()["count"], 4),
                    400 => drop(answer.problem(400, "invalid-cursor")),
                    404 => drop(answer.problem(404, "period-not-found")),
                    410 => drop(answer.problem(410, "stale-cursor")),
                    _ => panic!("{changed}: {answer:?}"),
                }
            }
            let cut = &cursor[..at];
            edgeboard.get(&format!("/leaderboards/b/entries?cursor={cut}")).await.problem(400, "invalid-cursor");
        }
        assert_eq!(edgeboard.page("b", "").await, before);
    }

    async fn those_of_another_list_are_refused(edgeboard) {
        let reset = json!({"cron": "0 0 1 1 *", "time_zone": "UTC"});
        let foreign = cursor_of(edgeboard, "a", json!({})).await;
        let yearly = cursor_of(edgeboard, "b", json!({"reset": reset, "keep_periods": 1000})).await;
        edgeboard.submit("b", &json!({"player": "p", "score": 1, "occurred_at": "2020-01-01T00:00:00Z"})).await;
        for query in [format!("cursor={foreign}"), format!("cursor={yearly}&period=2020-01-01T00:00:00Z")] {
            let answer = edgeboard.get(&format!("/leaderboards/b/entries?{query}")).await.problem(400, "invalid-cursor");
            assert_eq!(answer["errors"][0]["parameter"], "cursor");
        }
        // Of its own period, by whatever name.
        edgeboard.page("b", &format!("?cursor={yearly}&period=current")).await;
        // A cursor gives no right to another tenant's list, either.
        let other = Edgeboard::new(&edgeboard.url);
        other.get(&format!("/leaderboards/b/entries?cursor={yearly}")).await.problem(404, "leaderboard-not-found");
    }

    async fn those_of_an_order_that_is_gone_are_told_apart(edgeboard) {
        let cursor = cursor_of(edgeboard, "b", json!({})).await;
        edgeboard.patch("/leaderboards/b?rebuild=true", &json!({"ties": "latest"})).await.is(200);
        let stale = edgeboard.get(&format!("/leaderboards/b/entries?cursor={cursor}")).await.problem(410, "stale-cursor");
        assert_eq!(stale["errors"][0]["parameter"], "cursor");
        // The list begins anew.
        let first = edgeboard.page("b", "?limit=2").await;
        edgeboard.page("b", &format!("?cursor={}", first["next"].as_str().unwrap())).await;
    }
}
