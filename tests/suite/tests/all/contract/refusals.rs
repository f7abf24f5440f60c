//! What is refused, why, and in which order it is looked at.

use leaderboard_core::ports::{Expected, Leaderboards};
use leaderboard_core::{Columns, Leaderboard, Limits, Operator, Order, RefusalReason, Ties};

use crate::given::{DAY_MS, board, columns, daily, resolved, submission, submission_id};
use crate::harness::{line, on_both_stores, with_id};

on_both_stores! {
    async fn a_configuration_that_is_not_the_current_one_is_stale(world) {
        let old = world.put(&board("l")).await;
        let new = world.put(&Leaderboard { title: "New".into(), ..board("l") }).await;
        assert_eq!(world.refused(&old, "ann", 1).await, RefusalReason::StaleConfiguration);
        assert_eq!(world.score(&new, "ann", 1).await.rank, Some(1));
        world.store.delete(&world.tenant, &new.value.id, Expected::Any).await.unwrap().unwrap();
        assert_eq!(world.refused(&new, "ann", 1).await, RefusalReason::StaleConfiguration);
        let again = world.put(&board("l")).await;
        assert_eq!(world.refused(&new, "ann", 1).await, RefusalReason::StaleConfiguration);
        assert_eq!(world.refused(&old, "ann", 1).await, RefusalReason::StaleConfiguration);
        assert_eq!(world.score(&again, "ann", 1).await.version, 2);
    }

    async fn the_configuration_comes_before_the_id_and_the_id_before_the_order(world) {
        let old = world.put(&daily("l")).await;
        let attempt = |board, value| {
            with_id(resolved(&submission(&[board], "ann", &[value]), &[board], world.now()), "x")
        };
        let first = world.settle(&[attempt(&old, 5)]).await.remove(0).unwrap();
        let late = |board, value| {
            let mut late = attempt(board, value);
            late.occurred_at = world.now().saturating_add_ms(-DAY_MS);
            late.targets[0].period = board.value.schedule.period_at(late.occurred_at);
            late
        };
        world.pass_ms(DAY_MS / 2);
        let new = world.put(&Leaderboard { ties: Ties::Shared, ..daily("l") }).await;
        let reasons: Vec<_> = world.settle(&[attempt(&old, 6), late(&new, 6)]).await
            .into_iter().map(|settled| settled.unwrap_err().reason).collect();
        assert_eq!(reasons, [
            RefusalReason::StaleConfiguration,
            RefusalReason::IdConflict { id: submission_id("x") },
        ]);
        let mut same = attempt(&new, 5);
        same.fingerprint = attempt(&old, 5).fingerprint;
        let replay = world.settle(&[same]).await.remove(0).unwrap();
        assert_eq!((replay[0].replayed, replay[0].version), (true, first[0].version));
    }

    async fn a_period_in_an_earlier_order_is_closed_to_late_scores(world) {
        let old = world.put(&daily("l")).await;
        world.score(&old, "ann", 5).await;
        let yesterday = world.period(&old);
        world.pass_ms(DAY_MS);
        let new = world.put(&Leaderboard { columns: columns(&[Order::Ascending]), ..daily("l") }).await;
        let late = leaderboard_core::Submission {
            occurred_at: Some(world.now().saturating_add_ms(-DAY_MS)),
            ..submission(&[&new], "bob", &[1])
        };
        let refusal = world.submit(&late, &[&new]).await.unwrap_err();
        assert_eq!(refusal.reason, RefusalReason::PeriodReordered);
        assert_eq!(world.score(&new, "bob", 1).await.rank, Some(1));
        let page = world.page_of(&new, &yesterday, &leaderboard_core::ports::PageFrom::Top, 10).await.unwrap();
        assert_eq!(page.layout, Some(old.value.layout()));
        assert_eq!(crate::harness::lines(&page.entries), [line(1, "ann", 5)]);
        // The same columns under the same ties open it again.
        let back = world.rebuilt(&daily("l")).await;
        let late = leaderboard_core::Submission { values: submission(&[&back], "bob", &[9]).values, ..late };
        assert_eq!(world.submit(&late, &[&back]).await.unwrap()[0].rank, Some(1));
    }

    async fn attempts_then_room_then_overflow_then_bounds_then_change(world) {
        let board = world.put(&Leaderboard {
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
        assert_eq!(world.refused(&board, "ann", i64::MAX).await, RefusalReason::AboveMax { max: 100 });
        assert_eq!(world.refused(&board, "ann", i64::MIN).await, RefusalReason::BelowMin { min: -100 });
        assert_eq!(world.refused(&board, "ann", 51).await, RefusalReason::ChangeTooLarge { max_change: 50 });
        world.score(&board, "ann", 50).await;
        assert_eq!(world.refused(&board, "ann", i64::MAX).await, RefusalReason::Overflow);
        assert_eq!(world.refused(&board, "ann", 51).await, RefusalReason::AboveMax { max: 100 });
        world.score(&board, "ann", 50).await;
        assert_eq!(world.refused(&board, "ann", -51).await, RefusalReason::ChangeTooLarge { max_change: 50 });
        world.score(&board, "ann", 0).await;
        assert_eq!(world.refused(&board, "ann", i64::MAX).await, RefusalReason::AttemptsExhausted { max_attempts: 3 });
        world.score(&board, "bob", -50).await;
        assert_eq!(world.refused(&board, "cid", i64::MAX).await, RefusalReason::Full { max_entries: 2 });
        assert_eq!(world.list(&board).await, [line(1, "ann", 100), line(2, "bob", -50)]);
        assert_eq!(world.events(&board).await.len(), 5);
    }

    async fn the_difference_of_the_ends_of_64_bits_is_a_change_like_any(world) {
        let board = world.put(&Leaderboard {
            limits: Limits { max_change: Some(u64::MAX - 1), ..Limits::default() },
            ..board("l")
        }).await;
        world.score(&board, "ann", i64::MIN).await;
        let reason = world.refused(&board, "ann", i64::MAX).await;
        assert_eq!(reason, RefusalReason::ChangeTooLarge { max_change: u64::MAX - 1 });
        assert_eq!(world.score(&board, "ann", i64::MAX - 1).await.values.first(), i64::MAX - 1);
    }

    async fn a_hidden_player_takes_room_and_a_removed_one_leaves_it(world) {
        let board = world.put(&Leaderboard {
            limits: Limits { max_entries: Some(1), max_attempts: Some(1), ..Limits::default() },
            ..board("l")
        }).await;
        world.score(&board, "ann", 1).await;
        world.hide("ann").await;
        assert_eq!(world.refused(&board, "bob", 1).await, RefusalReason::Full { max_entries: 1 });
        assert_eq!(world.refused(&board, "ann", 1).await, RefusalReason::AttemptsExhausted { max_attempts: 1 });
        world.remove(&board, "ann").await;
        assert_eq!(world.score(&board, "bob", 1).await.rank, Some(1));
    }

    async fn a_best_that_does_not_win_is_kept_however_far_off(world) {
        let board = world.put(&Leaderboard {
            operator: Operator::Best,
            columns: Columns::default(),
            limits: Limits { max_change: Some(5), ..Limits::default() },
            ..board("l")
        }).await;
        world.score(&board, "ann", 0).await;
        assert_eq!(world.score(&board, "ann", i64::MIN).await.status, leaderboard_core::Status::Kept);
        assert_eq!(world.refused(&board, "ann", 6).await, RefusalReason::ChangeTooLarge { max_change: 5 });
    }
}
