//! Tests of faults that users of other leaderboard services report.

use leaderboard_core::access::Caller;
use leaderboard_core::ports::{Expected, PageFrom, Scores};
use leaderboard_core::{Leaderboard, Operator, Order, PeriodSelector, Status, Submission, Ties};
use leaderboard_test_support::values::{DAY_MS, board, columns, metadata, player, schedule, submission};
use leaderboard_test_support::{ranked_line, ranked_lines};

use crate::cases::on_both_stores;

on_both_stores! {
    /// The fault: a best score has the subscore of another submission.
    async fn subscore_and_metadata_come_from_the_best_submission(fixture) {
        let board = fixture.put(&Leaderboard {
            operator: Operator::Best,
            columns: columns(&[Order::Descending, Order::Ascending]),
            ..board("l")
        }).await;
        for (values, note) in [([50, 30], "first"), ([40, 5], "fast but low"), ([50, 29], "won"), ([50, 29], "again")] {
            let prepared_submission = Submission { metadata: Some(metadata(&format!("\"{note}\""))), ..submission(&[&board], "ann", &values) };
            fixture.submit(&prepared_submission, &[&board]).await.unwrap();
        }
        let entry = fixture.page(&board, &PageFrom::Top, 1).await.entries.remove(0).entry;
        assert_eq!(entry.values.as_slice(), [50, 29]);
        assert_eq!(entry.metadata, Some(metadata("\"won\"")));
        assert_eq!(entry.attempts, 4);
    }

    /// The fault: a reset is missed because the server is down at that time.
    async fn a_reset_takes_effect_without_a_call_at_that_time(fixture) {
        let weekly = Leaderboard { schedule: schedule("0 0 * * 1", "UTC"), ..board("l") };
        let board = fixture.put(&weekly).await;
        fixture.submit_score(&board, "ann", 7).await;
        fixture.advance_ms(23 * DAY_MS);
        assert_eq!(fixture.list_entries(&board).await, []);
        let reopened = fixture.backend.open().await;
        let old = PeriodSelector::Named(leaderboard_core::PeriodId::parse("2026-07-19T12:00:00Z").unwrap());
        let old = old.resolve(&weekly, fixture.now()).unwrap();
        let page = reopened.page(&fixture.period_ref(&board, &old.id), &PageFrom::Top, 10, &Caller::Anonymous).await.unwrap();
        assert_eq!(ranked_lines(&page.entries), [ranked_line(1, "ann", 7)]);
    }

    /// The fault: a configuration cannot be changed after the leaderboard is created.
    async fn a_leaderboard_with_entries_can_be_reconfigured(fixture) {
        let board = fixture.put(&board("l")).await;
        fixture.submit_score(&board, "ann", 1).await;
        fixture.submit_score(&board, "bob", 2).await;
        let changed = Leaderboard {
            title: "Golf".into(),
            operator: Operator::Best,
            operator_override: false,
            columns: leaderboard_core::Columns::new(vec![leaderboard_core::Column::new("score", Order::Ascending).unwrap()]).unwrap(),
            ties: Ties::Shared,
            keep_periods: 3,
            ..board.value.clone()
        };
        assert!(fixture.try_put(&changed, Expected::Version(board.version), false).await.is_err());
        let board = fixture.rebuild(&changed).await;
        assert_eq!(fixture.list_entries(&board).await, [ranked_line(1, "ann", 1), ranked_line(2, "bob", 2)]);
        assert_eq!(fixture.submit_score(&board, "bob", 1).await.rank, Some(1));
    }

    /// The fault: a submission that changes only the update time moves the entry within its tie.
    async fn a_score_that_changes_nothing_keeps_its_position_in_a_tie(fixture) {
        for (name, operator) in [("set", Operator::Set), ("best", Operator::Best), ("add", Operator::Increment)] {
            let board = fixture.put(&Leaderboard { operator, ..board(name) }).await;
            fixture.submit_score(&board, "ann", 5).await;
            fixture.submit_score(&board, "bob", 5).await;
            let reached_at = fixture.page(&board, &PageFrom::Top, 1).await.entries.remove(0).entry.reached_at;
            let unchanged = if operator == Operator::Increment { 0 } else { 5 };
            let outcome = fixture.submit_score(&board, "ann", unchanged).await;
            assert_eq!((outcome.status, outcome.rank), (Status::Kept, Some(1)), "{name}");
            let entry = fixture.page(&board, &PageFrom::Top, 1).await.entries.remove(0).entry;
            assert_eq!((entry.player, entry.reached_at), (player("ann"), reached_at), "{name}");
        }
    }
}
