//! Tests of the window of entries around a player.

use leaderboard_test_support::ListedEntry;
use serde_json::{Value, json};

use crate::cases::api_cases;

api_cases! {
    async fn a_window_is_a_part_of_the_list_with_its_version_and_count(api) {
        api.create_leaderboard("b", &json!({})).await;
        let submissions: Vec<Value> = (0..20).map(|n| json!({"player": format!("p{n:03}"), "score": 1000 - n})).collect();
        api.submit_all("b", &submissions).await;
        let page = api.page("b", "?limit=20").await;
        let list = ListedEntry::parse_all(&page["entries"]);
        // Without a limit, a window has eleven entries.
        for (query, window) in [("", 5..16), ("?limit=3", 9..12)] {
            let answer = api.get(&format!("/leaderboards/b/entries/p010/around{query}")).await.expect_status(200);
            assert_eq!(ListedEntry::parse_all(&answer["entries"]), list[window]);
            for field in ["leaderboard", "period", "version", "count"] {
                assert_eq!(answer[field], page[field], "{field}");
            }
        }
        api.get("/leaderboards/b/entries/nobody/around").await.expect_problem(404, "entry-not-found");
        api.get("/leaderboards/none/entries/p010/around").await.expect_problem(404, "leaderboard-not-found");
    }
}
