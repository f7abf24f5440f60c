//! Submissions: what they do, and what they tell.

use leaderboard_core::ports::{RankDetail, Scores};
use leaderboard_core::{EventBody, Limits, Operator, Previous, RefusalReason, Status, Submission};

use crate::given::{board, id, metadata, player, resolved, submission, values};
use crate::harness::{line, on_both_stores};

on_both_stores! {
    async fn an_outcome_tells_status_values_ranks_and_version(world) {
        let board = world.put(&board("l")).await;
        world.score(&board, "ann", 10).await;
        let first = world.score(&board, "bob", 5).await;
        assert_eq!((first.status, first.rank, first.previous, first.version), (Status::Created, Some(2), None, 3));
        let improved = world.score(&board, "bob", 11).await;
        assert_eq!((improved.status, improved.rank, improved.version), (Status::Improved, Some(1), 4));
        assert_eq!(improved.previous, Some(Previous { values: values(&[5]), rank: Some(2) }));
        assert_eq!(improved.values, values(&[11]));
        let worse = world.score(&board, "bob", -3).await;
        assert_eq!((worse.status, worse.rank, worse.version), (Status::Changed, Some(2), 5));
        assert_eq!((worse.leaderboard, worse.period.as_str(), worse.player), (id("l"), "all", player("bob")));
        assert!(!worse.replayed);
    }

    async fn a_kept_score_is_an_event_and_an_attempt_but_no_new_version(world) {
        let board = world.put(&board("l")).await;
        let first = world.score(&board, "ann", 5).await;
        let kept = world.score(&board, "ann", 5).await;
        assert_eq!((kept.status, kept.version, kept.rank), (Status::Kept, first.version, Some(1)));
        assert_eq!(world.events(&board).await.len(), 3);
        let top = world.page(&board, &leaderboard_core::ports::PageFrom::Top, 1).await;
        assert_eq!((top.version, top.entries[0].entry.attempts), (first.version, 2));
    }

    async fn all_targets_are_applied_or_none(world) {
        let open = world.put(&board("open")).await;
        let limited = world.put(&leaderboard_core::Leaderboard {
            limits: Limits { max: Some(10), ..Limits::default() },
            ..board("limited")
        }).await;
        let targets = [&open, &limited];
        let refusal = world.submit(&submission(&targets, "ann", &[11]), &targets).await.unwrap_err();
        assert_eq!((refusal.leaderboard, refusal.reason), (id("limited"), RefusalReason::AboveMax { max: 10 }));
        assert_eq!(world.list(&open).await, []);
        assert_eq!(world.events(&open).await.len(), 1);
        let outcomes = world.submit(&submission(&targets, "ann", &[10]), &targets).await.unwrap();
        let told: Vec<_> = outcomes.iter().map(|o| (o.leaderboard.as_str(), o.status, o.version)).collect();
        assert_eq!(told, [("open", Status::Created, 2), ("limited", Status::Created, 2)]);
    }

    async fn a_refusal_leaves_the_other_attempts_of_the_call_alone(world) {
        let board = world.put(&leaderboard_core::Leaderboard {
            limits: Limits { max: Some(10), ..Limits::default() },
            ..board("l")
        }).await;
        let attempts = [("a", 1), ("b", 11), ("c", 3)].map(|(name, value)| {
            resolved(&submission(&[&board], name, &[value]), &[&board], world.now())
        });
        let settled: Vec<bool> = world.settle(&attempts).await.iter().map(Result::is_ok).collect();
        assert_eq!(settled, [true, false, true]);
        assert_eq!(world.list(&board).await, [line(1, "c", 3), line(2, "a", 1)]);
    }

    async fn ranks_hold_at_the_version_beside_them(world) {
        let board = world.put(&board("l")).await;
        let attempts = [1, 2, 3].map(|value| {
            resolved(&submission(&[&board], &format!("p{value}"), &[value]), &[&board], world.now())
        });
        let told: Vec<_> = world.settle(&attempts).await.into_iter().map(|outcome| {
            let outcome = outcome.unwrap().remove(0);
            (outcome.version, outcome.rank)
        }).collect();
        assert_eq!(told, [(2, Some(1)), (3, Some(1)), (4, Some(1))]);
    }

    async fn ranks_are_left_out_when_not_wanted(world) {
        let board = world.put(&board("l")).await;
        world.score(&board, "ann", 5).await;
        let attempt = resolved(&submission(&[&board], "ann", &[6]), &[&board], world.now());
        let settled = world.store.submit(&world.tenant, &[attempt], RankDetail::Omitted).await.unwrap();
        let outcome = settled.into_iter().next().unwrap().unwrap().remove(0);
        assert_eq!((outcome.status, outcome.rank, outcome.version), (Status::Improved, None, 3));
        assert_eq!(outcome.previous, Some(Previous { values: values(&[5]), rank: None }));
    }

    async fn no_attempts_are_no_work(world) {
        assert_eq!(world.settle(&[]).await, []);
    }

    async fn a_thousand_attempts_settle_in_their_order(world) {
        let total = world.put(&leaderboard_core::Leaderboard {
            operator: Operator::Increment,
            ..board("total")
        }).await;
        let other = world.put(&board("other")).await;
        let targets = [&total, &other];
        let attempts: Vec<_> = (0..1000).map(|n| {
            resolved(&submission(&targets, &format!("p{}", n % 7), &[1]), &targets, world.now())
        }).collect();
        let settled = world.settle(&attempts).await;
        assert!(settled.iter().all(Result::is_ok));
        let sum: i64 = world.list(&total).await.iter().map(|(_, _, value)| value).sum();
        assert_eq!(sum, 1000);
        let last = settled.into_iter().next_back().unwrap().unwrap();
        assert_eq!((last[0].version, last[0].values.first()), (1001, 143));
        assert_eq!(world.events(&other).await.len(), 1001);
    }

    async fn whole_64_bit_values_are_exact(world) {
        let board = world.put(&board("l")).await;
        let all = [i64::MAX, i64::MAX - 1, (1 << 53) + 1, 1 << 53, 0, -1, -(1 << 53) - 1, i64::MIN + 1, i64::MIN];
        for (at, value) in all.iter().enumerate() {
            let outcome = world.score(&board, &format!("p{at}"), *value).await;
            assert_eq!(outcome.rank, Some(at as u64 + 1));
        }
        let values: Vec<i64> = world.list(&board).await.iter().map(|(_, _, value)| *value).collect();
        assert_eq!(values, all);
    }

    async fn every_part_of_a_submission_is_in_its_event(world) {
        let board = world.put(&board("l")).await;
        let full = Submission {
            operator: Some(Operator::Increment),
            metadata: Some(metadata("{\"a\":[1,\"é\"]}")),
            occurred_at: Some(world.now().saturating_add_ms(-5)),
            id: leaderboard_core::SubmissionId::new("x").ok(),
            ..submission(&[&board], "José \"ok\"", &[7])
        };
        let recorded_at = world.now();
        world.submit(&full, &[&board]).await.unwrap();
        let event = world.events(&board).await.remove(1);
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
}
