//! The log, and what it is worth.

use leaderboard_core::model::Projection;
use leaderboard_core::ports::{Events, PageFrom};
use leaderboard_core::{Leaderboard, Operator, Order, Ties};

use crate::given::{board, columns, id};
use crate::harness::{ALL, on_both_stores};

on_both_stores! {
    async fn positions_begin_at_one_and_leave_no_gap(world) {
        let board = world.put(&board("l")).await;
        for n in 0..25 {
            world.score(&board, &format!("p{}", n % 4), n).await;
        }
        let all = world.events(&board).await;
        let positions: Vec<u64> = all.iter().map(|event| event.position).collect();
        assert_eq!(positions, (1..=26).collect::<Vec<_>>());
        let read = async |after, limit| Events::read(&world.store, &world.tenant, &id("l"), after, limit).await.unwrap();
        assert_eq!(read(0, 3).await, all[..3]);
        assert_eq!(read(3, 10).await, all[3..13]);
        assert_eq!(read(20, ALL).await, all[20..]);
        assert_eq!(read(26, ALL).await, []);
        assert_eq!(read(u64::MAX, ALL).await, []);
        let none = Events::read(&world.store, &world.tenant, &id("none"), 0, ALL).await.unwrap();
        assert_eq!(none, []);
    }

    async fn a_replayed_log_gives_the_same_entries(world) {
        let configured = |ties, orders: &[Order]| Leaderboard {
            operator: Operator::Increment,
            ties,
            columns: columns(orders),
            ..board("l")
        };
        let board = world.put(&configured(Ties::Dense, &[Order::Descending])).await;
        for (name, value) in [("a", 5), ("b", 7), ("c", 5), ("a", 2), ("d", 1)] {
            world.score(&board, name, value).await;
        }
        world.hide("b").await;
        world.remove(&board, "d").await;
        world.score(&board, "b", 1).await;
        let board = world.rebuilt(&configured(Ties::Latest, &[Order::Ascending])).await;
        world.score(&board, "e", 0).await;
        let replayed = Projection::replay(&world.events(&board).await).unwrap();
        let state = &replayed.periods[&world.period(&board)];
        let page = world.page(&board, &PageFrom::Top, 100).await;
        let entries: Vec<_> = page.entries.iter().map(|ranked| &ranked.entry).collect();
        assert_eq!(replayed.visible(state), entries);
        assert_eq!((state.version, &replayed.leaderboard), (page.version, &Some(board.value.clone())));
        assert_eq!(state.entries.len(), 4);
    }
}
