//! Several submissions in a call, several leaderboards in a submission, and ids.

use std::rc::Rc;

use futures::executor::block_on;
use leaderboard_core::ports::{Events, IDEMPOTENCY_MS};
use leaderboard_core::{EventBody, Operator, RefusalReason};

use crate::support::*;

#[test]
fn a_submission_counts_on_every_leaderboard_or_on_none() {
    block_on(async {
        let file = File::new();
        let store = file.store();
        let open = configured(&store, &board("open")).await;
        let mut limited = board("limited");
        limited.limits.max = Some(10);
        let limited = configured(&store, &limited).await;
        let boards = [Rc::clone(&open), Rc::clone(&limited)];
        let attempts = [
            attempt(&boards, "ann", 10, None, at(0)),
            attempt(&boards, "bob", 11, None, at(1)),
            attempt(&boards, "cid", 9, None, at(2)),
        ];
        let results = submit(&store, &attempts).await;
        let refusal = results[1].clone().unwrap_err();
        assert_eq!(refusal.leaderboard, limited.value.id);
        assert_eq!(refusal.reason, RefusalReason::AboveMax { max: 10 });
        for board in &boards {
            let page = top(&store, board, 10).await;
            assert_eq!(lines(&page), [line(1, "ann", 10), line(2, "cid", 9)]);
            assert_eq!((page.version, page.count), (3, 2));
        }
    });
}

#[test]
fn the_log_has_no_gaps_and_says_everything() {
    block_on(async {
        let file = File::new();
        let store = file.store();
        let board = configured(&store, &board("goals")).await;
        let boards = [Rc::clone(&board)];
        let attempts: Vec<_> = (0..100)
            .map(|n| attempt(&boards, &format!("p{}", n % 7), n % 11, None, at(n)))
            .collect();
        submit(&store, &attempts).await;
        let events = store.read(&tenant(), &board.value.id, 0, 1000).await.unwrap();
        let positions: Vec<u64> = events.iter().map(|event| event.position).collect();
        assert_eq!(positions, (1..=101).collect::<Vec<u64>>());
        assert!(matches!(events[0].event.body, EventBody::Configured { .. }));
        let tail = store.read(&tenant(), &board.value.id, 99, 1).await.unwrap();
        assert_eq!(tail, events[99..100]);
        assert_eq!(
            store.read(&tenant(), &board.value.id, u64::MAX, 1).await,
            Ok(Vec::new())
        );
    });
}

#[test]
fn an_id_counts_once_for_a_day_on_each_leaderboard() {
    block_on(async {
        let file = File::new();
        let store = file.store();
        let mut sum = board("a");
        sum.operator = Operator::Increment;
        let a = configured(&store, &sum).await;
        sum.id = board("b").id;
        let b = configured(&store, &sum).await;
        let first = attempt(&[Rc::clone(&a)], "ann", 5, Some("one"), at(0));
        let both = attempt(&[Rc::clone(&a), Rc::clone(&b)], "ann", 5, Some("one"), at(1));
        // Also within one call.
        let results = submit(&store, &[first.clone(), both.clone(), both]).await;
        let seen: Vec<(i64, bool)> = results
            .into_iter()
            .flat_map(|result| result.unwrap())
            .map(|outcome| (outcome.values.first(), outcome.replayed))
            .collect();
        assert_eq!(seen, [(5, false), (5, true), (5, false), (5, true), (5, true)]);

        let late = |ms| attempt(&[Rc::clone(&a)], "ann", 5, Some("one"), at(ms));
        let results = submit(&store, &[late(IDEMPOTENCY_MS - 1), late(IDEMPOTENCY_MS)]).await;
        let seen: Vec<(i64, bool)> = results
            .into_iter()
            .flat_map(|result| result.unwrap())
            .map(|outcome| (outcome.values.first(), outcome.replayed))
            .collect();
        assert_eq!(seen, [(5, true), (10, false)]);
    });
}

