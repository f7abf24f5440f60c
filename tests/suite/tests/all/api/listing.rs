//! Tests of the list of entries, page by page, compared with a list that is computed here.

use leaderboard_test_support::{
    ApiClient, ExpectedTies, ListedEntry, PseudoRandom, ScoreOrder, ScoredPlayer, ranked_entries,
};
use serde_json::{Value, json};

use crate::cases::api_cases;

const PLAYERS: u64 = 2500;

/// Returns players with many equal scores and equal times.
fn random_players(seed: u64) -> Vec<ScoredPlayer> {
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

/// Creates the leaderboard `b` with random players. Returns the expected list of its entries.
async fn create_random_list(api: &ApiClient, order: ScoreOrder, ties: ExpectedTies) -> Vec<ListedEntry> {
    let lowercase = |debug: &dyn std::fmt::Debug| format!("{debug:?}").to_lowercase();
    let columns = json!([{"name": "score", "order": lowercase(&order)}]);
    api.create_leaderboard("b", &json!({"columns": columns, "ties": lowercase(&ties)}))
        .await;
    let players = random_players(order as u64 * 4 + ties as u64);
    let submissions: Vec<_> = players
        .iter()
        .map(|scored| json!({"player": scored.player, "score": scored.score, "occurred_at": scored.reached_at}))
        .collect();
    api.submit_all("b", &submissions).await;
    ranked_entries(players, order, ties)
}

/// Follows the cursors in the field `way` from a page on. Returns all pages in the order of their requests.
async fn follow_pages(api: &ApiClient, first: Value, way: &str, limit: usize) -> Vec<Value> {
    let mut pages = vec![first];
    while let Some(cursor) = pages[pages.len() - 1][way].as_str() {
        let page = api.page("b", &format!("?limit={limit}&cursor={cursor}")).await;
        pages.push(page);
    }
    pages
}

api_cases! {
    async fn pages_are_right_in_both_directions(api) {
        let limit = 333;
        let expected = create_random_list(api, ScoreOrder::Asc, ExpectedTies::Dense).await;
        let first = api.page("b", &format!("?limit={limit}")).await;
        assert_eq!((&first["count"], &first["previous"]), (&json!(PLAYERS), &Value::Null));
        let forward = follow_pages(api, first, "next", limit).await;
        assert_eq!(forward.len(), expected.len().div_ceil(limit));
        for (page, expected) in forward.iter().zip(expected.chunks(limit)) {
            assert_eq!(ListedEntry::parse_all(&page["entries"]), expected);
            assert_eq!((&page["drifted"], &page["version"]), (&json!(false), &forward[0]["version"]));
        }
        let last = forward[forward.len() - 1].clone();
        let backward = follow_pages(api, last, "previous", limit).await;
        assert_eq!(backward.len(), forward.len());
        for (page, same) in backward.iter().rev().zip(&forward) {
            assert_eq!(page["entries"], same["entries"]);
        }
    }

    async fn a_page_has_ten_entries_by_default(api) {
        let expected = create_random_list(api, ScoreOrder::Desc, ExpectedTies::Earliest).await;
        assert_eq!(ListedEntry::parse_all(&api.page("b", "").await["entries"]), expected[..10]);
        assert_eq!(ListedEntry::parse_all(&api.page("b", "?limit=1").await["entries"]), expected[..1]);
        assert_eq!(ListedEntry::parse_all(&api.page("b", "?limit=1000").await["entries"]), expected[..1000]);
    }

    async fn entries_by_player_have_the_ranks_of_the_list(api) {
        let expected = create_random_list(api, ScoreOrder::Desc, ExpectedTies::Shared).await;
        let requested: Vec<&ListedEntry> = expected.iter().step_by(13).take(190).collect();
        let mut names: Vec<_> = requested.iter().rev().map(|entry| leaderboard_test_support::encode_segment(&entry.player)).collect();
        names.insert(7, "nobody".to_owned());
        names.push("no%20one".to_owned());
        let answer = api.page("b", &format!("?players={}", names.join(","))).await;
        // The entries are in the order of ranks, not in the order of the request.
        assert_eq!(ListedEntry::parse_all(&answer["entries"]).iter().collect::<Vec<_>>(), requested);
        assert_eq!((&answer["not_found"], &answer["count"]), (&json!(["nobody", "no one"]), &json!(PLAYERS)));
        for entry in requested.iter().step_by(19) {
            let alone = api.read_entry("b", &entry.player).await.expect_status(200);
            assert_eq!(ListedEntry::parse(&alone["entry"]), **entry);
            assert_eq!((&alone["leaderboard"], &alone["count"]), (&json!("b"), &json!(PLAYERS)));
        }
    }

    async fn pages_of_a_changing_list_show_each_player_exactly_once(api) {
        let expected = create_random_list(api, ScoreOrder::Desc, ExpectedTies::Earliest).await;
        let mut page = api.page("b", "?limit=100").await;
        let mut seen: Vec<ListedEntry> = ListedEntry::parse_all(&page["entries"]);
        let mut turn = 0;
        while let Some(cursor) = page["next"].as_str().map(ToOwned::to_owned) {
            // A new player appears at the top, and the last player of this page is removed.
            turn += 1;
            api.submit_score("b", &format!("new {turn}"), 1000).await;
            let last = leaderboard_test_support::encode_segment(&seen[seen.len() - 1].player);
            api.delete(&format!("/leaderboards/b/scores/{last}")).await.expect_status(204);
            page = api.page("b", &format!("?limit=100&cursor={cursor}")).await;
            assert_eq!(page["drifted"], true);
            seen.extend(ListedEntry::parse_all(&page["entries"]));
        }
        let players = |list: &[ListedEntry]| list.iter().map(|entry| entry.player.clone()).collect::<Vec<_>>();
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
        // A submission that keeps the entry changes nothing that a reader could see.
        assert_eq!(api.submit_score("b", "p4", 1).await["status"], "kept");
        assert_eq!(api.page("b", &next).await["drifted"], false);
        api.submit_score("b", "p0", 2).await;
        let page = api.page("b", &next).await;
        assert_eq!(page["drifted"], true);
        // Later pages of the list still report the drift.
        let further = api.page("b", &format!("?limit=2&cursor={}", page["next"].as_str().unwrap())).await;
        assert_eq!(further["drifted"], true);
    }

    async fn a_leaderboard_without_entries_has_an_empty_list(api) {
        api.create_leaderboard("b", &json!({})).await;
        assert_eq!(api.page("b", "").await, json!({
            "leaderboard": "b", "period": {"id": "all", "starts_at": null, "ends_at": null}, "version": 0, "count": 0,
            "entries": [], "next": null, "previous": null, "drifted": false,
        }));
        api.read_entry("b", "p").await.expect_problem(404, "entry-not-found");
        api.get("/leaderboards/b/entries/p/around").await.expect_problem(404, "entry-not-found");
    }
}
