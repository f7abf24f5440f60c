//! Tests of removed entries and of banned players.

use leaderboard_test_support::{ApiClient, encode_segment};
use serde_json::{Value, json};

use crate::cases::api_cases;

/// Creates a leaderboard with the players `a`, `b` and `c`, from the top.
async fn create_three_entries(api: &ApiClient, board: &str) {
    api.create_leaderboard(board, &json!({"operator": "increment"}))
        .await;
    for (player, score) in [("a", 30), ("b", 20), ("c", 10)] {
        api.submit_score(board, player, score).await;
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
    async fn a_removed_entry_is_gone_and_the_others_move_up(api) {
        create_three_entries(api, "x").await;
        let before = api.page("x", "").await["version"].as_u64().unwrap();
        assert_eq!(api.delete("/leaderboards/x/scores/a").await.expect_status(204), Value::Null);
        let page = api.page("x", "").await;
        assert_eq!((page["count"].as_u64(), page["version"].as_u64()), (Some(2), Some(before + 1)));
        assert_eq!(api.list_ranks("x").await, expected_ranks(&["b", "c"]));
        api.read_entry("x", "a").await.expect_problem(404, "entry-not-found");
        api.delete("/leaderboards/x/scores/a").await.expect_problem(404, "entry-not-found");
        api.delete("/leaderboards/none/scores/a").await.expect_problem(404, "leaderboard-not-found");
        // The next score creates a new entry.
        let outcome = api.submit_score("x", "a", 1).await;
        assert_eq!((&outcome["status"], &outcome["values"]["score"], &outcome["rank"]), (&json!("created"), &json!(1), &json!(3)));
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

    async fn a_banned_player_has_no_rank_on_any_leaderboard(api) {
        create_three_entries(api, "x").await;
        create_three_entries(api, "y").await;
        api.request("PUT", "/players/b/ban").send().await.expect_status(204);
        for board in ["x", "y"] {
            assert_eq!(api.list_ranks(board).await, expected_ranks(&["a", "c"]));
            assert_eq!(api.page(board, "").await["count"], 2);
        }
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
        create_three_entries(api, "x").await;
        api.request("PUT", "/players/b/ban").send().await.expect_status(204);
        let entry = api.read_entry("x", "b").await.expect_status(200);
        assert_eq!((&entry["entry"]["rank"], &entry["count"]), (&json!(2), &json!(3)));
        let around = api.get("/leaderboards/x/entries/b/around?limit=3").await.expect_status(200);
        let players: Vec<_> = around["entries"].as_array().unwrap().iter().map(|entry| entry["player"].clone()).collect();
        assert_eq!(players, ["a", "b", "c"]);
    }

    async fn scores_of_a_banned_player_count_but_are_not_shown(api) {
        create_three_entries(api, "x").await;
        api.request("PUT", "/players/c/ban").send().await.expect_status(204);
        let outcome = api.submit_score("x", "c", 100).await;
        assert_eq!((&outcome["values"]["score"], &outcome["rank"]), (&json!(110), &json!(1)));
        assert_eq!(api.list_ranks("x").await, expected_ranks(&["a", "b"]));
        api.delete("/players/c/ban").await.expect_status(204);
        assert_eq!(api.list_ranks("x").await, expected_ranks(&["c", "a", "b"]));
    }

    async fn a_ban_and_its_end_apply_to_later_leaderboards(api) {
        api.request("PUT", "/players/b/ban").send().await.expect_status(204);
        create_three_entries(api, "x").await;
        assert_eq!(api.list_ranks("x").await, expected_ranks(&["a", "c"]));
        // A second ban and a second end of the ban change nothing.
        api.request("PUT", "/players/b/ban").send().await.expect_status(204);
        api.delete("/players/b/ban").await.expect_status(204);
        assert_eq!(api.list_ranks("x").await, expected_ranks(&["a", "b", "c"]));
        api.delete("/players/b/ban").await.expect_status(204);
        assert_eq!(api.list_ranks("x").await, expected_ranks(&["a", "b", "c"]));
    }

    async fn a_ban_applies_only_in_its_tenant_and_to_players_of_any_name(api) {
        let other = api.another_tenant();
        let name = "É / , % 😀";
        for tenant in [api, &other] {
            tenant.create_leaderboard("x", &json!({})).await;
            tenant.submit_score("x", name, 1).await;
        }
        api.request("PUT", &format!("/players/{}/ban", encode_segment(name))).send().await.expect_status(204);
        assert_eq!((api.list_entries("x").await.len(), other.list_entries("x").await.len()), (0, 1));
        api.delete(&format!("/players/{}/ban", encode_segment(name))).await.expect_status(204);
        assert_eq!(api.list_entries("x").await.len(), 1);
    }
}
