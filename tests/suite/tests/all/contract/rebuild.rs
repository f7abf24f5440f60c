//! Tests of changes of a leaderboard's order: a change is refused while there are entries, unless it rebuilds
//! them.

use leaderboard_core::ports::{Expected, PageFrom, PutRefusal};
use leaderboard_core::{Column, Columns, Leaderboard, Order, Status, Ties};
use leaderboard_test_support::values::{DAY_MS, board, columns, daily, submission};
use leaderboard_test_support::{ranked_line, ranked_lines};

use crate::cases::on_both_stores;

/// Returns columns with these names and orders.
fn named_columns(columns: &[(&str, Order)]) -> Columns {
    Columns::new(
        columns
            .iter()
            .map(|(name, order)| Column::new(*name, *order).unwrap())
            .collect(),
    )
    .unwrap()
}

on_both_stores! {
    async fn a_change_of_order_is_refused_while_there_are_entries(fixture) {
        let old = fixture.put(&board("l")).await;
        fixture.submit_score(&old, "a", 1).await;
        for other in [
            Leaderboard { ties: Ties::Dense, ..board("l") },
            Leaderboard { columns: columns(&[Order::Descending]), ..board("l") },
            Leaderboard { columns: named_columns(&[("score", Order::Ascending)]), ..board("l") },
        ] {
            assert_eq!(fixture.try_put(&other, Expected::Any, false).await, Err(PutRefusal::HasEntries));
        }
        assert_eq!(fixture.read_leaderboard(&board("l")).await, old);
        assert_eq!(fixture.list_entries(&old).await, [ranked_line(1, "a", 1)]);
        assert_eq!(fixture.read_events(&old).await.len(), 2);
        let renamed = Leaderboard { title: "New".into(), keep_periods: 3, ..board("l") };
        assert!(fixture.try_put(&renamed, Expected::Any, false).await.is_ok());
    }

    async fn entries_of_banned_players_prevent_a_change_of_order(fixture) {
        let old = fixture.put(&board("l")).await;
        fixture.submit_score(&old, "a", 1).await;
        fixture.ban("a").await;
        let other = Leaderboard { ties: Ties::Dense, ..board("l") };
        assert_eq!(fixture.try_put(&other, Expected::Any, false).await, Err(PutRefusal::HasEntries));
        let new = fixture.rebuild(&other).await;
        fixture.submit_score(&new, "b", 1).await;
        fixture.unban("a").await;
        assert_eq!(fixture.list_entries(&new).await, [ranked_line(1, "a", 1), ranked_line(1, "b", 1)]);
    }

    async fn a_rebuild_puts_entries_into_the_new_order(fixture) {
        let old = fixture.put(&board("l")).await;
        for (name, value) in [("a", 3), ("b", 9), ("c", 3), ("d", 1)] {
            fixture.submit_score(&old, name, value).await;
        }
        let lowest = fixture.rebuild(&Leaderboard {
            columns: named_columns(&[("score", Order::Ascending)]),
            ties: Ties::Shared,
            ..board("l")
        }).await;
        let page = fixture.page(&lowest, &PageFrom::Top, 10).await;
        assert_eq!(ranked_lines(&page.entries), [ranked_line(1, "d", 1), ranked_line(2, "a", 3), ranked_line(2, "c", 3), ranked_line(4, "b", 9)]);
        assert_eq!((page.version, page.layout), (6, Some(lowest.value.layout())));
        let latest = fixture.rebuild(&Leaderboard { ties: Ties::Latest, ..board("l") }).await;
        assert_eq!(fixture.list_entries(&latest).await, [ranked_line(1, "b", 9), ranked_line(2, "c", 3), ranked_line(3, "a", 3), ranked_line(4, "d", 1)]);
        let dense = fixture.rebuild(&Leaderboard { ties: Ties::Dense, ..board("l") }).await;
        assert_eq!(fixture.list_entries(&dense).await, [ranked_line(1, "b", 9), ranked_line(2, "a", 3), ranked_line(2, "c", 3), ranked_line(3, "d", 1)]);
        assert_eq!(fixture.submit_score(&dense, "d", 3).await.rank, Some(2));
        assert_eq!(fixture.submit_score(&dense, "b", 3).await.rank, Some(1));
    }

    async fn a_rebuild_matches_columns_by_name(fixture) {
        let old = fixture.put(&Leaderboard {
            columns: named_columns(&[("x", Order::Descending), ("y", Order::Descending)]),
            ..board("l")
        }).await;
        for (name, tuple) in [("a", [1, i64::MAX]), ("b", [2, i64::MIN]), ("c", [3, 0])] {
            fixture.submit(&submission(&[&old], name, &tuple), &[&old]).await.unwrap();
        }
        let swapped = fixture.rebuild(&Leaderboard {
            columns: named_columns(&[("y", Order::Ascending), ("new", Order::Ascending), ("x", Order::Descending)]),
            ..board("l")
        }).await;
        let page = fixture.page(&swapped, &PageFrom::Top, 10).await;
        let tuples: Vec<(&str, &[i64])> = page.entries.iter()
            .map(|ranked| (ranked.entry.player.as_str(), ranked.entry.values.as_slice())).collect();
        assert_eq!(tuples, [("b", &[i64::MIN, 0, 2][..]), ("c", &[0, 0, 3]), ("a", &[i64::MAX, 0, 1])]);
        let single = fixture.rebuild(&Leaderboard { columns: named_columns(&[("new", Order::Ascending)]), ..board("l") }).await;
        assert_eq!(fixture.list_entries(&single).await, [ranked_line(1, "a", 0), ranked_line(2, "b", 0), ranked_line(3, "c", 0)]);
    }

    async fn a_rebuild_keeps_times_metadata_and_attempts(fixture) {
        let old = fixture.put(&board("l")).await;
        let full = leaderboard_core::Submission {
            metadata: Some(leaderboard_test_support::values::metadata("{\"k\":\"é\"}")),
            ..submission(&[&old], "a", &[1])
        };
        fixture.submit(&full, &[&old]).await.unwrap();
        fixture.submit_score(&old, "a", 2).await;
        fixture.submit(&full, &[&old]).await.unwrap();
        let before = fixture.page(&old, &PageFrom::Top, 1).await.entries;
        let new = fixture.rebuild(&Leaderboard { ties: Ties::Latest, ..board("l") }).await;
        assert_eq!(fixture.page(&new, &PageFrom::Top, 1).await.entries, before);
        assert_eq!(before[0].entry.attempts, 3);
    }

    async fn an_empty_period_takes_the_new_order_without_a_rebuild(fixture) {
        let old = fixture.put(&board("l")).await;
        fixture.submit_score(&old, "a", 1).await;
        fixture.remove(&old, "a").await;
        let new = fixture.put(&Leaderboard { columns: named_columns(&[("other", Order::Ascending)]), ..board("l") }).await;
        let outcome = fixture.submit_score(&new, "a", 1).await;
        assert_eq!((outcome.status, outcome.rank), (Status::Created, Some(1)));
        let page = fixture.page(&new, &PageFrom::Top, 1).await;
        assert_eq!(page.layout, Some(new.value.layout()));
    }

    async fn a_rebuild_does_not_reorder_other_periods(fixture) {
        let old = fixture.put(&daily("l")).await;
        fixture.submit_score(&old, "a", 1).await;
        fixture.submit_score(&old, "b", 2).await;
        let yesterday = fixture.current_period(&old);
        fixture.advance_ms(DAY_MS);
        fixture.submit_score(&old, "a", 1).await;
        fixture.submit_score(&old, "b", 2).await;
        let new = fixture.rebuild(&Leaderboard { columns: named_columns(&[("score", Order::Ascending)]), ..daily("l") }).await;
        assert_eq!(fixture.list_entries(&new).await, [ranked_line(1, "a", 1), ranked_line(2, "b", 2)]);
        let page = fixture.page_of(&new, &yesterday, &PageFrom::Top, 10).await.unwrap();
        assert_eq!(ranked_lines(&page.entries), [ranked_line(1, "b", 2), ranked_line(2, "a", 1)]);
        assert_eq!((page.layout, page.version), (Some(old.value.layout()), 3));
        let key = old.value.layout().key(&page.entries[0].entry.values, page.entries[0].entry.reached_at, &page.entries[0].entry.player);
        let rest = fixture.page_of(&new, &yesterday, &PageFrom::After(key), 10).await.unwrap();
        assert_eq!(ranked_lines(&rest.entries), [ranked_line(2, "a", 1)]);
    }
}
