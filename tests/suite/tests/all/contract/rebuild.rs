//! Changes of order: refused while there are entries, or the entries are put into the new order.

use leaderboard_core::ports::{Expected, PageFrom, PutRefusal};
use leaderboard_core::{Column, Columns, Leaderboard, Order, Status, Ties};

use crate::given::{DAY_MS, board, columns, daily, submission};
use crate::harness::{line, lines, on_both_stores};

fn named(columns: &[(&str, Order)]) -> Columns {
    Columns::new(
        columns
            .iter()
            .map(|(name, order)| Column::new(*name, *order).unwrap())
            .collect(),
    )
    .unwrap()
}

on_both_stores! {
    async fn a_change_of_order_is_refused_while_there_are_entries(world) {
        let old = world.put(&board("l")).await;
        world.score(&old, "a", 1).await;
        for other in [
            Leaderboard { ties: Ties::Dense, ..board("l") },
            Leaderboard { columns: columns(&[Order::Descending]), ..board("l") },
            Leaderboard { columns: named(&[("score", Order::Ascending)]), ..board("l") },
        ] {
            assert_eq!(world.try_put(&other, Expected::Any, false).await, Err(PutRefusal::HasEntries));
        }
        assert_eq!(world.current(&board("l")).await, old);
        assert_eq!(world.list(&old).await, [line(1, "a", 1)]);
        assert_eq!(world.events(&old).await.len(), 2);
        let renamed = Leaderboard { title: "New".into(), keep_periods: 3, ..board("l") };
        assert!(world.try_put(&renamed, Expected::Any, false).await.is_ok());
    }

    async fn hidden_entries_are_entries(world) {
        let old = world.put(&board("l")).await;
        world.score(&old, "a", 1).await;
        world.hide("a").await;
        let other = Leaderboard { ties: Ties::Dense, ..board("l") };
        assert_eq!(world.try_put(&other, Expected::Any, false).await, Err(PutRefusal::HasEntries));
        let new = world.rebuilt(&other).await;
        world.score(&new, "b", 1).await;
        world.restore("a").await;
        assert_eq!(world.list(&new).await, [line(1, "a", 1), line(1, "b", 1)]);
    }

    async fn a_rebuild_puts_entries_into_the_new_order(world) {
        let old = world.put(&board("l")).await;
        for (name, value) in [("a", 3), ("b", 9), ("c", 3), ("d", 1)] {
            world.score(&old, name, value).await;
        }
        let lowest = world.rebuilt(&Leaderboard {
            columns: named(&[("score", Order::Ascending)]),
            ties: Ties::Shared,
            ..board("l")
        }).await;
        let page = world.page(&lowest, &PageFrom::Top, 10).await;
        assert_eq!(lines(&page.entries), [line(1, "d", 1), line(2, "a", 3), line(2, "c", 3), line(4, "b", 9)]);
        assert_eq!((page.version, page.layout), (6, Some(lowest.value.layout())));
        let latest = world.rebuilt(&Leaderboard { ties: Ties::Latest, ..board("l") }).await;
        assert_eq!(world.list(&latest).await, [line(1, "b", 9), line(2, "c", 3), line(3, "a", 3), line(4, "d", 1)]);
        let dense = world.rebuilt(&Leaderboard { ties: Ties::Dense, ..board("l") }).await;
        assert_eq!(world.list(&dense).await, [line(1, "b", 9), line(2, "a", 3), line(2, "c", 3), line(3, "d", 1)]);
        assert_eq!(world.score(&dense, "d", 3).await.rank, Some(2));
        assert_eq!(world.score(&dense, "b", 3).await.rank, Some(1));
    }

    async fn a_rebuild_matches_columns_by_name(world) {
        let old = world.put(&Leaderboard {
            columns: named(&[("x", Order::Descending), ("y", Order::Descending)]),
            ..board("l")
        }).await;
        for (name, tuple) in [("a", [1, i64::MAX]), ("b", [2, i64::MIN]), ("c", [3, 0])] {
            world.submit(&submission(&[&old], name, &tuple), &[&old]).await.unwrap();
        }
        let swapped = world.rebuilt(&Leaderboard {
            columns: named(&[("y", Order::Ascending), ("new", Order::Ascending), ("x", Order::Descending)]),
            ..board("l")
        }).await;
        let page = world.page(&swapped, &PageFrom::Top, 10).await;
        let tuples: Vec<(&str, &[i64])> = page.entries.iter()
            .map(|ranked| (ranked.entry.player.as_str(), ranked.entry.values.as_slice())).collect();
        assert_eq!(tuples, [("b", &[i64::MIN, 0, 2][..]), ("c", &[0, 0, 3]), ("a", &[i64::MAX, 0, 1])]);
        let single = world.rebuilt(&Leaderboard { columns: named(&[("new", Order::Ascending)]), ..board("l") }).await;
        assert_eq!(world.list(&single).await, [line(1, "a", 0), line(2, "b", 0), line(3, "c", 0)]);
    }

    async fn a_rebuild_keeps_times_metadata_and_attempts(world) {
        let old = world.put(&board("l")).await;
        let full = leaderboard_core::Submission {
            metadata: Some(crate::given::metadata("{\"k\":\"é\"}")),
            ..submission(&[&old], "a", &[1])
        };
        world.submit(&full, &[&old]).await.unwrap();
        world.score(&old, "a", 2).await;
        world.submit(&full, &[&old]).await.unwrap();
        let before = world.page(&old, &PageFrom::Top, 1).await.entries;
        let new = world.rebuilt(&Leaderboard { ties: Ties::Latest, ..board("l") }).await;
        assert_eq!(world.page(&new, &PageFrom::Top, 1).await.entries, before);
        assert_eq!(before[0].entry.attempts, 3);
    }

    async fn an_empty_period_takes_the_new_order_without_a_rebuild(world) {
        let old = world.put(&board("l")).await;
        world.score(&old, "a", 1).await;
        world.remove(&old, "a").await;
        let new = world.put(&Leaderboard { columns: named(&[("other", Order::Ascending)]), ..board("l") }).await;
        let outcome = world.score(&new, "a", 1).await;
        assert_eq!((outcome.status, outcome.rank), (Status::Created, Some(1)));
        let page = world.page(&new, &PageFrom::Top, 1).await;
        assert_eq!(page.layout, Some(new.value.layout()));
    }

    async fn other_periods_keep_the_order_they_have(world) {
        let old = world.put(&daily("l")).await;
        world.score(&old, "a", 1).await;
        world.score(&old, "b", 2).await;
        let yesterday = world.period(&old);
        world.pass_ms(DAY_MS);
        world.score(&old, "a", 1).await;
        world.score(&old, "b", 2).await;
        let new = world.rebuilt(&Leaderboard { columns: named(&[("score", Order::Ascending)]), ..daily("l") }).await;
        assert_eq!(world.list(&new).await, [line(1, "a", 1), line(2, "b", 2)]);
        let page = world.page_of(&new, &yesterday, &PageFrom::Top, 10).await.unwrap();
        assert_eq!(lines(&page.entries), [line(1, "b", 2), line(2, "a", 1)]);
        assert_eq!((page.layout, page.version), (Some(old.value.layout()), 3));
        let key = old.value.layout().key(&page.entries[0].entry.values, page.entries[0].entry.reached_at, &page.entries[0].entry.player);
        let rest = world.page_of(&new, &yesterday, &PageFrom::After(key), 10).await.unwrap();
        assert_eq!(lines(&rest.entries), [line(2, "a", 1)]);
    }
}
