//! Tests of equal scores: the order within a tie, and the ranks after a player left a tie.

use serde_json::json;

use crate::cases::api_cases;

/// Returns ranks and players in the form that `list_ranks` returns.
fn expected_ranks(list: &[(u64, &str)]) -> Vec<(u64, String)> {
    list.iter()
        .map(|(rank, player)| (*rank, (*player).to_owned()))
        .collect()
}

api_cases! {
    async fn equal_scores_of_one_instant_are_ordered_by_the_bytes_of_the_name(api) {
        for ties in ["earliest", "latest", "shared", "dense"] {
            api.create_leaderboard(ties, &json!({"ties": ties})).await;
            // Names are sorted by bytes, not by an alphabet: upper case comes before lower case, é after z,
            // and an emoji last.
            let names = ["B", "a", "aa", "b", "z", "é", "ﬁ", "😀"];
            for name in names.iter().rev() {
                let submission = json!({"player": name, "score": 1, "occurred_at": "2020-01-01T00:00:00Z"});
                api.submit(ties, &submission).await;
            }
            let list: Vec<_> = api.list_entries(ties).await.into_iter().map(|entry| entry.player).collect();
            assert_eq!(list, names, "{ties}");
        }
    }

    async fn a_player_who_leaves_a_tie_frees_the_rank(api) {
        api.create_leaderboard("b", &json!({"ties": "dense", "operator": "set"})).await;
        for (player, score, day) in [("a", 9, 1), ("b", 5, 2), ("c", 5, 3), ("d", 1, 4)] {
            let time = format!("2020-01-{day:02}T00:00:00Z");
            api.submit("b", &json!({"player": player, "score": score, "occurred_at": time})).await;
        }
        assert_eq!(api.list_ranks("b").await, expected_ranks(&[(1, "a"), (2, "b"), (2, "c"), (3, "d")]));
        api.submit_score("b", "b", 1).await;
        assert_eq!(api.list_ranks("b").await, expected_ranks(&[(1, "a"), (2, "c"), (3, "d"), (3, "b")]));
        api.delete("/leaderboards/b/scores/c").await.expect_status(204);
        assert_eq!(api.list_ranks("b").await, expected_ranks(&[(1, "a"), (2, "d"), (2, "b")]));
    }

    async fn an_equal_score_from_an_earlier_time_sets_the_earlier_time(api) {
        api.create_leaderboard("b", &json!({})).await;
        let score = async |player: &str, minute: u32| {
            let time = format!("2020-01-01T20:{minute:02}:00Z");
            api.submit("b", &json!({"player": player, "score": 5, "occurred_at": time})).await
        };
        score("ann", 10).await;
        score("bob", 20).await;
        assert_eq!(score("bob", 30).await["status"], "kept");
        let earlier = score("bob", 5).await;
        assert_eq!((&earlier["status"], &earlier["rank"]), (&json!("changed"), &json!(1)));
        assert_eq!(api.list_entries("b").await[0].reached_at, "2020-01-01T20:05:00.000Z");
    }
}
