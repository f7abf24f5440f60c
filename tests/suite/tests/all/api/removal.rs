//! Removed entries and banned players.

use leaderboard_test_support::{ApiClient, encode_segment};
use serde_json::{Value, json};

use crate::cases::api_cases;

async fn three(api: &ApiClient, board: &str) {
    api.create_leaderboard(board, &json!({"operator": "increment"}))
        .await;
    for (player, score) in [("a", 30), ("b", 20), ("c", 10)] {
        api.submit_score(board, player, score).await;
    }
}

fn ranked(players: &[&str]) -> Vec<(u64, String)> {
    (1..)
        .zip(players)
        .map(|(rank, player)| (rank, (*player).to_owned()))
        .collect()
}

api_cases! {
    async fn a_removed_entry_is_gone_and_the_others_move_up(api) {
        three(api, "x").await;
        let before = api.page("x", "").await["version"].as_u64().unwrap();
        assert_eq!(api.delete("/leaderboards/x/scores/a").await.expect_status(204), Value::Null);
        let page = api.page("x", "").await;
        assert_eq!((page["count"].as_u64(), page["version"].as_u64()), (Some(2), Some(before + 1)));
        assert_eq!(api.list_ranks("x").await, ranked(&["b", "c"]));
        api.read_entry("x", "a").await.expect_problem(404, "entry-not-found");
        api.delete("/leaderboards/x/scores/a").await.expect_problem(404, "entry-not-found");
        api.delete("/leaderboards/none/scores/a").await.expect_problem(404, "leaderboard-not-found");
        // The next score creates a new entry.
        let outcome = api.submit_score("x", "a", 1).await;
        assert_eq!((&outcome["status"], &outcome["values"]["score"], &outcome["rank"]), (&json!("created"), &json!(1), &json!(3)));
    }

    async fn removal_takes_a_period(api) {
        let reset = json!({"cron": "0 0 1 1 *", "time_zone": "UTC"});
        api.create_leaderboard("x", &json!({"reset": reset, "keep_periods": 1000})).await;
        api.submit("x", &json!({"player": "p", "score": 1, "occurred_at": "2001-05-05T00:00:00Z"})).await;
        api.delete("/leaderboards/x/scores/p").await.expect_problem(404, "entry-not-found");
        api.delete("/leaderboards/x/scores/p?period=2001-01-01T00:00:00Z").await.expect_status(204);
        assert_eq!(api.get("/leaderboards/x/periods").await.expect_status(200)["periods"].as_array().map_or(0, |all| {
            all.iter().filter(|period| period["count"] != 0).count()
        }), 0);
    }

    async fn a_banned_player_takes_no_rank_anywhere(api) {
        three(api, "x").await;
        three(api, "y").await;
        api.request("PUT", "/players/b/ban").send().await.expect_status(204);
        for board in ["x", "y"] {
            assert_eq!(api.list_ranks(board).await, ranked(&["a", "c"]));
            assert_eq!(api.page(board, "").await["count"], 2);
        }
        let asked = api.request("GET", "/leaderboards/x/entries?players=a,b,c").without_header("x-api-key").send().await.expect_status(200);
        assert_eq!(asked["not_found"], json!(["b"]));
        let anonymous = async |path: &str| api.request("GET", path).without_header("x-api-key").send().await;
        anonymous("/leaderboards/x/entries/b").await.expect_problem(404, "entry-not-found");
        anonymous("/leaderboards/x/entries/b/around").await.expect_problem(404, "entry-not-found");
        let around = anonymous("/leaderboards/x/entries/c/around").await.expect_status(200);
        assert_eq!((&around["entries"][1]["player"], &around["entries"][1]["rank"]), (&json!("c"), &json!(2)));
        let spread = anonymous("/leaderboards/x/distribution?score=15").await.expect_status(200);
        assert_eq!((&spread["count"], &spread["score"]["rank"]), (&json!(2), &json!(2)));
    }

    async fn the_operator_sees_a_banned_player_at_the_rank_without_the_ban(api) {
        three(api, "x").await;
        api.request("PUT", "/players/b/ban").send().await.expect_status(204);
        let entry = api.read_entry("x", "b").await.expect_status(200);
        assert_eq!((&entry["entry"]["rank"], &entry["count"]), (&json!(2), &json!(3)));
        let around = api.get("/leaderboards/x/entries/b/around?limit=3").await.expect_status(200);
        let players: Vec<_> = around["entries"].as_array().unwrap().iter().map(|entry| entry["player"].clone()).collect();
        assert_eq!(players, ["a", "b", "c"]);
    }

    async fn scores_of_a_banned_player_still_count_without_showing(api) {
        three(api, "x").await;
        api.request("PUT", "/players/c/ban").send().await.expect_status(204);
        let outcome = api.submit_score("x", "c", 100).await;
        assert_eq!((&outcome["values"]["score"], &outcome["rank"]), (&json!(110), &json!(1)));
        assert_eq!(api.list_ranks("x").await, ranked(&["a", "b"]));
        api.delete("/players/c/ban").await.expect_status(204);
        assert_eq!(api.list_ranks("x").await, ranked(&["c", "a", "b"]));
    }

    async fn a_ban_and_its_end_apply_to_later_leaderboards(api) {
        api.request("PUT", "/players/b/ban").send().await.expect_status(204);
        three(api, "x").await;
        assert_eq!(api.list_ranks("x").await, ranked(&["a", "c"]));
        // Twice is once.
        api.request("PUT", "/players/b/ban").send().await.expect_status(204);
        api.delete("/players/b/ban").await.expect_status(204);
        assert_eq!(api.list_ranks("x").await, ranked(&["a", "b", "c"]));
        api.delete("/players/b/ban").await.expect_status(204);
        assert_eq!(api.list_ranks("x").await, ranked(&["a", "b", "c"]));
    }

    async fn a_ban_stays_within_its_tenant_and_takes_any_name(api) {
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
