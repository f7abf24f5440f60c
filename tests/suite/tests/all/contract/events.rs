//! Tests of the event log: its positions, and the entries that result from its replay.

use leaderboard_core::ports::{Events, PageFrom};
use leaderboard_core::{Leaderboard, Operator, Order, Ties};
use leaderboard_model::Projection;
use leaderboard_test_support::ALL;
use leaderboard_test_support::values::{board, columns, id};

use crate::cases::on_both_stores;

on_both_stores! {
    async fn positions_begin_at_one_and_leave_no_gap(fixture) {
        let board = fixture.put(&board("l")).await;
        for n in 0..25 {
            fixture.submit_score(&board, &format!("p{}", n % 4), n).await;
        }
        let all = fixture.read_events(&board).await;
        let positions: Vec<u64> = all.iter().map(|event| event.position).collect();
        assert_eq!(positions, (1..=26).collect::<Vec<_>>());
        let read = async |after, limit| {
            let events = Events::read(&fixture.store, &fixture.tenant, &id("l"), after, limit).await.unwrap();
            events.into_iter().map(|logged| logged.into_known().unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(read(0, 3).await, all[..3]);
        assert_eq!(read(3, 10).await, all[3..13]);
        assert_eq!(read(20, ALL).await, all[20..]);
        assert_eq!(read(26, ALL).await, []);
        assert_eq!(read(u64::MAX, ALL).await, []);
        let none = Events::read(&fixture.store, &fixture.tenant, &id("none"), 0, ALL).await.unwrap();
        assert_eq!(none, []);
        let bounds = async |id| fixture.store.find_log_bounds(&fixture.tenant, &id).await.unwrap();
        let known = bounds(id("l")).await.unwrap();
        assert_eq!([known.first, known.last].map(|logged| logged.into_known().unwrap()), [all[0].clone(), all[25].clone()]);
        assert_eq!(bounds(id("none")).await, None);
    }

    async fn a_replayed_log_gives_the_same_entries(fixture) {
        let configured = |ties, orders: &[Order]| Leaderboard {
            operator: Operator::Increment,
            ties,
            columns: columns(orders),
            ..board("l")
        };
        let board = fixture.put(&configured(Ties::Dense, &[Order::Descending])).await;
        for (name, value) in [("a", 5), ("b", 7), ("c", 5), ("a", 2), ("d", 1)] {
            fixture.submit_score(&board, name, value).await;
        }
        fixture.ban("b").await;
        fixture.remove(&board, "d").await;
        fixture.submit_score(&board, "b", 1).await;
        let board = fixture.rebuild(&configured(Ties::Latest, &[Order::Ascending])).await;
        fixture.submit_score(&board, "e", 0).await;
        let replayed = Projection::replay(&fixture.read_events(&board).await).unwrap();
        let state = &replayed.periods[&fixture.current_period(&board)];
        let page = fixture.page(&board, &PageFrom::Top, 100).await;
        let entries: Vec<_> = page.entries.iter().map(|ranked| &ranked.entry).collect();
        assert_eq!(replayed.visible(state), entries);
        assert_eq!((state.version, &replayed.leaderboard), (page.version, &Some(board.value.clone())));
        assert_eq!(state.entries.len(), 4);
    }
}
