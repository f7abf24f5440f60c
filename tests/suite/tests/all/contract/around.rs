//! Tests of windows around a player, and of the entries of given players.

use leaderboard_core::access::Caller;
use leaderboard_core::ports::Scores;
use leaderboard_test_support::values::{Board, board, player};
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

/// Returns the first and the last rank of a window, and whether more entries come before it and after it.
async fn read_window<B: StoreBackend>(
    fixture: &StoreFixture<B>,
    board: &Board,
    name: &str,
    limit: u32,
) -> (u64, u64, bool, bool) {
    let page = fixture
        .around(board, name, limit, &Caller::Anonymous)
        .await
        .unwrap();
    let (first, last) = (page.entries[0].rank, page.entries[page.entries.len() - 1].rank);
    (first, last, page.more_before, page.more_after)
}

on_both_stores! {
    async fn a_window_has_its_player_in_the_middle(fixture) {
        let board = put_ten_players(&fixture).await;
        assert_eq!(read_window(&fixture, &board, "p4", 1).await, (5, 5, true, true));
        assert_eq!(read_window(&fixture, &board, "p4", 3).await, (4, 6, true, true));
        assert_eq!(read_window(&fixture, &board, "p4", 5).await, (3, 7, true, true));
        // A window of even size has one more entry above the player than below.
        assert_eq!(read_window(&fixture, &board, "p4", 2).await, (4, 5, true, true));
        assert_eq!(read_window(&fixture, &board, "p4", 4).await, (3, 6, true, true));
    }

    async fn a_window_at_either_end_shifts_and_stays_full(fixture) {
        let board = put_ten_players(&fixture).await;
        assert_eq!(read_window(&fixture, &board, "p0", 5).await, (1, 5, false, true));
        assert_eq!(read_window(&fixture, &board, "p1", 5).await, (1, 5, false, true));
        assert_eq!(read_window(&fixture, &board, "p9", 5).await, (6, 10, true, false));
        assert_eq!(read_window(&fixture, &board, "p8", 5).await, (6, 10, true, false));
        assert_eq!(read_window(&fixture, &board, "p9", 4).await, (7, 10, true, false));
        assert_eq!(read_window(&fixture, &board, "p5", 10).await, (1, 10, false, false));
        assert_eq!(read_window(&fixture, &board, "p5", 1000).await, (1, 10, false, false));
    }

    async fn a_missing_player_has_no_window(fixture) {
        let board = put_ten_players(&fixture).await;
        assert_eq!(fixture.around(&board, "nobody", 5, &Caller::Server).await, None);
        let empty = fixture.put(&leaderboard_test_support::values::board("empty")).await;
        assert_eq!(fixture.around(&empty, "p0", 5, &Caller::Server).await, None);
    }

    async fn a_banned_player_and_a_server_see_the_list_with_that_player(fixture) {
        let board = put_ten_players(&fixture).await;
        fixture.ban("p4").await;
        fixture.ban("p2").await;
        assert_eq!(fixture.around(&board, "p4", 3, &Caller::Anonymous).await, None);
        assert_eq!(fixture.around(&board, "p4", 3, &Caller::Player(player("p3"))).await, None);
        for caller in [Caller::Player(player("p4")), Caller::Server] {
            let page = fixture.around(&board, "p4", 3, &caller).await.unwrap();
            assert_eq!(ranked_lines(&page.entries), [ranked_line(3, "p3", 60), ranked_line(4, "p4", 50), ranked_line(5, "p5", 40)]);
            assert_eq!((page.count, page.more_before, page.more_after), (9, true, true));
        }
        let others = fixture.around(&board, "p5", 3, &Caller::Server).await.unwrap();
        assert_eq!(ranked_lines(&others.entries), [ranked_line(3, "p3", 60), ranked_line(4, "p5", 40), ranked_line(5, "p6", 30)]);
        assert_eq!(others.count, 8);
    }

    async fn entries_of_given_players_are_listed_best_first(fixture) {
        let board = put_ten_players(&fixture).await;
        let period = fixture.current_period(&board);
        let asked = ["p7", "nobody", "p1", "p4"].map(player);
        let found = fixture.store.entries_by_player(&fixture.period_ref(&board, &period), &asked, &Caller::Anonymous).await.unwrap();
        assert_eq!(ranked_lines(&found.entries), [ranked_line(2, "p1", 80), ranked_line(5, "p4", 50), ranked_line(8, "p7", 20)]);
        assert_eq!((found.count, found.version, found.layout), (10, 11, Some(board.value.layout())));
        let none = fixture.store.entries_by_player(&fixture.period_ref(&board, &period), &[player("x")], &Caller::Server).await.unwrap();
        assert_eq!((none.count, none.entries), (10, Vec::new()));
        let empty = fixture.put(&leaderboard_test_support::values::board("empty")).await;
        let none = fixture.store.entries_by_player(&fixture.period_ref(&empty, &period), &asked, &Caller::Server).await.unwrap();
        assert_eq!((none.layout, none.version, none.count, none.entries), (None, 0, 0, Vec::new()));
    }

    async fn entries_of_two_hundred_players_are_read_in_one_call(fixture) {
        let board = fixture.put(&board("l")).await;
        let names: Vec<_> = (0..200).map(|n| format!("p{n:03}")).collect();
        for (n, name) in (0..).zip(&names) {
            fixture.submit_score(&board, name, -n).await;
        }
        let asked: Vec<_> = names.iter().rev().map(|name| player(name)).collect();
        let period = fixture.current_period(&board);
        let found = fixture.store.entries_by_player(&fixture.period_ref(&board, &period), &asked, &Caller::Anonymous).await.unwrap();
        let ranks: Vec<u64> = found.entries.iter().map(|ranked| ranked.rank).collect();
        assert_eq!(ranks, (1..=200).collect::<Vec<_>>());
    }

    async fn banned_players_are_found_by_callers_who_see_them(fixture) {
        let board = put_ten_players(&fixture).await;
        fixture.ban("p4").await;
        fixture.ban("p2").await;
        let period = fixture.current_period(&board);
        let period_ref = fixture.period_ref(&board, &period);
        let asked = ["p2", "p4", "p5"].map(player);
        let seen = async |players: &[leaderboard_core::PlayerId], caller: &Caller| {
            let found = fixture.store.entries_by_player(&period_ref, players, caller).await.unwrap();
            (found.count, ranked_lines(&found.entries))
        };
        assert_eq!(seen(&asked, &Caller::Anonymous).await, (8, vec![ranked_line(4, "p5", 40)]));
        let own = vec![ranked_line(4, "p4", 50), ranked_line(5, "p5", 40)];
        assert_eq!(seen(&asked, &Caller::Player(player("p4"))).await, (9, own));
        let all = vec![ranked_line(3, "p2", 70), ranked_line(4, "p4", 50), ranked_line(4, "p5", 40)];
        assert_eq!(seen(&asked, &Caller::Server).await, (8, all));
        assert_eq!(seen(&asked[1..2], &Caller::Server).await, (9, vec![ranked_line(4, "p4", 50)]));
        assert_eq!(seen(&asked[1..2], &Caller::Anonymous).await, (8, vec![]));
    }
}
