//! Tests of the pages of a list.

use leaderboard_core::ports::{PageFrom, ReadError};
use leaderboard_core::{Leaderboard, OrderKey, Ties};
use leaderboard_test_support::values::{Board, at, board, player, values, with_ties};
use leaderboard_test_support::{StoreBackend, StoreFixture, ranked_line, ranked_lines};

use crate::cases::on_both_stores;

/// Creates a leaderboard with the players `p0` to `p9`, whose scores are 90, 80, … 0.
async fn put_ten_players<B: StoreBackend>(fixture: &StoreFixture<B>) -> Board {
    let board = fixture.put(&board("l")).await;
    for n in 0..10 {
        fixture.submit_score(&board, &format!("p{n}"), 90 - 10 * n).await;
    }
    board
}

/// Returns the order key of an entry with these parts.
fn order_key(board: &Board, value: i64, reached_ms: i64, name: &str) -> OrderKey {
    board
        .value
        .layout()
        .key(&values(&[value]), at(reached_ms), &player(name))
}

fn player_names(page: &leaderboard_core::ports::Page) -> Vec<&str> {
    page.entries
        .iter()
        .map(|ranked| ranked.entry.player.as_str())
        .collect()
}

on_both_stores! {
    async fn an_empty_period_has_an_empty_page(fixture) {
        let board = fixture.put(&board("l")).await;
        for from in [PageFrom::Top, PageFrom::After(order_key(&board, 1, 0, "p")), PageFrom::Before(order_key(&board, 1, 0, "p"))] {
            let page = fixture.page(&board, &from, 10).await;
            assert_eq!((page.layout, page.version, page.count, page.entries), (None, 0, 0, Vec::new()));
            assert!(!page.more_before && !page.more_after);
        }
    }

    async fn the_first_page_starts_at_the_top_of_the_list(fixture) {
        let board = put_ten_players(&fixture).await;
        let page = fixture.page(&board, &PageFrom::Top, 3).await;
        assert_eq!(ranked_lines(&page.entries), [ranked_line(1, "p0", 90), ranked_line(2, "p1", 80), ranked_line(3, "p2", 70)]);
        assert_eq!((page.count, page.version, page.layout), (10, 11, Some(board.value.layout())));
        assert_eq!((page.more_before, page.more_after), (false, true));
        let all = fixture.page(&board, &PageFrom::Top, 1000).await;
        assert_eq!((all.entries.len(), all.more_before, all.more_after), (10, false, false));
        let exact = fixture.page(&board, &PageFrom::Top, 10).await;
        assert_eq!((exact.entries.len(), exact.more_after), (10, false));
    }

    async fn a_page_can_start_after_a_key_without_an_entry(fixture) {
        let board = put_ten_players(&fixture).await;
        let page = fixture.page(&board, &PageFrom::After(order_key(&board, 70, 2, "p2")), 2).await;
        assert_eq!(ranked_lines(&page.entries), [ranked_line(4, "p3", 60), ranked_line(5, "p4", 50)]);
        assert_eq!((page.more_before, page.more_after), (true, true));
        let between = fixture.page(&board, &PageFrom::After(order_key(&board, 65, 0, "zz")), 2).await;
        assert_eq!(player_names(&between), ["p3", "p4"]);
        let above_all = fixture.page(&board, &PageFrom::After(order_key(&board, 1000, 0, "zz")), 1).await;
        assert_eq!((player_names(&above_all), above_all.more_before), (vec!["p0"], false));
        let below_all = fixture.page(&board, &PageFrom::After(order_key(&board, -1, 0, "zz")), 5).await;
        assert_eq!((player_names(&below_all).len(), below_all.more_before, below_all.more_after), (0, true, false));
        let last = fixture.page(&board, &PageFrom::After(order_key(&board, 20, 7, "p7")), 2).await;
        assert_eq!((player_names(&last), last.more_after), (vec!["p8", "p9"], false));
    }

    async fn a_page_ends_before_a_key(fixture) {
        let board = put_ten_players(&fixture).await;
        let page = fixture.page(&board, &PageFrom::Before(order_key(&board, 50, 4, "p4")), 2).await;
        assert_eq!(ranked_lines(&page.entries), [ranked_line(3, "p2", 70), ranked_line(4, "p3", 60)]);
        assert_eq!((page.more_before, page.more_after), (true, true));
        let short = fixture.page(&board, &PageFrom::Before(order_key(&board, 70, 2, "p2")), 5).await;
        assert_eq!((player_names(&short), short.more_before, short.more_after), (vec!["p0", "p1"], false, true));
        let none = fixture.page(&board, &PageFrom::Before(order_key(&board, 1000, 0, "p")), 5).await;
        assert_eq!((player_names(&none).len(), none.more_before, none.more_after), (0, false, true));
        let all = fixture.page(&board, &PageFrom::Before(order_key(&board, -1, 0, "p")), 3).await;
        assert_eq!((player_names(&all), all.more_before, all.more_after), (vec!["p7", "p8", "p9"], true, false));
    }

    async fn ties_rank_by_policy(fixture) {
        for (name, ties, ranks) in [
            ("earliest", Ties::Earliest, [1, 2, 3, 4, 5]),
            ("latest", Ties::Latest, [1, 2, 3, 4, 5]),
            ("shared", Ties::Shared, [1, 2, 2, 2, 5]),
            ("dense", Ties::Dense, [1, 2, 2, 2, 3]),
        ] {
            let board = fixture.put(&with_ties(name, ties)).await;
            for (player, value) in [("d", 1), ("c", 5), ("b", 9), ("e", 5), ("a", 5)] {
                fixture.submit_score(&board, player, value).await;
            }
            let order = if ties == Ties::Latest { ["b", "a", "e", "c", "d"] } else { ["b", "c", "e", "a", "d"] };
            let page = fixture.page(&board, &PageFrom::Top, 10).await;
            assert_eq!(player_names(&page), order, "{name}");
            assert_eq!(page.entries.iter().map(|e| e.rank).collect::<Vec<_>>(), ranks, "{name}");
            let second = &page.entries[1].entry;
            let after = board.value.layout().key(&second.values, second.reached_at, &second.player);
            let rest = fixture.page(&board, &PageFrom::After(after), 10).await;
            assert_eq!(rest.entries.iter().map(|e| e.rank).collect::<Vec<_>>(), ranks[2..], "{name}");
        }
    }

    async fn equal_times_are_ordered_by_the_bytes_of_the_name(fixture) {
        let board = fixture.put(&board("l")).await;
        let prepared_submissions = ["é", "z", "e\u{301}", "Z", "日", "😀", " "].map(|name| {
            leaderboard_test_support::values::prepared(&leaderboard_test_support::values::submission(&[&board], name, &[1]), &[&board], at(0))
        });
        fixture.submit_prepared(&prepared_submissions).await;
        assert_eq!(player_names(&fixture.page(&board, &PageFrom::Top, 10).await), [" ", "Z", "e\u{301}", "z", "é", "日", "😀"]);
    }

    async fn a_page_with_a_stale_configuration_is_refused(fixture) {
        let old = put_ten_players(&fixture).await;
        fixture.put(&Leaderboard { title: "New".into(), ..board("l") }).await;
        let page = fixture.page_of(&old, &fixture.current_period(&old), &PageFrom::Top, 10).await;
        assert_eq!(page, Err(ReadError::StaleConfiguration));
    }
}
