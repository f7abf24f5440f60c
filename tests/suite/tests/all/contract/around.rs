//! Windows around a player, and some players at once.

use leaderboard_core::access::Caller;
use leaderboard_core::ports::Scores;

use crate::given::{Board, board, player};
use crate::harness::{Harness, World, line, lines, on_both_stores};

async fn ten<H: Harness>(world: &World<H>) -> Board {
    let board = world.put(&board("l")).await;
    for n in 0..10 {
        world.score(&board, &format!("p{n}"), 90 - 10 * n).await;
    }
    board
}

/// The first and the last rank of a window, and what is said of the rest.
async fn window<H: Harness>(
    world: &World<H>,
    board: &Board,
    name: &str,
    limit: u32,
) -> (u64, u64, bool, bool) {
    let page = world
        .around(board, name, limit, &Caller::Anonymous)
        .await
        .unwrap();
    let (first, last) = (page.entries[0].rank, page.entries[page.entries.len() - 1].rank);
    (first, last, page.more_before, page.more_after)
}

on_both_stores! {
    async fn the_player_stands_in_the_middle(world) {
        let board = ten(&world).await;
        assert_eq!(window(&world, &board, "p4", 1).await, (5, 5, true, true));
        assert_eq!(window(&world, &board, "p4", 3).await, (4, 6, true, true));
        assert_eq!(window(&world, &board, "p4", 5).await, (3, 7, true, true));
        // With an even number the larger half is above.
        assert_eq!(window(&world, &board, "p4", 2).await, (4, 5, true, true));
        assert_eq!(window(&world, &board, "p4", 4).await, (3, 6, true, true));
    }

    async fn at_either_end_the_window_shifts_and_stays_full(world) {
        let board = ten(&world).await;
        assert_eq!(window(&world, &board, "p0", 5).await, (1, 5, false, true));
        assert_eq!(window(&world, &board, "p1", 5).await, (1, 5, false, true));
        assert_eq!(window(&world, &board, "p9", 5).await, (6, 10, true, false));
        assert_eq!(window(&world, &board, "p8", 5).await, (6, 10, true, false));
        assert_eq!(window(&world, &board, "p9", 4).await, (7, 10, true, false));
        assert_eq!(window(&world, &board, "p5", 10).await, (1, 10, false, false));
        assert_eq!(window(&world, &board, "p5", 1000).await, (1, 10, false, false));
    }

    async fn who_is_not_there_has_no_window(world) {
        let board = ten(&world).await;
        assert_eq!(world.around(&board, "nobody", 5, &Caller::Server).await, None);
        let empty = world.put(&crate::given::board("empty")).await;
        assert_eq!(world.around(&empty, "p0", 5, &Caller::Server).await, None);
    }

    async fn a_hidden_player_and_the_server_see_the_list_as_if_nothing_was_hidden(world) {
        let board = ten(&world).await;
        world.hide("p4").await;
        world.hide("p2").await;
        assert_eq!(world.around(&board, "p4", 3, &Caller::Anonymous).await, None);
        assert_eq!(world.around(&board, "p4", 3, &Caller::Player(player("p3"))).await, None);
        for caller in [Caller::Player(player("p4")), Caller::Server] {
            let page = world.around(&board, "p4", 3, &caller).await.unwrap();
            assert_eq!(lines(&page.entries), [line(3, "p3", 60), line(4, "p4", 50), line(5, "p5", 40)]);
            assert_eq!((page.count, page.more_before, page.more_after), (9, true, true));
        }
        let others = world.around(&board, "p5", 3, &Caller::Server).await.unwrap();
        assert_eq!(lines(&others.entries), [line(3, "p3", 60), line(4, "p5", 40), line(5, "p6", 30)]);
        assert_eq!(others.count, 8);
    }

    async fn some_players_best_first(world) {
        let board = ten(&world).await;
        let period = world.period(&board);
        let asked = ["p7", "nobody", "p1", "p4"].map(player);
        let found = world.store.entries_by_player(&world.place(&board, &period), &asked, &Caller::Anonymous).await.unwrap();
        assert_eq!(lines(&found.entries), [line(2, "p1", 80), line(5, "p4", 50), line(8, "p7", 20)]);
        assert_eq!((found.count, found.version, found.layout), (10, 11, Some(board.value.layout())));
        let none = world.store.entries_by_player(&world.place(&board, &period), &[player("x")], &Caller::Server).await.unwrap();
        assert_eq!((none.count, none.entries), (10, Vec::new()));
        let empty = world.put(&crate::given::board("empty")).await;
        let none = world.store.entries_by_player(&world.place(&empty, &period), &asked, &Caller::Server).await.unwrap();
        assert_eq!((none.layout, none.version, none.count, none.entries), (None, 0, 0, Vec::new()));
    }

    async fn two_hundred_players_at_once(world) {
        let board = world.put(&board("l")).await;
        let names: Vec<_> = (0..200).map(|n| format!("p{n:03}")).collect();
        for (n, name) in (0..).zip(&names) {
            world.score(&board, name, -n).await;
        }
        let asked: Vec<_> = names.iter().rev().map(|name| player(name)).collect();
        let period = world.period(&board);
        let found = world.store.entries_by_player(&world.place(&board, &period), &asked, &Caller::Anonymous).await.unwrap();
        let ranks: Vec<u64> = found.entries.iter().map(|ranked| ranked.rank).collect();
        assert_eq!(ranks, (1..=200).collect::<Vec<_>>());
    }

    async fn hidden_players_are_found_by_those_who_see_them(world) {
        let board = ten(&world).await;
        world.hide("p4").await;
        world.hide("p2").await;
        let period = world.period(&board);
        let place = world.place(&board, &period);
        let asked = ["p2", "p4", "p5"].map(player);
        let seen = async |players: &[leaderboard_core::PlayerId], caller: &Caller| {
            let found = world.store.entries_by_player(&place, players, caller).await.unwrap();
            (found.count, lines(&found.entries))
        };
        assert_eq!(seen(&asked, &Caller::Anonymous).await, (8, vec![line(4, "p5", 40)]));
        let own = vec![line(4, "p4", 50), line(5, "p5", 40)];
        assert_eq!(seen(&asked, &Caller::Player(player("p4"))).await, (9, own));
        let all = vec![line(3, "p2", 70), line(4, "p4", 50), line(4, "p5", 40)];
        assert_eq!(seen(&asked, &Caller::Server).await, (8, all));
        assert_eq!(seen(&asked[1..2], &Caller::Server).await, (9, vec![line(4, "p4", 50)]));
        assert_eq!(seen(&asked[1..2], &Caller::Anonymous).await, (8, vec![]));
    }
}
