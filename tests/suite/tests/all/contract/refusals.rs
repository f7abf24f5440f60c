//! Tests of refused submissions: the reasons, and the order of the checks.

use leaderboard_core::ports::{Expected, Leaderboards};
use leaderboard_core::{Columns, Leaderboard, Limits, Operator, Order, RefusalReason, Ties};
use leaderboard_test_support::values::{DAY_MS, board, columns, daily, prepared, submission, submission_id};
use leaderboard_test_support::{ranked_line, with_submission_id};

use crate::cases::on_both_stores;

on_both_stores! {
    async fn a_submission_with_an_old_configuration_is_refused_as_stale(fixture) {
        let old = fixture.put(&board("l")).await;
        let new = fixture.put(&Leaderboard { title: "New".into(), ..board("l") }).await;
        assert_eq!(fixture.refused_score(&old, "ann", 1).await, RefusalReason::StaleConfiguration);
        assert_eq!(fixture.submit_score(&new, "ann", 1).await.rank, Some(1));
        fixture.store.delete(&fixture.tenant, &new.value.id, Expected::Any).await.unwrap().unwrap();
        assert_eq!(fixture.refused_score(&new, "ann", 1).await, RefusalReason::StaleConfiguration);
        let again = fixture.put(&board("l")).await;
        assert_eq!(fixture.refused_score(&new, "ann", 1).await, RefusalReason::StaleConfiguration);
        assert_eq!(fixture.refused_score(&old, "ann", 1).await, RefusalReason::StaleConfiguration);
        assert_eq!(fixture.submit_score(&again, "ann", 1).await.version, 2);
    }

    async fn configuration_then_id_then_order_are_checked(fixture) {
        let old = fixture.put(&daily("l")).await;
        let prepared_submission = |board, value| {
            with_submission_id(prepared(&submission(&[board], "ann", &[value]), &[board], fixture.now()), "x")
        };
        let first = fixture.submit_prepared(&[prepared_submission(&old, 5)]).await.remove(0).unwrap();
        let late = |board, value| {
            let mut late = prepared_submission(board, value);
            late.occurred_at = fixture.now().saturating_add_ms(-DAY_MS);
            late.targets[0].period = board.value.schedule.period_at(late.occurred_at);
            late
        };
        fixture.advance_ms(DAY_MS / 2);
        let new = fixture.put(&Leaderboard { ties: Ties::Shared, ..daily("l") }).await;
        let reasons: Vec<_> = fixture.submit_prepared(&[prepared_submission(&old, 6), late(&new, 6)]).await
            .into_iter().map(|results| results.unwrap_err().reason).collect();
        assert_eq!(reasons, [
            RefusalReason::StaleConfiguration,
            RefusalReason::IdConflict { id: submission_id("x") },
        ]);
        let mut same = prepared_submission(&new, 5);
        same.fingerprint = prepared_submission(&old, 5).fingerprint;
        let replay = fixture.submit_prepared(&[same]).await.remove(0).unwrap();
        assert_eq!((replay[0].replayed, replay[0].version), (true, first[0].version));
    }

    async fn a_period_in_an_earlier_order_is_closed_to_late_scores(fixture) {
        let old = fixture.put(&daily("l")).await;
        fixture.submit_score(&old, "ann", 5).await;
        let yesterday = fixture.current_period(&old);
        fixture.advance_ms(DAY_MS);
        let new = fixture.put(&Leaderboard { columns: columns(&[Order::Ascending]), ..daily("l") }).await;
        let late = leaderboard_core::Submission {
            occurred_at: Some(fixture.now().saturating_add_ms(-DAY_MS)),
            ..submission(&[&new], "bob", &[1])
        };
        let refusal = fixture.submit(&late, &[&new]).await.unwrap_err();
        assert_eq!(refusal.reason, RefusalReason::PeriodReordered);
        assert_eq!(fixture.submit_score(&new, "bob", 1).await.rank, Some(1));
        let page = fixture.page_of(&new, &yesterday, &leaderboard_core::ports::PageFrom::Top, 10).await.unwrap();
        assert_eq!(page.layout, Some(old.value.layout()));
        assert_eq!(leaderboard_test_support::ranked_lines(&page.entries), [ranked_line(1, "ann", 5)]);
        // A change back to the old columns and tie policy opens the period to late scores again.
        let back = fixture.rebuild(&daily("l")).await;
        let late = leaderboard_core::Submission { values: submission(&[&back], "bob", &[9]).values, ..late };
        assert_eq!(fixture.submit(&late, &[&back]).await.unwrap()[0].rank, Some(1));
    }

    async fn attempts_room_overflow_bounds_and_change_are_checked_in_this_order(fixture) {
        let board = fixture.put(&Leaderboard {
            operator: Operator::Increment,
            limits: Limits {
                min: Some(-100),
                max: Some(100),
                max_change: Some(50),
                max_attempts: Some(3),
                max_entries: Some(2),
            },
            ..board("l")
        }).await;
        assert_eq!(fixture.refused_score(&board, "ann", i64::MAX).await, RefusalReason::AboveMax { max: 100 });
        assert_eq!(fixture.refused_score(&board, "ann", i64::MIN).await, RefusalReason::BelowMin { min: -100 });
        assert_eq!(fixture.refused_score(&board, "ann", 51).await, RefusalReason::ChangeTooLarge { max_change: 50 });
        fixture.submit_score(&board, "ann", 50).await;
        assert_eq!(fixture.refused_score(&board, "ann", i64::MAX).await, RefusalReason::Overflow);
        assert_eq!(fixture.refused_score(&board, "ann", 51).await, RefusalReason::AboveMax { max: 100 });
        fixture.submit_score(&board, "ann", 50).await;
        assert_eq!(fixture.refused_score(&board, "ann", -51).await, RefusalReason::ChangeTooLarge { max_change: 50 });
        fixture.submit_score(&board, "ann", 0).await;
        assert_eq!(fixture.refused_score(&board, "ann", i64::MAX).await, RefusalReason::AttemptsExhausted { max_attempts: 3 });
        fixture.submit_score(&board, "bob", -50).await;
        assert_eq!(fixture.refused_score(&board, "cid", i64::MAX).await, RefusalReason::Full { max_entries: 2 });
        assert_eq!(fixture.list_entries(&board).await, [ranked_line(1, "ann", 100), ranked_line(2, "bob", -50)]);
        assert_eq!(fixture.read_events(&board).await.len(), 5);
    }

    async fn max_change_applies_to_the_whole_64_bit_range(fixture) {
        let board = fixture.put(&Leaderboard {
            limits: Limits { max_change: Some(u64::MAX - 1), ..Limits::default() },
            ..board("l")
        }).await;
        fixture.submit_score(&board, "ann", i64::MIN).await;
        let reason = fixture.refused_score(&board, "ann", i64::MAX).await;
        assert_eq!(reason, RefusalReason::ChangeTooLarge { max_change: u64::MAX - 1 });
        assert_eq!(fixture.submit_score(&board, "ann", i64::MAX - 1).await.values.first(), i64::MAX - 1);
    }

    async fn max_entries_counts_banned_players_but_not_removed_entries(fixture) {
        let board = fixture.put(&Leaderboard {
            limits: Limits { max_entries: Some(1), max_attempts: Some(1), ..Limits::default() },
            ..board("l")
        }).await;
        fixture.submit_score(&board, "ann", 1).await;
        fixture.ban("ann").await;
        assert_eq!(fixture.refused_score(&board, "bob", 1).await, RefusalReason::Full { max_entries: 1 });
        assert_eq!(fixture.refused_score(&board, "ann", 1).await, RefusalReason::AttemptsExhausted { max_attempts: 1 });
        fixture.remove(&board, "ann").await;
        assert_eq!(fixture.submit_score(&board, "bob", 1).await.rank, Some(1));
    }

    async fn max_change_does_not_apply_to_a_worse_best_score(fixture) {
        let board = fixture.put(&Leaderboard {
            operator: Operator::Best,
            columns: Columns::default(),
            limits: Limits { max_change: Some(5), ..Limits::default() },
            ..board("l")
        }).await;
        fixture.submit_score(&board, "ann", 0).await;
        assert_eq!(fixture.submit_score(&board, "ann", i64::MIN).await.status, leaderboard_core::Status::Kept);
        assert_eq!(fixture.refused_score(&board, "ann", 6).await, RefusalReason::ChangeTooLarge { max_change: 5 });
    }
}
