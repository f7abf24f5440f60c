//! Tests of submissions and their outcomes.

use leaderboard_core::ports::{DeadLetter, DeadLetters, Expected, RankDetail, Scores};
use leaderboard_core::{EventBody, Limits, Operator, Previous, RefusalReason, Status, Submission};
use leaderboard_test_support::values::{at, board, id, metadata, player, prepared, submission, values};
use leaderboard_test_support::{put_leaderboard, ranked_line};

use crate::cases::on_both_stores;

on_both_stores! {
    async fn an_outcome_has_status_values_ranks_and_version(fixture) {
        let board = fixture.put(&board("l")).await;
        fixture.submit_score(&board, "ann", 10).await;
        let first = fixture.submit_score(&board, "bob", 5).await;
        assert_eq!((first.status, first.rank, first.previous, first.version), (Status::Created, Some(2), None, 3));
        let improved = fixture.submit_score(&board, "bob", 11).await;
        assert_eq!((improved.status, improved.rank, improved.version), (Status::Improved, Some(1), 4));
        assert_eq!(improved.previous, Some(Previous { values: values(&[5]), rank: Some(2) }));
        assert_eq!(improved.values, values(&[11]));
        let worse = fixture.submit_score(&board, "bob", -3).await;
        assert_eq!((worse.status, worse.rank, worse.version), (Status::Changed, Some(2), 5));
        assert_eq!((worse.leaderboard, worse.period.as_str(), worse.player), (id("l"), "all", player("bob")));
        assert!(!worse.replayed);
    }

    async fn a_kept_score_is_an_event_and_an_attempt_but_no_new_version(fixture) {
        let board = fixture.put(&board("l")).await;
        let first = fixture.submit_score(&board, "ann", 5).await;
        let kept = fixture.submit_score(&board, "ann", 5).await;
        assert_eq!((kept.status, kept.version, kept.rank), (Status::Kept, first.version, Some(1)));
        assert_eq!(fixture.read_events(&board).await.len(), 3);
        let top = fixture.page(&board, &leaderboard_core::ports::PageFrom::Top, 1).await;
        assert_eq!((top.version, top.entries[0].entry.attempts), (first.version, 2));
    }

    async fn all_targets_are_applied_or_none(fixture) {
        let open = fixture.put(&board("open")).await;
        let limited = fixture.put(&leaderboard_core::Leaderboard {
            limits: Limits { max: Some(10), ..Limits::default() },
            ..board("limited")
        }).await;
        let targets = [&open, &limited];
        let refusal = fixture.submit(&submission(&targets, "ann", &[11]), &targets).await.unwrap_err();
        assert_eq!((refusal.leaderboard, refusal.reason), (id("limited"), RefusalReason::AboveMax { max: 10 }));
        assert_eq!(fixture.list_entries(&open).await, []);
        assert_eq!(fixture.read_events(&open).await.len(), 1);
        let outcomes = fixture.submit(&submission(&targets, "ann", &[10]), &targets).await.unwrap();
        let actual: Vec<_> = outcomes.iter().map(|o| (o.leaderboard.as_str(), o.status, o.version)).collect();
        assert_eq!(actual, [("open", Status::Created, 2), ("limited", Status::Created, 2)]);
    }

    async fn a_refusal_does_not_affect_the_other_submissions_of_the_call(fixture) {
        let board = fixture.put(&leaderboard_core::Leaderboard {
            limits: Limits { max: Some(10), ..Limits::default() },
            ..board("l")
        }).await;
        let prepared_submissions = [("a", 1), ("b", 11), ("c", 3)].map(|(name, value)| {
            prepared(&submission(&[&board], name, &[value]), &[&board], fixture.now())
        });
        let results: Vec<bool> = fixture.submit_prepared(&prepared_submissions).await.iter().map(Result::is_ok).collect();
        assert_eq!(results, [true, false, true]);
        assert_eq!(fixture.list_entries(&board).await, [ranked_line(1, "c", 3), ranked_line(2, "a", 1)]);
    }

    async fn a_rank_is_correct_at_the_version_of_its_outcome(fixture) {
        let board = fixture.put(&board("l")).await;
        let prepared_submissions = [1, 2, 3].map(|value| {
            prepared(&submission(&[&board], &format!("p{value}"), &[value]), &[&board], fixture.now())
        });
        let actual: Vec<_> = fixture.submit_prepared(&prepared_submissions).await.into_iter().map(|outcome| {
            let outcome = outcome.unwrap().remove(0);
            (outcome.version, outcome.rank)
        }).collect();
        assert_eq!(actual, [(2, Some(1)), (3, Some(1)), (4, Some(1))]);
    }

    async fn ranks_are_omitted_on_request(fixture) {
        let board = fixture.put(&board("l")).await;
        fixture.submit_score(&board, "ann", 5).await;
        let prepared_submission = prepared(&submission(&[&board], "ann", &[6]), &[&board], fixture.now());
        let results = fixture.store.submit(&fixture.tenant, &[prepared_submission], RankDetail::Omitted).await.unwrap();
        let outcome = results.into_iter().next().unwrap().unwrap().remove(0);
        assert_eq!((outcome.status, outcome.rank, outcome.version), (Status::Improved, None, 3));
        assert_eq!(outcome.previous, Some(Previous { values: values(&[5]), rank: None }));
    }

    async fn a_call_without_submissions_has_no_outcomes(fixture) {
        assert_eq!(fixture.submit_prepared(&[]).await, []);
    }

    async fn a_thousand_submissions_apply_in_their_order(fixture) {
        let total = fixture.put(&leaderboard_core::Leaderboard {
            operator: Operator::Increment,
            ..board("total")
        }).await;
        let other = fixture.put(&board("other")).await;
        let targets = [&total, &other];
        let prepared_submissions: Vec<_> = (0..1000).map(|n| {
            prepared(&submission(&targets, &format!("p{}", n % 7), &[1]), &targets, fixture.now())
        }).collect();
        let results = fixture.submit_prepared(&prepared_submissions).await;
        assert!(results.iter().all(Result::is_ok));
        let sum: i64 = fixture.list_entries(&total).await.iter().map(|(_, _, value)| value).sum();
        assert_eq!(sum, 1000);
        let last = results.into_iter().next_back().unwrap().unwrap();
        assert_eq!((last[0].version, last[0].values.first()), (1001, 143));
        assert_eq!(fixture.read_events(&other).await.len(), 1001);
    }

    async fn values_of_the_whole_64_bit_range_are_exact(fixture) {
        let board = fixture.put(&board("l")).await;
        let all = [i64::MAX, i64::MAX - 1, (1 << 53) + 1, 1 << 53, 0, -1, -(1 << 53) - 1, i64::MIN + 1, i64::MIN];
        for (at, value) in all.iter().enumerate() {
            let outcome = fixture.submit_score(&board, &format!("p{at}"), *value).await;
            assert_eq!(outcome.rank, Some(at as u64 + 1));
        }
        let values: Vec<i64> = fixture.list_entries(&board).await.iter().map(|(_, _, value)| *value).collect();
        assert_eq!(values, all);
    }

    async fn every_part_of_a_submission_is_in_its_event(fixture) {
        let board = fixture.put(&board("l")).await;
        let full = Submission {
            operator: Some(Operator::Increment),
            metadata: Some(metadata("{\"a\":[1,\"é\"]}")),
            occurred_at: Some(fixture.now().saturating_add_ms(-5)),
            id: leaderboard_core::SubmissionId::new("x").ok(),
            ..submission(&[&board], "José \"ok\"", &[7])
        };
        let recorded_at = fixture.now();
        fixture.submit(&full, &[&board]).await.unwrap();
        let event = fixture.read_events(&board).await.remove(1);
        assert_eq!((event.position, event.event.recorded_at), (2, recorded_at));
        assert_eq!(event.event.body, EventBody::Submitted {
            player: full.player.clone(),
            period: leaderboard_core::PeriodId::all_time(),
            operator: Operator::Increment,
            values: values(&[7]),
            metadata: full.metadata.clone(),
            occurred_at: recorded_at.saturating_add_ms(-5),
            id: full.id.clone(),
            banned: false,
            kept: false,
        });
    }

    async fn two_connections_see_the_same_data(fixture) {
        let board = fixture.put(&board("l")).await;
        let first = fixture.submit_score_with_id(&board, "ann", 1, "x").await.unwrap();
        let second = fixture.backend.open().await;
        let mut again = prepared(&submission(&[&board], "ann", &[1]), &[&board], at(0));
        again.id = leaderboard_core::SubmissionId::new("x").ok();
        let mut results = second.submit(&fixture.tenant, &[again], RankDetail::Full).await.unwrap();
        let replay = results.remove(0).unwrap().remove(0);
        assert_eq!((replay.replayed, replay.version), (true, first.version));
        let put = put_leaderboard(&second, &fixture.tenant, &board.value, Expected::Any, false, at(1)).await;
        assert_eq!(put, Ok((board.version, false)));
        let letter = DeadLetter { at: at(0), reason: "bad".into(), payload: vec![1] };
        second.push_dead_letters(None, std::slice::from_ref(&letter)).await.unwrap();
        let stored = fixture.store.list_dead_letters(None, None, 10).await.unwrap();
        assert_eq!(stored.iter().map(|stored| &stored.letter).collect::<Vec<_>>(), [&letter]);
    }
}