#[test]
fn a_replay_is_the_first_outcome_to_the_last_field() {
    block_on(async {
        let file = File::new();
        let store = file.store();
        let board = configured(&store, &board("goals")).await;
        let boards = [Rc::clone(&board)];
        score(&store, &board, "ann", 3, 0).await;
        let attempts = [attempt(&boards, "ann", 5, Some("x"), at(1))];
        let mut first = submit(&store, &attempts).await.remove(0).unwrap().remove(0);
        score(&store, &board, "bob", 9, 2).await;
        let again = submit(&file.store(), &attempts)
            .await
            .remove(0)
            .unwrap()
            .remove(0);
        first.replayed = true;
        assert_eq!(again, first);
        assert_eq!(
            store.read(&tenant(), &board.value.id, 0, 10).await.unwrap().len(),
            4
        );
    });
}

#[test]
fn an_id_with_other_content_is_refused_and_changes_nothing() {
    block_on(async {
        let file = File::new();
        let store = file.store();
        let a = configured(&store, &board("a")).await;
        let b = configured(&store, &board("b")).await;
        let results = submit(
            &store,
            &[
                attempt(&[Rc::clone(&b)], "ann", 5, Some("x"), at(0)),
                attempt(&[Rc::clone(&a), Rc::clone(&b)], "ann", 6, Some("x"), at(1)),
            ],
        )
        .await;
        let refusal = results[1].clone().unwrap_err();
        assert!(matches!(refusal.reason, RefusalReason::IdConflict { .. }));
        assert_eq!(refusal.leaderboard, b.value.id);
        assert_eq!(top(&store, &a, 10).await.count, 0);
        assert_eq!(lines(&top(&store, &b, 10).await), [line(1, "ann", 5)]);
    });
}

#[test]
fn old_ids_are_forgotten_in_the_file_too() {
    block_on(async {
        let file = File::new();
        let store = file.store();
        let boards = [configured(&store, &board("goals")).await];
        let day = |day: i64, count: i64| -> Vec<_> {
            (0..count)
                .map(|n| {
                    attempt(
                        &boards,
                        "ann",
                        n,
                        Some(&format!("{day}/{n}")),
                        at(day * IDEMPOTENCY_MS),
                    )
                })
                .collect()
        };
        submit(&store, &day(0, 50)).await;
        submit(&store, &day(2, 3)).await;
        let left: i64 = file
            .raw()
            .query_row("SELECT count(*) FROM submissions", [], |row| row.get(0))
            .unwrap();
        assert_eq!(left, 3);
    });
}

#[test]
fn an_old_configuration_is_not_applied() {
    block_on(async {
        let file = File::new();
        let store = file.store();
        let mut goals = board("goals");
        let old = configured(&store, &goals).await;
        goals.limits.max = Some(1);
        configured(&store, &goals).await;
        let results = submit(&store, &[attempt(&[Rc::clone(&old)], "ann", 5, None, at(0))]).await;
        assert_eq!(
            results[0].clone().unwrap_err().reason,
            RefusalReason::StaleConfiguration
        );
    });
}

#[test]
fn full_range_integers_stay_exact() {
    block_on(async {
        let file = File::new();
        let store = file.store();
        let board = configured(&store, &board("goals")).await;
        for (name, points) in [
            ("max", i64::MAX),
            ("less", i64::MAX - 1),
            ("zero", 0),
            ("minus", -1),
            ("more", i64::MIN + 1),
            ("min", i64::MIN),
        ] {
            score(&store, &board, name, points, 0).await;
        }
        let page = top(&store, &board, 10).await;
        assert_eq!(
            lines(&page),
            [
                line(1, "max", i64::MAX),
                line(2, "less", i64::MAX - 1),
                line(3, "zero", 0),
                line(4, "minus", -1),
                line(5, "more", i64::MIN + 1),
                line(6, "min", i64::MIN),
            ]
        );
    });
}
