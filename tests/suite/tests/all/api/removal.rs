//! Entries that go, and players who are hidden.

use serde_json::{Value, json};

use crate::edgeboard::{Edgeboard, over_http, segment};

async fn three(edgeboard: &Edgeboard, board: &str) {
    edgeboard.board(board, &json!({"operator": "increment"})).await;
    for (player, score) in [("a", 30), ("b", 20), ("c", 10)] {
        edgeboard.score(board, player, score).await;
    }
}

fn ranked(players: &[&str]) -> Vec<(u64, String)> {
    (1..)
        .zip(players)
        .map(|(rank, player)| (rank, (*player).to_owned()))
        .collect()
}

over_http! {
    async fn a_removed_entry_is_gone_and_the_others_move_up(edgeboard) {
        three(edgeboard, "x").await;
        let before = edgeboard.page("x", "").await["version"].as_u64().unwrap();
        assert_eq!(edgeboard.delete("/leaderboards/x/scores/a").await.is(204), Value::Null);
        let page = edgeboard.page("x", "").await;
        assert_eq!((page["count"].as_u64(), page["version"].as_u64()), (Some(2), Some(before + 1)));
        assert_eq!(edgeboard.ranks("x").await, ranked(&["b", "c"]));
        edgeboard.entry("x", "a").await.problem(404, "entry-not-found");
        edgeboard.delete("/leaderboards/x/scores/a").await.problem(404, "entry-not-found");
        edgeboard.delete("/leaderboards/none/scores/a").await.problem(404, "leaderboard-not-found");
        // The player begins anew.
        let outcome = edgeboard.score("x", "a", 1).await;
        assert_eq!((&outcome["status"], &outcome["values"]["score"], &outcome["rank"]), (&json!("created"), &json!(1), &json!(3)));
    }

    async fn removal_takes_a_period(edgeboard) {
        let reset = json!({"cron": "0 0 1 1 *", "time_zone": "UTC"});
        edgeboard.board("x", &json!({"reset": reset, "keep_periods": 1000})).await;
        edgeboard.submit("x", &json!({"player": "p", "score": 1, "occurred_at": "2001-05-05T00:00:00Z"})).await;
        edgeboard.delete("/leaderboards/x/scores/p").await.problem(404, "entry-not-found");
        edgeboard.delete("/leaderboards/x/scores/p?period=2001-01-01T00:00:00Z").await.is(204);
        assert_eq!(edgeboard.get("/leaderboards/x/periods").await.is(200)["periods"].as_array().map_or(0, |all| {
            all.iter().filter(|period| period["count"] != 0).count()
        }), 0);
    }

    async fn a_banned_player_takes_no_rank_anywhere(edgeboard) {
        three(edgeboard, "x").await;
        three(edgeboard, "y").await;
        edgeboard.call("PUT", "/players/b/ban").send().await.is(204);
        for board in ["x", "y"] {
            assert_eq!(edgeboard.ranks(board).await, ranked(&["a", "c"]));
            assert_eq!(edgeboard.page(board, "").await["count"], 2);
        }
        let asked = edgeboard.call("GET", "/leaderboards/x/entries?players=a,b,c").without("x-api-key").send().await.is(200);
        assert_eq!(asked["not_found"], json!(["b"]));
        let anonymous = async |path: &str| edgeboard.call("GET", path).without("x-api-key").send().await;
        anonymous("/leaderboards/x/entries/b").await.problem(404, "entry-not-found");
        anonymous("/leaderboards/x/entries/b/around").await.problem(404, "entry-not-found");
        let around = anonymous("/leaderboards/x/entries/c/around").await.is(200);
        assert_eq!((&around["entries"][1]["player"], &around["entries"][1]["rank"]), (&json!("c"), &json!(2)));
        let spread = anonymous("/leaderboards/x/distribution?score=15").await.is(200);
        assert_eq!((&spread["count"], &spread["score"]["rank"]), (&json!(2), &json!(2)));
    }

    async fn the_operator_still_sees_a_banned_player_where_they_would_stand(edgeboard) {
        three(edgeboard, "x").await;
        edgeboard.call("PUT", "/players/b/ban").send().await.is(204);
        let entry = edgeboard.entry("x", "b").await.is(200);
        assert_eq!((&entry["entry"]["rank"], &entry["count"]), (&json!(2), &json!(3)));
        let around = edgeboard.get("/leaderboards/x/entries/b/around?limit=3").await.is(200);
        let players: Vec<_> = around["entries"].as_array().unwrap().iter().map(|entry| entry["player"].clone()).collect();
        assert_eq!(players, ["a", "b", "c"]);
    }

    async fn scores_of_a_banned_player_count_on_in_silence(edgeboard) {
        three(edgeboard, "x").await;
        edgeboard.call("PUT", "/players/c/ban").send().await.is(204);
        let outcome = edgeboard.score("x", "c", 100).await;
        assert_eq!((&outcome["values"]["score"], &outcome["rank"]), (&json!(110), &json!(1)));
        assert_eq!(edgeboard.ranks("x").await, ranked(&["a", "b"]));
        edgeboard.delete("/players/c/ban").await.is(204);
        assert_eq!(edgeboard.ranks("x").await, ranked(&["c", "a", "b"]));
    }

    async fn a_ban_holds_for_leaderboards_to_come_and_is_lifted_from_them(edgeboard) {
        edgeboard.call("PUT", "/players/b/ban").send().await.is(204);
        three(edgeboard, "x").await;
        assert_eq!(edgeboard.ranks("x").await, ranked(&["a", "c"]));
        // Twice is once.
        edgeboard.call("PUT", "/players/b/ban").send().await.is(204);
        edgeboard.delete("/players/b/ban").await.is(204);
        assert_eq!(edgeboard.ranks("x").await, ranked(&["a", "b", "c"]));
        edgeboard.delete("/players/b/ban").await.is(204);
        assert_eq!(edgeboard.ranks("x").await, ranked(&["a", "b", "c"]));
    }

    async fn a_ban_stays_within_its_tenant_and_takes_any_name(edgeboard) {
        let other = Edgeboard::new(&edgeboard.url);
        let name = "É / , % 😀";
        for tenant in [edgeboard, &other] {
            tenant.board("x", &json!({})).await;
            tenant.score("x", name, 1).await;
        }
        edgeboard.call("PUT", &format!("/players/{}/ban", segment(name))).send().await.is(204);
        assert_eq!((edgeboard.list("x").await.len(), other.list("x").await.len()), (0, 1));
        edgeboard.delete(&format!("/players/{}/ban", segment(name))).await.is(204);
        assert_eq!(edgeboard.list("x").await.len(), 1);
    }
}
