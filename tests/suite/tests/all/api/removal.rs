//! Tests of removed entries and of banned players.

use leaderboard_test_support::ApiClient;
use serde_json::{Value, json};

use crate::cases::api_cases;

/// Creates the leaderboard `x` with the players `a`, `b` and `c`, from the top.
async fn create_three_entries(api: &ApiClient) {
    api.create_leaderboard("x", &json!({})).await;
    for (player, score) in [("a", 30), ("b", 20), ("c", 10)] {
        api.submit_score("x", player, score).await;
    }
}

/// Returns these players with the ranks 1, 2, 3, ….
fn expected_ranks(players: &[&str]) -> Vec<(u64, String)> {
    (1..)
        .zip(players)
        .map(|(rank, player)| (rank, (*player).to_owned()))
        .collect()
}

api_cases! {
    async fn a_removed_entry_is_gone(api) {
        create_three_entries(api).await;
        assert_eq!(api.delete("/leaderboards/x/scores/a").await.expect_status(204), Value::Null);
        assert_eq!(api.list_ranks("x").await, expected_ranks(&["b", "c"]));
        api.read_entry("x", "a").await.expect_problem(404, "entry-not-found");
        api.delete("/leaderboards/x/scores/a").await.expect_problem(404, "entry-not-found");
        api.delete("/leaderboards/none/scores/a").await.expect_problem(404, "leaderboard-not-found");
    }

    async fn a_removal_may_name_a_period(api) {
        let reset = json!({"cron": "0 0 1 1 *", "time_zone": "UTC"});
        api.create_leaderboard("x", &json!({"reset": reset, "keep_periods": 1000})).await;
        api.submit("x", &json!({"player": "p", "score": 1, "occurred_at": "2001-05-05T00:00:00Z"})).await;
        api.delete("/leaderboards/x/scores/p").await.expect_problem(404, "entry-not-found");
        api.delete("/leaderboards/x/scores/p?period=2001-01-01T00:00:00Z").await.expect_status(204);
        assert_eq!(api.get("/leaderboards/x/periods").await.expect_status(200)["periods"].as_array().map_or(0, |all| {
            all.iter().filter(|period| period["count"] != 0).count()
        }), 0);
    }

    async fn a_banned_player_has_no_rank(api) {
        create_three_entries(api).await;
        api.request("PUT", "/players/b/ban").send().await.expect_status(204);
        assert_eq!(api.list_ranks("x").await, expected_ranks(&["a", "c"]));
        let by_player = api.request("GET", "/leaderboards/x/entries?players=a,b,c").without_header("x-api-key").send().await.expect_status(200);
        assert_eq!(by_player["not_found"], json!(["b"]));
        let anonymous = async |path: &str| api.request("GET", path).without_header("x-api-key").send().await;
        anonymous("/leaderboards/x/entries/b").await.expect_problem(404, "entry-not-found");
        anonymous("/leaderboards/x/entries/b/around").await.expect_problem(404, "entry-not-found");
        let around = anonymous("/leaderboards/x/entries/c/around").await.expect_status(200);
        assert_eq!((&around["entries"][1]["player"], &around["entries"][1]["rank"]), (&json!("c"), &json!(2)));
        let distribution = anonymous("/leaderboards/x/distribution?score=15").await.expect_status(200);
        assert_eq!((&distribution["count"], &distribution["score"]["rank"]), (&json!(2), &json!(2)));
    }

    async fn the_operator_sees_a_banned_player_at_the_rank_without_the_ban(api) {
        create_three_entries(api).await;
        api.request("PUT", "/players/b/ban").send().await.expect_status(204);
        let entry = api.read_entry("x", "b").await.expect_status(200);
        assert_eq!((&entry["entry"]["rank"], &entry["count"]), (&json!(2), &json!(3)));
        let around = api.get("/leaderboards/x/entries/b/around?limit=3").await.expect_status(200);
        let players: Vec<_> = around["entries"].as_array().unwrap().iter().map(|entry| entry["player"].clone()).collect();
        assert_eq!(players, ["a", "b", "c"]);
    }
}
