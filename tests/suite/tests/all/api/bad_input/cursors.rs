//! Tests of cursors that are forged, belong to another list, or are out of date.

use leaderboard_test_support::{ApiClient, PseudoRandom};
use serde_json::json;

use super::{At, Row, assert_all_refused};
use crate::cases::api_cases;

const BASE64URL: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Creates a leaderboard with four players. Returns the cursor after the second player.
async fn create_cursor(api: &ApiClient, board: &str, configuration: serde_json::Value) -> String {
    api.create_leaderboard(board, &configuration).await;
    for (player, score) in [("a", 4), ("b", 3), ("c", 2), ("d", 1)] {
        api.submit_score(board, player, score).await;
    }
    api.page(board, "?limit=2").await["next"]
        .as_str()
        .unwrap()
        .to_owned()
}

api_cases! {
    async fn forged_cursors_are_refused(api) {
        let row = |cursor: String| {
            Row::new("GET", format!("/leaderboards/b/entries?cursor={cursor}"), 400, "invalid-cursor", At::Parameter("cursor"))
        };
        let mut rows: Vec<Row> = ["", "x", "%21%21", "AAAA", "AQ", "null", "eyJvZmZzZXQiOjEwfQ", "AQ==", "%00", "é"]
            .iter().map(|cursor| row(leaderboard_test_support::encode_segment(cursor).replace("%25", "%"))).collect();
        rows.push(row("A".repeat(4000)));
        let mut numbers = PseudoRandom(5);
        for length in 1..80 {
            // The bytes begin like a cursor and go on at random.
            let tail: String = (0..length).map(|_| char::from(BASE64URL[usize::try_from(numbers.below(64)).unwrap()])).collect();
            rows.push(row(format!("AQ{tail}")));
        }
        assert_all_refused(api, rows).await;
    }

    async fn a_cursor_with_a_changed_byte_causes_no_server_error(api) {
        let cursor = create_cursor(api, "b", json!({})).await;
        let before = api.page("b", "").await;
        for at in 0..cursor.len() {
            for other in [b'A', b'_', b'k'] {
                let mut changed = cursor.clone().into_bytes();
                changed[at] = other;
                let changed = String::from_utf8(changed).unwrap();
                let answer = api.get(&format!("/leaderboards/b/entries?cursor={changed}")).await;
                match answer.status {
                    200 => assert_eq!(answer.json()["count"], 4),
                    400 => drop(answer.expect_problem(400, "invalid-cursor")),
                    404 => drop(answer.expect_problem(404, "period-not-found")),
                    410 => drop(answer.expect_problem(410, "stale-cursor")),
                    _ => panic!("{changed}: {answer:?}"),
                }
            }
            let cut = &cursor[..at];
            api.get(&format!("/leaderboards/b/entries?cursor={cut}")).await.expect_problem(400, "invalid-cursor");
        }
        assert_eq!(api.page("b", "").await, before);
    }

    async fn cursors_of_another_list_are_refused(api) {
        let reset = json!({"cron": "0 0 1 1 *", "time_zone": "UTC"});
        let foreign = create_cursor(api, "a", json!({})).await;
        let yearly = create_cursor(api, "b", json!({"reset": reset, "keep_periods": 1000})).await;
        api.submit("b", &json!({"player": "p", "score": 1, "occurred_at": "2020-01-01T00:00:00Z"})).await;
        for query in [format!("cursor={foreign}"), format!("cursor={yearly}&period=2020-01-01T00:00:00Z")] {
            let answer = api.get(&format!("/leaderboards/b/entries?{query}")).await.expect_problem(400, "invalid-cursor");
            assert_eq!(answer["errors"][0]["parameter"], "cursor");
        }
        // The cursor is valid for its own period, also under the name `current`.
        api.page("b", &format!("?cursor={yearly}&period=current")).await;
        // A cursor gives no access to another tenant's list.
        let other = api.another_tenant();
        other.get(&format!("/leaderboards/b/entries?cursor={yearly}")).await.expect_problem(404, "leaderboard-not-found");
    }

    async fn cursors_from_before_a_rebuild_are_refused_as_stale(api) {
        let cursor = create_cursor(api, "b", json!({})).await;
        api.patch("/leaderboards/b?rebuild=true", &json!({"ties": "latest"})).await.expect_status(200);
        let stale = api.get(&format!("/leaderboards/b/entries?cursor={cursor}")).await.expect_problem(410, "stale-cursor");
        assert_eq!(stale["errors"][0]["parameter"], "cursor");
        // The list starts at the top again.
        let first = api.page("b", "?limit=2").await;
        api.page("b", &format!("?cursor={}", first["next"].as_str().unwrap())).await;
    }
}
