//! The list, page by page, compared with an expectation that is computed here.

use leaderboard_test_support::{
    ApiClient, ExpectedTies, ListedEntry, PseudoRandom, ScoreOrder, ScoredPlayer, ranked_entries,
};
use serde_json::{Value, json};

use crate::cases::api_cases;

const PLAYERS: u64 = 2500;

/// A crowd with many ties, in score and in time.
fn crowd(seed: u64) -> Vec<ScoredPlayer> {
    let mut numbers = PseudoRandom(seed);
    let player = |n: u64| ScoredPlayer {
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
async fn crowded(api: &ApiClient, order: ScoreOrder, ties: ExpectedTies) -> Vec<ListedEntry> {
    let word = |debug: &dyn std::fmt::Debug| format!("{debug:?}").to_lowercase();
    let columns = json!([{"name": "score", "order": word(&order)}]);
    api.create_leaderboard("b", &json!({"columns": columns, "ties": word(&ties)}))
        .await;
    let crowd = crowd(order as u64 * 4 + ties as u64);
    let submissions: Vec<_> = crowd
        .iter()
        .map(|one| json!({"player": one.player, "score": one.score, "occurred_at": one.reached_at}))
        .collect();
    api.submit_all("b", &submissions).await;
    ranked_entries(crowd, order, ties)
}

/// Follows `way` from a page on; pages come as they were met.
async fn walk(api: &ApiClient, first: Value, way: &str, limit: usize) -> Vec<Value> {
    let mut pages = vec![first];
    while let Some(cursor) = pages[pages.len() - 1][way].as_str() {
        let page = api.page("b", &format!("?limit={limit}&cursor={cursor}")).await;
        pages.push(page);
    }
    pages
}

/// The same list, whole, forward and backward, for a tie policy and a direction.
async fn forward_and_backward(api: &ApiClient, order: ScoreOrder, ties: ExpectedTies, limit: usize) {
    let expected = crowded(api, order, ties).await;
    let first = api.page("b", &format!("?limit={limit}")).await;
    assert_eq!(
        (&first["count"], &first["previous"]),
        (&json!(PLAYERS), &Value::Null)
    );
    let forward = walk(api, first, "next", limit).await;
    assert_eq!(forward.len(), expected.len().div_ceil(limit));
    for (page, expected) in forward.iter().zip(expected.chunks(limit)) {
        assert_eq!(ListedEntry::parse_all(&page["entries"]), expected);
        assert_eq!(
            (&page["drifted"], &page["version"]),
            (&json!(false), &forward[0]["version"])
        );
    }
    let last = forward[forward.len() - 1].clone();
    let backward = walk(api, last, "previous", limit).await;
    assert_eq!(backward.len(), forward.len());
    for (page, same) in backward.iter().rev().zip(&forward) {
        assert_eq!(page["entries"], same["entries"]);
    }
    assert_eq!(backward[backward.len() - 1]["previous"], Value::Null);
}

api_cases! {
    async fn every_page_forward_and_backward_earliest(api) {
        forward_and_backward(api, ScoreOrder::Desc, ExpectedTies::Earliest, 170).await;
    }

    async fn every_page_forward_and_backward_latest_ascending(api) {
        forward_and_backward(api, ScoreOrder::Asc, ExpectedTies::Latest, 1000).await;
    }

    async fn every_page_forward_and_backward_shared(api) {
        forward_and_backward(api, ScoreOrder::Desc, ExpectedTies::Shared, 250).await;
    }

    async fn every_page_forward_and_backward_dense_ascending(api) {
        forward_and_backward(api, ScoreOrder::Asc, ExpectedTies::Dense, 333).await;
    }

    async fn a_page_has_ten_entries_by_default(api) {
        let expected = crowded(api, ScoreOrder::Desc, ExpectedTies::Earliest).await;
        assert_eq!(ListedEntry::parse_all(&api.page("b", "").await["entries"]), expected[..10]);
        assert_eq!(ListedEntry::parse_all(&api.page("b", "?limit=1").await["entries"]), expected[..1]);
        assert_eq!(ListedEntry::parse_all(&api.page("b", "?limit=1000").await["entries"]), expected[..1000]);
    }

    async fn entries_by_player_have_the_ranks_of_the_list(api) {
        let expected = crowded(api, ScoreOrder::Desc, ExpectedTies::Shared).await;
        let asked: Vec<&ListedEntry> = expected.iter().step_by(13).take(190).collect();
        let mut names: Vec<_> = asked.iter().rev().map(|one| leaderboard_test_support::encode_segment(&one.player)).collect();
        names.insert(7, "nobody".to_owned());
        names.push("no%20one".to_owned());
        let answer = api.page("b", &format!("?players={}", names.join(","))).await;
        // In order of rank, whatever the order of the question.
        assert_eq!(ListedEntry::parse_all(&answer["entries"]).iter().collect::<Vec<_>>(), asked);
        assert_eq!((&answer["not_found"], &answer["count"]), (&json!(["nobody", "no one"]), &json!(PLAYERS)));
        for one in asked.iter().step_by(19) {
            let alone = api.read_entry("b", &one.player).await.expect_status(200);
            assert_eq!(ListedEntry::parse(&alone["entry"]), **one);
            assert_eq!((&alone["leaderboard"], &alone["count"]), (&json!("b"), &json!(PLAYERS)));
        }
    }

    async fn a_list_in_motion_neither_repeats_nor_loses_those_who_stay(api) {
        let expected = crowded(api, ScoreOrder::Desc, ExpectedTies::Earliest).await;
        let mut page = api.page("b", "?limit=100").await;
        let mut seen: Vec<ListedEntry> = ListedEntry::parse_all(&page["entries"]);
        let mut turn = 0;
        while let Some(cursor) = page["next"].as_str().map(ToOwned::to_owned) {
            // Someone appears at the top, and the last one of this page goes away.
            turn += 1;
            api.submit_score("b", &format!("new {turn}"), 1000).await;
            let last = leaderboard_test_support::encode_segment(&seen[seen.len() - 1].player);
            api.delete(&format!("/leaderboards/b/scores/{last}")).await.expect_status(204);
            page = api.page("b", &format!("?limit=100&cursor={cursor}")).await;
            assert_eq!(page["drifted"], true);
            seen.extend(ListedEntry::parse_all(&page["entries"]));
        }
        let players = |list: &[ListedEntry]| list.iter().map(|one| one.player.clone()).collect::<Vec<_>>();
        assert_eq!(players(&seen), players(&expected));
    }

    async fn drifted_counts_visible_changes_only(api) {
        api.create_leaderboard("b", &json!({"operator": "best"})).await;
        for n in 0..5 {
            api.submit_score("b", &format!("p{n}"), n).await;
        }
        let first = api.page("b", "?limit=2").await;
        let next = format!("?limit=2&cursor={}", first["next"].as_str().unwrap());
        assert_eq!(api.page("b", &next).await["drifted"], false);
        // An attempt that keeps the entry changes nothing that a reader could see.
        assert_eq!(api.submit_score("b", "p4", 1).await["status"], "kept");
        assert_eq!(api.page("b", &next).await["drifted"], false);
        api.submit_score("b", "p0", 2).await;
        let page = api.page("b", &next).await;
        assert_eq!(page["drifted"], true);
        // Later pages of the list still report the drift.
        let further = api.page("b", &format!("?limit=2&cursor={}", page["next"].as_str().unwrap())).await;
        assert_eq!(further["drifted"], true);
    }

    async fn a_cursor_works_after_its_entry_is_removed(api) {
        api.create_leaderboard("b", &json!({})).await;
        for n in 0..6 {
            api.submit_score("b", &format!("p{n}"), 100 - n).await;
        }
        let first = api.page("b", "?limit=3").await;
        api.delete("/leaderboards/b/scores/p2").await.expect_status(204);
        let second = api.page("b", &format!("?limit=3&cursor={}", first["next"].as_str().unwrap())).await;
        let actual: Vec<_> = ListedEntry::parse_all(&second["entries"]).into_iter().map(|one| (one.rank, one.player)).collect();
        assert_eq!(actual, [(3, "p3".to_owned()), (4, "p4".to_owned()), (5, "p5".to_owned())]);
        let back = api.page("b", &format!("?limit=9&cursor={}", second["previous"].as_str().unwrap())).await;
        let actual: Vec<_> = ListedEntry::parse_all(&back["entries"]).into_iter().map(|one| (one.rank, one.player)).collect();
        assert_eq!(actual, [(1, "p0".to_owned()), (2, "p1".to_owned())]);
    }

    async fn an_empty_list_is_an_empty_list(api) {
        api.create_leaderboard("b", &json!({})).await;
        assert_eq!(api.page("b", "").await, json!({
            "leaderboard": "b", "period": {"id": "all", "starts_at": null, "ends_at": null}, "version": 0, "count": 0,
            "entries": [], "next": null, "previous": null, "drifted": false,
        }));
        api.read_entry("b", "p").await.expect_problem(404, "entry-not-found");
        api.get("/leaderboards/b/entries/p/around").await.expect_problem(404, "entry-not-found");
    }
}
