//! The list, page by page, compared with an expectation that is computed here.

use serde_json::{Value, json};

use crate::edgeboard::{Edgeboard, Numbers, Order, Scored, Standing, Ties, over_http, standings};

const PLAYERS: u64 = 2500;

/// A crowd with many ties, in score and in time.
fn crowd(seed: u64) -> Vec<Scored> {
    let mut numbers = Numbers(seed);
    let player = |n: u64| Scored {
        player: format!("player {n} é"),
        score: i64::try_from(numbers.below(200)).unwrap() - 100,
        reached_at: format!(
            "2020-01-{:02}T00:00:00.{:03}Z",
            1 + numbers.below(28),
            numbers.below(3)
        ),
    };
    (0..PLAYERS).map(player).collect()
}

/// A leaderboard with a crowd on it, and how it should stand.
async fn crowded(edgeboard: &Edgeboard, order: Order, ties: Ties) -> Vec<Standing> {
    let word = |debug: &dyn std::fmt::Debug| format!("{debug:?}").to_lowercase();
    let columns = json!([{"name": "score", "order": word(&order)}]);
    edgeboard
        .board("b", &json!({"columns": columns, "ties": word(&ties)}))
        .await;
    let crowd = crowd(order as u64 * 4 + ties as u64);
    let submissions: Vec<_> = crowd
        .iter()
        .map(|one| json!({"player": one.player, "score": one.score, "occurred_at": one.reached_at}))
        .collect();
    edgeboard.submit_all("b", &submissions).await;
    standings(crowd, order, ties)
}

/// Follows `way` from a page on; pages come as they were met.
async fn walk(edgeboard: &Edgeboard, first: Value, way: &str, limit: usize) -> Vec<Value> {
    let mut pages = vec![first];
    while let Some(cursor) = pages[pages.len() - 1][way].as_str() {
        let page = edgeboard
            .page("b", &format!("?limit={limit}&cursor={cursor}"))
            .await;
        pages.push(page);
    }
    pages
}

/// The same list, whole, forward and backward, for a tie policy and a direction.
async fn forward_and_backward(edgeboard: &Edgeboard, order: Order, ties: Ties, limit: usize) {
    let expected = crowded(edgeboard, order, ties).await;
    let first = edgeboard.page("b", &format!("?limit={limit}")).await;
    assert_eq!(
        (&first["count"], &first["previous"]),
        (&json!(PLAYERS), &Value::Null)
    );
    let forward = walk(edgeboard, first, "next", limit).await;
    assert_eq!(forward.len(), expected.len().div_ceil(limit));
    for (page, expected) in forward.iter().zip(expected.chunks(limit)) {
        assert_eq!(Standing::all_of(&page["entries"]), expected);
        assert_eq!(
            (&page["drifted"], &page["version"]),
            (&json!(false), &forward[0]["version"])
        );
    }
    let last = forward[forward.len() - 1].clone();
    let backward = walk(edgeboard, last, "previous", limit).await;
    assert_eq!(backward.len(), forward.len());
    for (page, same) in backward.iter().rev().zip(&forward) {
        assert_eq!(page["entries"], same["entries"]);
    }
    assert_eq!(backward[backward.len() - 1]["previous"], Value::Null);
}

