//! The four ways in which equal scores rank.

use serde_json::json;

use crate::edgeboard::{Edgeboard, over_http};

/// Five players of whom three are equal, reached one after the other; the ranks and players told.
async fn told(edgeboard: &Edgeboard, ties: &str) -> Vec<(u64, String)> {
    edgeboard.board(ties, &json!({"ties": ties})).await;
    for (player, score, day) in [
        ("z", 5, 1),
        ("top", 9, 2),
        ("m", 5, 3),
        ("low", 1, 4),
        ("a", 5, 5),
    ] {
        let time = format!("2020-01-{day:02}T00:00:00Z");
        edgeboard
            .submit(
                ties,
                &json!({"player": player, "score": score, "occurred_at": time}),
            )
            .await;
    }
    let list = edgeboard.ranks(ties).await;
    // Every way to ask for a rank gives the same one.
    for (rank, player) in &list {
        assert_eq!(
            edgeboard.entry(ties, player).await.is(200)["entry"]["rank"],
            *rank,
            "{ties} {player}"
        );
        let around = edgeboard
            .get(&format!("/leaderboards/{ties}/entries/{player}/around?limit=1"))
            .await
            .is(200);
        assert_eq!(
            (&around["entries"][0]["player"], &around["entries"][0]["rank"]),
            (&json!(player), &json!(rank))
        );
        assert_eq!(
            edgeboard.score(ties, player, i64::MIN).await["rank"],
            *rank,
            "{ties} {player}"
        );
    }
    let mut page = edgeboard.page(ties, "?limit=1").await;
    for (rank, player) in &list {
        assert_eq!(
            (&page["entries"][0]["rank"], &page["entries"][0]["player"]),
            (&json!(rank), &json!(player))
        );
        if let Some(next) = page["next"].as_str() {
            page = edgeboard.page(ties, &format!("?limit=1&cursor={next}")).await;
        }
    }
    list
}

fn ranks(list: &[(u64, &str)]) -> Vec<(u64, String)> {
    list.iter()
        .map(|(rank, player)| (*rank, (*player).to_owned()))
        .collect()
}

over_http! {
    async fn earliest(edgeboard) {
        let expected = ranks(&[(1, "top"), (2, "z"), (3, "m"), (4, "a"), (5, "low")]);
        assert_eq!(told(edgeboard, "earliest").await, expected);
    }

    async fn latest(edgeboard) {
        let expected = ranks(&[(1, "top"), (2, "a"), (3, "m"), (4, "z"), (5, "low")]);
        assert_eq!(told(edgeboard, "latest").await, expected);
    }

    async fn shared_skips_ranks(edgeboard) {
        let expected = ranks(&[(1, "top"), (2, "z"), (2, "m"), (2, "a"), (5, "low")]);
        assert_eq!(told(edgeboard, "shared").await, expected);
    }

    async fn dense_skips_none(edgeboard) {
        let expected = ranks(&[(1, "top"), (2, "z"), (2, "m"), (2, "a"), (3, "low")]);
        assert_eq!(told(edgeboard, "dense").await, expected);
    }

    async fn at_the_same_instant_the_bytes_of_the_name_decide(edgeboard) {
        for ties in ["earliest", "latest", "shared", "dense"] {
            edgeboard.board(ties, &json!({"ties": ties})).await;
            // By bytes, not by any alphabet: upper case before lower, é after z, an astral character last.
            let names = ["B", "a", "aa", "b", "z", "é", "ﬁ", "😀"];
            for name in names.iter().rev() {
                let submission = json!({"player": name, "score": 1, "occurred_at": "2020-01-01T00:00:00Z"});
                edgeboard.submit(ties, &submission).await;
            }
            let list: Vec<_> = edgeboard.list(ties).await.into_iter().map(|one| one.player).collect();
            assert_eq!(list, names, "{ties}");
        }
    }

    async fn who_leaves_a_tie_closes_the_ranks(edgeboard) {
        edgeboard.board("b", &json!({"ties": "dense", "operator": "set"})).await;
        for (player, score, day) in [("a", 9, 1), ("b", 5, 2), ("c", 5, 3), ("d", 1, 4)] {
            let time = format!("2020-01-{day:02}T00:00:00Z");
            edgeboard.submit("b", &json!({"player": player, "score": score, "occurred_at": time})).await;
        }
        assert_eq!(edgeboard.ranks("b").await, ranks(&[(1, "a"), (2, "b"), (2, "c"), (3, "d")]));
        edgeboard.score("b", "b", 1).await;
        assert_eq!(edgeboard.ranks("b").await, ranks(&[(1, "a"), (2, "c"), (3, "d"), (3, "b")]));
        edgeboard.delete("/leaderboards/b/scores/c").await.is(204);
        assert_eq!(edgeboard.ranks("b").await, ranks(&[(1, "a"), (2, "d"), (2, "b")]));
    }
}
