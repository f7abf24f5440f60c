//! An id counts once in 24 hours on a leaderboard.

use leaderboard_core::ports::{IDEMPOTENCY_MS, RankDetail, Scores};
use leaderboard_core::{IdScope, Leaderboard, Limits, Operator, Outcome, PreparedSubmission, RefusalReason};

use crate::given::{board, resolved, submission, submission_id};
use crate::harness::{line, on_both_stores, with_id};

fn adding(name: &str) -> Leaderboard {
    Leaderboard {
        operator: Operator::Increment,
        ..board(name)
    }
}

fn replayed(first: &Outcome) -> Outcome {
    Outcome {
        replayed: true,
        ..first.clone()
    }
}

on_both_stores! {
    async fn a_repeat_gets_the_first_outcome_and_changes_nothing(world) {
        let board = world.put(&adding("l")).await;
        world.score(&board, "bob", 3).await;
        let first = world.score_with_id(&board, "ann", 5, "x").await.unwrap();
        world.score(&board, "bob", 30).await;
        let again = world.score_with_id(&board, "ann", 5, "x").await.unwrap();
        assert_eq!(again, replayed(&first));
        assert_eq!((again.rank, again.version), (Some(1), 3));
        assert_eq!(world.events(&board).await.len(), 4);
        assert_eq!(world.list(&board).await, [line(1, "bob", 33), line(2, "ann", 5)]);
    }

    async fn the_same_id_with_other_content_is_an_error(world) {
        let board = world.put(&adding("l")).await;
        world.score_with_id(&board, "ann", 5, "x").await.unwrap();
        let conflict = RefusalReason::IdConflict { id: submission_id("x") };
        assert_eq!(world.score_with_id(&board, "ann", 6, "x").await, Err(conflict.clone()));
        assert_eq!(world.score_with_id(&board, "bob", 5, "x").await, Err(conflict));
        assert_eq!(world.list(&board).await, [line(1, "ann", 5)]);
        assert_eq!(world.events(&board).await.len(), 2);
    }

    async fn an_id_of_a_player_is_in_nobody_elses_way(world) {
        let board = world.put(&adding("l")).await;
        let longest = "é".repeat(64);
        let one = |name: &str, id_scope, id: &str| {
            let resolved = resolved(&submission(&[&board], name, &[5]), &[&board], world.now());
            PreparedSubmission { id_scope, ..with_id(resolved, id) }
        };
        let attempts = [
            one(&longest, IdScope::Player, &longest),
            one("ann", IdScope::Player, &longest),
            one("bob", IdScope::Leaderboard, &longest),
            // What a player and an id are together says where one of them ends.
            one("annx", IdScope::Player, "y"),
            one("ann", IdScope::Player, "xy"),
            one("ann", IdScope::Leaderboard, "annxy"),
        ];
        let told = |settled: Vec<Result<Vec<Outcome>, _>>| -> Vec<bool> {
            settled.into_iter().map(|outcome: Result<_, leaderboard_core::Refusal>| outcome.unwrap()[0].replayed).collect()
        };
        assert_eq!(told(world.settle(&attempts).await), [false; 6]);
        assert_eq!(told(world.settle(&attempts).await), [true; 6]);
        let taken = PreparedSubmission { id_scope: IdScope::Player, ..one("ann", IdScope::Player, "xy") };
        let other = PreparedSubmission { fingerprint: [1; 16], ..taken };
        let refused = world.settle(&[other]).await.remove(0).unwrap_err();
        assert_eq!(refused.reason, RefusalReason::IdConflict { id: submission_id("xy") });
        // The log has the id as the client sent it.
        let events = world.events(&board).await;
        let leaderboard_core::EventBody::Submitted { id, .. } = &events[1].event.body else {
            panic!("no submission: {events:?}");
        };
        assert_eq!(*id, Some(submission_id(&longest)));
    }

    async fn a_repeat_within_one_call_counts_once(world) {
        let board = world.put(&adding("l")).await;
        let attempt = with_id(resolved(&submission(&[&board], "ann", &[5]), &[&board], world.now()), "x");
        let settled = world.settle(&[attempt.clone(), attempt]).await;
        let flags: Vec<bool> = settled.into_iter().map(|outcome| outcome.unwrap()[0].replayed).collect();
        assert_eq!(flags, [false, true]);
        assert_eq!(world.list(&board).await, [line(1, "ann", 5)]);
    }

    async fn an_id_belongs_to_one_leaderboard(world) {
        let (one, two) = (world.put(&adding("one")).await, world.put(&adding("two")).await);
        world.score_with_id(&one, "ann", 5, "x").await.unwrap();
        let both = [&one, &two];
        let attempt = with_id(resolved(&submission(&both, "ann", &[5]), &both, world.now()), "x");
        let outcomes = world.settle(&[attempt]).await.remove(0).unwrap();
        assert_eq!(outcomes.iter().map(|o| o.replayed).collect::<Vec<_>>(), [true, false]);
        assert_eq!(world.list(&one).await, [line(1, "ann", 5)]);
        assert_eq!(world.list(&two).await, [line(1, "ann", 5)]);
    }

    async fn an_id_is_forgotten_after_a_day_and_not_before(world) {
        let board = world.put(&adding("l")).await;
        world.score_with_id(&board, "ann", 5, "x").await.unwrap();
        world.pass_ms(IDEMPOTENCY_MS - 2);
        assert!(world.score_with_id(&board, "ann", 5, "x").await.unwrap().replayed);
        let second = world.score_with_id(&board, "ann", 5, "x").await.unwrap();
        assert_eq!((second.replayed, second.values.first()), (false, 10));
        assert!(world.score_with_id(&board, "ann", 5, "x").await.unwrap().replayed);
    }

    async fn ids_of_two_days_are_both_known(world) {
        let board = world.put(&adding("l")).await;
        for step in 0..20 {
            let id = format!("n{step}");
            assert!(!world.score_with_id(&board, "ann", 1, &id).await.unwrap().replayed);
            for back in 0..=step {
                let known = back * (IDEMPOTENCY_MS / 5) < IDEMPOTENCY_MS;
                if known {
                    let id = format!("n{}", step - back);
                    assert!(world.score_with_id(&board, "ann", 1, &id).await.unwrap().replayed, "{id} at {step}");
                }
            }
            world.pass_ms(IDEMPOTENCY_MS / 5 - 100);
        }
        assert_eq!(world.list(&board).await, [line(1, "ann", 20)]);
    }

    async fn a_refused_submission_leaves_its_id_unused(world) {
        let (open, limited) = (world.put(&adding("open")).await, world.put(&Leaderboard {
            limits: Limits { max: Some(4), ..Limits::default() },
            ..adding("limited")
        }).await);
        let both = [&open, &limited];
        let attempt = with_id(resolved(&submission(&both, "ann", &[5]), &both, world.now()), "x");
        assert!(world.settle(&[attempt]).await.remove(0).is_err());
        let other = world.score_with_id(&open, "bob", 9, "x").await.unwrap();
        assert!(!other.replayed);
    }

    async fn a_known_id_is_answered_before_any_limit_is_looked_at(world) {
        let board = world.put(&Leaderboard {
            limits: Limits { max_attempts: Some(1), ..Limits::default() },
            ..adding("l")
        }).await;
        let first = world.score_with_id(&board, "ann", 5, "x").await.unwrap();
        assert_eq!(world.refused(&board, "ann", 5).await, RefusalReason::AttemptsExhausted { max_attempts: 1 });
        assert_eq!(world.score_with_id(&board, "ann", 5, "x").await, Ok(replayed(&first)));
    }

    async fn a_repeat_tells_what_the_first_one_told_of_ranks(world) {
        let board = world.put(&adding("l")).await;
        let attempt = with_id(resolved(&submission(&[&board], "ann", &[5]), &[&board], world.now()), "x");
        let silent = world.store.submit(&world.tenant, &[attempt], RankDetail::Omitted).await.unwrap();
        assert_eq!(silent[0].as_ref().unwrap()[0].rank, None);
        assert_eq!(world.score_with_id(&board, "ann", 5, "x").await.unwrap().rank, None);
        let told = world.score_with_id(&board, "bob", 5, "y").await.unwrap();
        assert_eq!(told.rank, Some(2));
    }

    async fn what_was_accepted_once_stays_accepted(world) {
        let ends_at = world.now().saturating_add_ms(10);
        let board = world.put(&Leaderboard { ends_at: Some(ends_at), ..adding("l") }).await;
        let first = world.score_with_id(&board, "ann", 5, "x").await.unwrap();
        world.pass_ms(10);
        assert_eq!(world.score_with_id(&board, "ann", 5, "x").await, Ok(replayed(&first)));
        let conflict = RefusalReason::IdConflict { id: submission_id("x") };
        assert_eq!(world.score_with_id(&board, "ann", 6, "x").await, Err(conflict));
        assert_eq!(world.score_with_id(&board, "ann", 5, "y").await, Err(RefusalReason::Ended { ends_at }));
        assert_eq!(world.events(&board).await.len(), 2);
    }

    async fn an_id_outlives_the_entry_it_made(world) {
        let board = world.put(&adding("l")).await;
        let first = world.score_with_id(&board, "ann", 5, "x").await.unwrap();
        world.remove(&board, "ann").await;
        assert_eq!(world.score_with_id(&board, "ann", 5, "x").await, Ok(replayed(&first)));
        assert_eq!(world.list(&board).await, []);
    }

    async fn ids_go_with_their_leaderboard(world) {
        let board = world.put(&adding("l")).await;
        world.score_with_id(&board, "ann", 5, "x").await.unwrap();
        let expected = leaderboard_core::ports::Expected::Any;
        leaderboard_core::ports::Leaderboards::delete(&world.store, &world.tenant, &board.value.id, expected)
            .await.unwrap().unwrap();
        let board = world.put(&adding("l")).await;
        assert!(!world.score_with_id(&board, "bob", 7, "x").await.unwrap().replayed);
    }
}
