//! Tests of the window of entries around a player. The window is full if the leaderboard is large enough.

use leaderboard_test_support::{ApiClient, ListedEntry};
use serde_json::json;

use crate::cases::api_cases;

/// Creates a leaderboard with the players `p000`, `p001`, … from the top.
async fn create_players(api: &ApiClient, board: &str, count: usize) {
    api.create_leaderboard(board, &json!({})).await;
    let submissions: Vec<_> = (0..count)
        .map(|n| json!({"player": player_name(n), "score": 1000 - n}))
        .collect();
    api.submit_all(board, &submissions).await;
}

/// Returns the name of the player at position `n`, from 0.
fn player_name(n: usize) -> String {
    format!("p{n:03}")
}

/// Returns the positions, from 0, in a window of `limit` around position `at` among `count` entries.
fn expected_window(at: usize, limit: usize, count: usize) -> std::ops::Range<usize> {
    let size = limit.min(count);
    let start = at.saturating_sub(limit / 2).min(count - size);
    start..start + size
}

/// Reads the window around position `at`. Checks that its names and ranks agree, and returns its positions.
async fn read_window(api: &ApiClient, board: &str, at: usize, query: &str) -> Vec<usize> {
    let answer = api
        .get(&format!(
            "/leaderboards/{board}/entries/{}/around{query}",
            player_name(at)
        ))
        .await
        .expect_status(200);
    let entries = ListedEntry::parse_all(&answer["entries"]);
    let position = |entry: &ListedEntry| usize::try_from(entry.rank).unwrap() - 1;
    for entry in &entries {
        assert_eq!(entry.player, player_name(position(entry)));
    }
    entries.iter().map(position).collect()
}

api_cases! {
    async fn a_window_is_full_at_the_top_in_the_middle_and_at_the_end(api) {
        create_players(api, "b", 200).await;
        for at in [0, 1, 4, 5, 6, 99, 193, 194, 195, 198, 199] {
            let seen = read_window(api, "b", at, "").await;
            assert_eq!(seen, expected_window(at, 11, 200).collect::<Vec<_>>(), "around position {at}");
        }
    }

    async fn a_window_has_the_version_and_count_of_the_list(api) {
        create_players(api, "b", 20).await;
        let page = api.page("b", "").await;
        let answer = api.get("/leaderboards/b/entries/p010/around?limit=3").await.expect_status(200);
        for field in ["leaderboard", "period", "version", "count"] {
            assert_eq!(answer[field], page[field], "{field}");
        }
        api.get("/leaderboards/b/entries/nobody/around").await.expect_problem(404, "entry-not-found");
        api.get("/leaderboards/none/entries/p010/around").await.expect_problem(404, "leaderboard-not-found");
    }
}
