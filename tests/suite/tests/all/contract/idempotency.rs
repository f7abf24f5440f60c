//! Tests of idempotency records: a submission with an id counts once in 24 hours on a leaderboard.

use leaderboard_core::ports::{IDEMPOTENCY_MS, RankDetail, Scores};
use leaderboard_core::{IdScope, Leaderboard, Limits, Operator, Outcome, PreparedSubmission, RefusalReason};
use leaderboard_test_support::values::{board, prepared, submission, submission_id};
use leaderboard_test_support::{ranked_line, with_submission_id};

use crate::cases::on_both_stores;

/// Returns a leaderboard with the operator `increment`.
fn incrementing_board(name: &str) -> Leaderboard {
    Leaderboard {
        operator: Operator::Increment,
        ..board(name)
    }
}

/// Returns the outcome of a replay of a submission with this outcome.
fn replayed(first: &Outcome) -> Outcome {
    Outcome {
        replayed: true,
        ..first.clone()
    }
}

on_both_stores! {
    async fn a_repeat_gets_the_first_outcome_and_changes_nothing(fixture) {
        let board = fixture.put(&incrementing_board("l")).await;
        fixture.submit_score(&board, "bob", 3).await;
        let first = fixture.submit_score_with_id(&board, "ann", 5, "x").await.unwrap();
        fixture.submit_score(&board, "bob", 30).await;
        let again = fixture.submit_score_with_id(&board, "ann", 5, "x").await.unwrap();
        assert_eq!(again, replayed(&first));
        assert_eq!((again.rank, again.version), (Some(1), 3));
        assert_eq!(fixture.read_events(&board).await.len(), 4);
        assert_eq!(fixture.list_entries(&board).await, [ranked_line(1, "bob", 33), ranked_line(2, "ann", 5)]);
    }

    async fn the_same_id_with_other_content_is_an_error(fixture) {
        let board = fixture.put(&incrementing_board("l")).await;
        fixture.submit_score_with_id(&board, "ann", 5, "x").await.unwrap();
        let conflict = RefusalReason::IdConflict { id: submission_id("x") };
        assert_eq!(fixture.submit_score_with_id(&board, "ann", 6, "x").await, Err(conflict.clone()));
        assert_eq!(fixture.submit_score_with_id(&board, "bob", 5, "x").await, Err(conflict));
        assert_eq!(fixture.list_entries(&board).await, [ranked_line(1, "ann", 5)]);
        assert_eq!(fixture.read_events(&board).await.len(), 2);
    }

    async fn an_id_of_a_player_does_not_affect_other_players(fixture) {
        let board = fixture.put(&incrementing_board("l")).await;
        let longest = "é".repeat(64);
        let prepare = |name: &str, id_scope, id: &str| {
            let prepared_submission = prepared(&submission(&[&board], name, &[5]), &[&board], fixture.now());
            PreparedSubmission { id_scope, ..with_submission_id(prepared_submission, id) }
        };
        let submissions = [
            prepare(&longest, IdScope::Player, &longest),
            prepare("ann", IdScope::Player, &longest),
            prepare("bob", IdScope::Leaderboard, &longest),
            // Player and id of these submissions give the same text when joined, but their records must
            // differ.
            prepare("annx", IdScope::Player, "y"),
            prepare("ann", IdScope::Player, "xy"),
            prepare("ann", IdScope::Leaderboard, "annxy"),
        ];
        let replayed = |results: Vec<Result<Vec<Outcome>, _>>| -> Vec<bool> {
            results.into_iter().map(|outcome: Result<_, leaderboard_core::Refusal>| outcome.unwrap()[0].replayed).collect()
        };
        assert_eq!(replayed(fixture.submit_prepared(&submissions).await), [false; 6]);
        assert_eq!(replayed(fixture.submit_prepared(&submissions).await), [true; 6]);
        let taken = PreparedSubmission { id_scope: IdScope::Player, ..prepare("ann", IdScope::Player, "xy") };
        let other = PreparedSubmission { fingerprint: [1; 16], ..taken };
        let refused = fixture.submit_prepared(&[other]).await.remove(0).unwrap_err();
        assert_eq!(refused.reason, RefusalReason::IdConflict { id: submission_id("xy") });
        // The log has the id as the client sent it.
        let events = fixture.read_events(&board).await;
        let leaderboard_core::EventBody::Submitted { id, .. } = &events[1].event.body else {
            panic!("no submission: {events:?}");
        };
        assert_eq!(*id, Some(submission_id(&longest)));
    }

    async fn a_repeat_within_one_call_counts_once(fixture) {
        let board = fixture.put(&incrementing_board("l")).await;
        let prepared_submission = with_submission_id(prepared(&submission(&[&board], "ann", &[5]), &[&board], fixture.now()), "x");
        let results = fixture.submit_prepared(&[prepared_submission.clone(), prepared_submission]).await;
        let flags: Vec<bool> = results.into_iter().map(|outcome| outcome.unwrap()[0].replayed).collect();
        assert_eq!(flags, [false, true]);
        assert_eq!(fixture.list_entries(&board).await, [ranked_line(1, "ann", 5)]);
    }

    async fn an_id_belongs_to_one_leaderboard(fixture) {
        let (one, two) = (fixture.put(&incrementing_board("one")).await, fixture.put(&incrementing_board("two")).await);
        fixture.submit_score_with_id(&one, "ann", 5, "x").await.unwrap();
        let both = [&one, &two];
        let prepared_submission = with_submission_id(prepared(&submission(&both, "ann", &[5]), &both, fixture.now()), "x");
        let outcomes = fixture.submit_prepared(&[prepared_submission]).await.remove(0).unwrap();
        assert_eq!(outcomes.iter().map(|o| o.replayed).collect::<Vec<_>>(), [true, false]);
        assert_eq!(fixture.list_entries(&one).await, [ranked_line(1, "ann", 5)]);
        assert_eq!(fixture.list_entries(&two).await, [ranked_line(1, "ann", 5)]);
    }

    async fn an_idempotency_record_is_kept_for_a_day(fixture) {
        let board = fixture.put(&incrementing_board("l")).await;
        fixture.submit_score_with_id(&board, "ann", 5, "x").await.unwrap();
        fixture.advance_ms(IDEMPOTENCY_MS - 2);
        assert!(fixture.submit_score_with_id(&board, "ann", 5, "x").await.unwrap().replayed);
        let second = fixture.submit_score_with_id(&board, "ann", 5, "x").await.unwrap();
        assert_eq!((second.replayed, second.values.first()), (false, 10));
        assert!(fixture.submit_score_with_id(&board, "ann", 5, "x").await.unwrap().replayed);
    }

    async fn every_id_of_the_last_day_is_known(fixture) {
        let board = fixture.put(&incrementing_board("l")).await;
        for step in 0..20 {
            let id = format!("n{step}");
            assert!(!fixture.submit_score_with_id(&board, "ann", 1, &id).await.unwrap().replayed);
            for back in 0..=step {
                let known = back * (IDEMPOTENCY_MS / 5) < IDEMPOTENCY_MS;
                if known {
                    let id = format!("n{}", step - back);
                    assert!(fixture.submit_score_with_id(&board, "ann", 1, &id).await.unwrap().replayed, "{id} at {step}");
                }
            }
            fixture.advance_ms(IDEMPOTENCY_MS / 5 - 100);
        }
        assert_eq!(fixture.list_entries(&board).await, [ranked_line(1, "ann", 20)]);
    }

    async fn a_refused_submission_leaves_its_id_unused(fixture) {
        let (open, limited) = (fixture.put(&incrementing_board("open")).await, fixture.put(&Leaderboard {
            limits: Limits { max: Some(4), ..Limits::default() },
            ..incrementing_board("limited")
        }).await);
        let both = [&open, &limited];
        let prepared_submission = with_submission_id(prepared(&submission(&both, "ann", &[5]), &both, fixture.now()), "x");
        assert!(fixture.submit_prepared(&[prepared_submission]).await.remove(0).is_err());
        let other = fixture.submit_score_with_id(&open, "bob", 9, "x").await.unwrap();
        assert!(!other.replayed);
    }

    async fn a_known_id_is_replayed_before_limits_are_checked(fixture) {
        let board = fixture.put(&Leaderboard {
            limits: Limits { max_attempts: Some(1), ..Limits::default() },
            ..incrementing_board("l")
        }).await;
        let first = fixture.submit_score_with_id(&board, "ann", 5, "x").await.unwrap();
        assert_eq!(fixture.refused_score(&board, "ann", 5).await, RefusalReason::AttemptsExhausted { max_attempts: 1 });
        assert_eq!(fixture.submit_score_with_id(&board, "ann", 5, "x").await, Ok(replayed(&first)));
    }

    async fn a_replay_returns_the_ranks_of_the_first_outcome(fixture) {
        let board = fixture.put(&incrementing_board("l")).await;
        let prepared_submission = with_submission_id(prepared(&submission(&[&board], "ann", &[5]), &[&board], fixture.now()), "x");
        let without_ranks = fixture.store.submit(&fixture.tenant, &[prepared_submission], RankDetail::Omitted).await.unwrap();
        assert_eq!(without_ranks[0].as_ref().unwrap()[0].rank, None);
        assert_eq!(fixture.submit_score_with_id(&board, "ann", 5, "x").await.unwrap().rank, None);
        let actual = fixture.submit_score_with_id(&board, "bob", 5, "y").await.unwrap();
        assert_eq!(actual.rank, Some(2));
    }

    async fn a_known_id_is_replayed_after_the_leaderboard_has_ended(fixture) {
        let ends_at = fixture.now().saturating_add_ms(10);
        let board = fixture.put(&Leaderboard { ends_at: Some(ends_at), ..incrementing_board("l") }).await;
        let first = fixture.submit_score_with_id(&board, "ann", 5, "x").await.unwrap();
        fixture.advance_ms(10);
        assert_eq!(fixture.submit_score_with_id(&board, "ann", 5, "x").await, Ok(replayed(&first)));
        let conflict = RefusalReason::IdConflict { id: submission_id("x") };
        assert_eq!(fixture.submit_score_with_id(&board, "ann", 6, "x").await, Err(conflict));
        assert_eq!(fixture.submit_score_with_id(&board, "ann", 5, "y").await, Err(RefusalReason::Ended { ends_at }));
        assert_eq!(fixture.read_events(&board).await.len(), 2);
    }

    async fn an_idempotency_record_outlives_its_entry(fixture) {
        let board = fixture.put(&incrementing_board("l")).await;
        let first = fixture.submit_score_with_id(&board, "ann", 5, "x").await.unwrap();
        fixture.remove(&board, "ann").await;
        assert_eq!(fixture.submit_score_with_id(&board, "ann", 5, "x").await, Ok(replayed(&first)));
        assert_eq!(fixture.list_entries(&board).await, []);
    }

    async fn idempotency_records_are_deleted_with_their_leaderboard(fixture) {
        let board = fixture.put(&incrementing_board("l")).await;
        fixture.submit_score_with_id(&board, "ann", 5, "x").await.unwrap();
        let expected = leaderboard_core::ports::Expected::Any;
        leaderboard_core::ports::Leaderboards::delete(&fixture.store, &fixture.tenant, &board.value.id, expected)
            .await.unwrap().unwrap();
        let board = fixture.put(&incrementing_board("l")).await;
        assert!(!fixture.submit_score_with_id(&board, "bob", 7, "x").await.unwrap().replayed);
    }
}
