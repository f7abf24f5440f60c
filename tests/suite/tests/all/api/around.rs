//! The window around a player: always full when the leaderboard is large enough.

use serde_json::json;

use crate::edgeboard::{Edgeboard, Standing, over_http};

/// Players `p000`, `p001`, … from the top.
async fn line_of(edgeboard: &Edgeboard, board: &str, count: usize) {
    edgeboard.board(board, &json!({})).await;
    let submissions: Vec<_> = (0..count)
        .map(|n| json!({"player": name(n), "score": 1000 - n}))
        .collect();
    edgeboard.submit_all(board, &submissions).await;
}

fn name(n: usize) -> String {
    format!("p{n:03}")
}

/// The places, counted from 0, that a window of `limit` around place `at` covers among `count`.
fn window(at: usize, limit: usize, count: usize) -> std::ops::Range<usize> {
    let size = limit.min(count);
    let start = at.saturating_sub(limit / 2).min(count - size);
    start..start + size
}

async fn around(edgeboard: &Edgeboard, board: &str, at: usize, query: &str) -> Vec<usize> {
    let answer = edgeboard
        .get(&format!(
            "/leaderboards/{board}/entries/{}/around{query}",
            name(at)
        ))
        .await
        .is(200);
    let entries = Standing::all_of(&answer["entries"]);
    let place = |entry: &Standing| usize::try_from(entry.rank).unwrap() - 1;
    for entry in &entries {
        assert_eq!(entry.player, name(place(entry)));
    }
    entries.iter().map(place).collect()
}

over_http! {
    async fn at_the_top_in_the_middle_and_at_the_end(edgeboard) {
        line_of(edgeboard, "b", 200).await;
        for at in [0, 1, 4, 5, 6, 99, 193, 194, 195, 198, 199] {
            let seen = around(edgeboard, "b", at, "").await;
            assert_eq!(seen, window(at, 11, 200).collect::<Vec<_>>(), "around place {at}");
        }
    }

    async fn with_every_size(edgeboard) {
        line_of(edgeboard, "b", 60).await;
        for limit in [1, 2, 3, 4, 10, 59, 60, 61, 1000] {
            for at in [0, 1, 2, 30, 57, 58, 59] {
                let seen = around(edgeboard, "b", at, &format!("?limit={limit}")).await;
                assert_eq!(seen, window(at, limit, 60).collect::<Vec<_>>(), "{limit} around place {at}");
            }
        }
    }

    async fn a_small_leaderboard_is_shown_whole(edgeboard) {
        for count in 1..=11 {
            let board = format!("b{count}");
            line_of(edgeboard, &board, count).await;
            for at in [0, count / 2, count - 1] {
                assert_eq!(around(edgeboard, &board, at, "").await, (0..count).collect::<Vec<_>>());
            }
        }
    }

    async fn it_tells_version_and_count(edgeboard) {
        line_of(edgeboard, "b", 20).await;
        let page = edgeboard.page("b", "").await;
        let answer = edgeboard.get("/leaderboards/b/entries/p010/around?limit=3").await.is(200);
        for field in ["leaderboard", "period", "version", "count"] {
            assert_eq!(answer[field], page[field], "{field}");
        }
        edgeboard.get("/leaderboards/b/entries/nobody/around").await.problem(404, "entry-not-found");
        edgeboard.get("/leaderboards/none/entries/p010/around").await.problem(404, "leaderboard-not-found");
    }
}