over_http! {
    async fn every_page_forward_and_backward_earliest(edgeboard) {
        forward_and_backward(edgeboard, Order::Desc, Ties::Earliest, 170).await;
    }

    async fn every_page_forward_and_backward_latest_ascending(edgeboard) {
        forward_and_backward(edgeboard, Order::Asc, Ties::Latest, 1000).await;
    }

    async fn every_page_forward_and_backward_shared(edgeboard) {
        forward_and_backward(edgeboard, Order::Desc, Ties::Shared, 250).await;
    }

    async fn every_page_forward_and_backward_dense_ascending(edgeboard) {
        forward_and_backward(edgeboard, Order::Asc, Ties::Dense, 333).await;
    }

    async fn a_page_has_ten_entries_unless_asked_otherwise(edgeboard) {
        let expected = crowded(edgeboard, Order::Desc, Ties::Earliest).await;
        assert_eq!(Standing::all_of(&edgeboard.page("b", "").await["entries"]), expected[..10]);
        assert_eq!(Standing::all_of(&edgeboard.page("b", "?limit=1").await["entries"]), expected[..1]);
        assert_eq!(Standing::all_of(&edgeboard.page("b", "?limit=1000").await["entries"]), expected[..1000]);
    }

    async fn many_players_at_once_and_each_alone_stand_where_the_list_says(edgeboard) {
        let expected = crowded(edgeboard, Order::Desc, Ties::Shared).await;
        let asked: Vec<&Standing> = expected.iter().step_by(13).take(190).collect();
        let mut names: Vec<_> = asked.iter().rev().map(|one| crate::edgeboard::segment(&one.player)).collect();
        names.insert(7, "nobody".to_owned());
        names.push("no%20one".to_owned());
        let answer = edgeboard.page("b", &format!("?players={}", names.join(","))).await;
        // In order of rank, whatever the order of the question.
        assert_eq!(Standing::all_of(&answer["entries"]).iter().collect::<Vec<_>>(), asked);
        assert_eq!((&answer["not_found"], &answer["count"]), (&json!(["nobody", "no one"]), &json!(PLAYERS)));
        for one in asked.iter().step_by(19) {
            let alone = edgeboard.entry("b", &one.player).await.is(200);
            assert_eq!(Standing::of(&alone["entry"]), **one);
            assert_eq!((&alone["leaderboard"], &alone["count"]), (&json!("b"), &json!(PLAYERS)));
        }
    }

    async fn a_list_in_motion_neither_repeats_nor_loses_those_who_stay(edgeboard) {
        let expected = crowded(edgeboard, Order::Desc, Ties::Earliest).await;
        let mut page = edgeboard.page("b", "?limit=100").await;
        let mut seen: Vec<Standing> = Standing::all_of(&page["entries"]);
        let mut turn = 0;
        while let Some(cursor) = page["next"].as_str().map(ToOwned::to_owned) {
            // Someone appears at the top, and the last one of this page goes away.
            turn += 1;
            edgeboard.score("b", &format!("new {turn}"), 1000).await;
            let last = crate::edgeboard::segment(&seen[seen.len() - 1].player);
            edgeboard.delete(&format!("/leaderboards/b/scores/{last}")).await.is(204);
            page = edgeboard.page("b", &format!("?limit=100&cursor={cursor}")).await;
            assert_eq!(page["drifted"], true);
            seen.extend(Standing::all_of(&page["entries"]));
        }
        let players = |list: &[Standing]| list.iter().map(|one| one.player.clone()).collect::<Vec<_>>();
        assert_eq!(players(&seen), players(&expected));
    }

    async fn drifted_tells_of_changes_that_can_be_seen_alone(edgeboard) {
        edgeboard.board("b", &json!({"operator": "best"})).await;
        for n in 0..5 {
            edgeboard.score("b", &format!("p{n}"), n).await;
        }
        let first = edgeboard.page("b", "?limit=2").await;
        let next = format!("?limit=2&cursor={}", first["next"].as_str().unwrap());
        assert_eq!(edgeboard.page("b", &next).await["drifted"], false);
        // An attempt that keeps the entry changes nothing that a reader could see.
        assert_eq!(edgeboard.score("b", "p4", 1).await["status"], "kept");
        assert_eq!(edgeboard.page("b", &next).await["drifted"], false);
        edgeboard.score("b", "p0", 2).await;
        let page = edgeboard.page("b", &next).await;
        assert_eq!(page["drifted"], true);
        // The list goes on from where it started: drifted stays told.
        let further = edgeboard.page("b", &format!("?limit=2&cursor={}", page["next"].as_str().unwrap())).await;
        assert_eq!(further["drifted"], true);
    }

    async fn a_cursor_holds_its_place_when_its_entry_is_gone(edgeboard) {
        edgeboard.board("b", &json!({})).await;
        for n in 0..6 {
            edgeboard.score("b", &format!("p{n}"), 100 - n).await;
        }
        let first = edgeboard.page("b", "?limit=3").await;
        edgeboard.delete("/leaderboards/b/scores/p2").await.is(204);
        let second = edgeboard.page("b", &format!("?limit=3&cursor={}", first["next"].as_str().unwrap())).await;
        let told: Vec<_> = Standing::all_of(&second["entries"]).into_iter().map(|one| (one.rank, one.player)).collect();
        assert_eq!(told, [(3, "p3".to_owned()), (4, "p4".to_owned()), (5, "p5".to_owned())]);
        let back = edgeboard.page("b", &format!("?limit=9&cursor={}", second["previous"].as_str().unwrap())).await;
        let told: Vec<_> = Standing::all_of(&back["entries"]).into_iter().map(|one| (one.rank, one.player)).collect();
        assert_eq!(told, [(1, "p0".to_owned()), (2, "p1".to_owned())]);
    }

    async fn an_empty_list_is_an_empty_list(edgeboard) {
        edgeboard.board("b", &json!({})).await;
        assert_eq!(edgeboard.page("b", "").await, json!({
            "leaderboard": "b", "period": {"id": "all", "starts_at": null, "ends_at": null}, "version": 0, "count": 0,
            "entries": [], "next": null, "previous": null, "drifted": false,
        }));
        edgeboard.entry("b", "p").await.problem(404, "entry-not-found");
        edgeboard.get("/leaderboards/b/entries/p/around").await.problem(404, "entry-not-found");
    }
}
