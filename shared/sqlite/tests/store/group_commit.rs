//! Tests of submissions that the store commits together. Each of them has its own result.

use std::rc::Rc;
use std::time::Duration;

use futures::executor::block_on;
use futures::future::join_all;
use futures::poll;
use leaderboard_core::ports::{Charge, ChargeRequest, RankDetail, Scores, SubmitOptions, Submitted};
use leaderboard_core::{
    Leaderboard, Limits, Operator, PreparedSubmission, RefusalReason, Status, StoreError, Versioned,
};
use leaderboard_sqlite::SqliteStore;

use crate::sharing::Observed;
use crate::support::*;

/// The number of submissions that arrive together.
const TOGETHER: usize = 16;

async fn submit_one(store: &SqliteStore<Observed>, one: PreparedSubmission) -> Result<Submitted, StoreError> {
    let options = SubmitOptions::new(RankDetail::Full);
    store.submit_with_options(&tenant(), &[one], &options).await
}

/// Returns a leaderboard that adds up the scores of a player.
fn sum_leaderboard() -> Leaderboard {
    Leaderboard {
        operator: Operator::Increment,
        ..board("sum")
    }
}

#[test]
fn submissions_that_arrive_together_share_transactions_and_keep_their_order() {
    block_on(async {
        let file = File::new();
        let connection = Observed::open(&file);
        let transactions = Rc::clone(&connection.write_transactions);
        let store = SqliteStore::new(connection);
        let board = create_leaderboard(&store, &sum_leaderboard()).await;
        transactions.take();
        let boards = [board.clone()];
        let calls = (0..TOGETHER).map(|_| submit_one(&store, prepare(&boards, "ann", 1, None, at(0))));
        let sums: Vec<_> = join_all(calls)
            .await
            .into_iter()
            .map(|submitted| submitted.unwrap().answers[0].as_ref().unwrap()[0].values.first())
            .collect();
        assert_eq!(sums, (1..=16).collect::<Vec<i64>>());
        assert_eq!(transactions.get(), 1);
    });
}

/// Returns a short text for the result of a call with one submission.
fn describe(submitted: &Submitted) -> String {
    match submitted.answers.as_slice() {
        [] => "limited".to_owned(),
        [Ok(outcomes)] => format!("{:?} {}", outcomes[0].status, outcomes[0].replayed),
        [Err(refusal)] => match &refusal.reason {
            RefusalReason::IdConflict { .. } => "id".to_owned(),
            RefusalReason::StaleConfiguration => "stale".to_owned(),
            RefusalReason::TenantFull { max_entries } => format!("full {max_entries}"),
            other => format!("{other:?}"),
        },
        more => panic!("{more:?}"),
    }
}

/// Returns a charge on a limit of two units, which grows back by one unit an hour.
fn charge_of_two_units() -> ChargeRequest {
    ChargeRequest {
        charges: vec![Charge {
            bucket: "writes".into(),
            interval_us: 3_600_000_000,
            burst: 2,
            needs: Some(1),
            cost: 1,
        }],
        ..ChargeRequest::default()
    }
}

#[test]
fn each_submission_of_a_group_has_its_own_charge_refusal_and_outcome() {
    block_on(async {
        let file = File::new();
        let store = SqliteStore::new(Observed::open(&file));
        let mut leaderboard = sum_leaderboard();
        leaderboard.limits = Limits {
            max: Some(50),
            ..Limits::default()
        };
        let board = create_leaderboard(&store, &leaderboard).await;
        let boards = [board.clone()];
        let stale: Board = Rc::new(Versioned {
            version: board.version - 1,
            value: board.value.clone(),
        });
        let submission = |name: &str, value, id| prepare(&boards, name, value, id, at(0));
        let calls = [
            (submission("ann", 1, Some("x")), None),
            (submission("ann", 1, Some("x")), None),
            (submission("ann", 2, Some("x")), None),
            (submission("bob", 51, None), None),
            (prepare(&[stale], "bob", 1, None, at(0)), None),
            (submission("bob", 1, None), Some(2)),
            (submission("bob", 1, None), Some(3)),
            (submission("cid", 1, None), None),
            (submission("cid", 1, None), None),
            (submission("cid", 1, None), None),
        ];
        let calls = calls.into_iter().enumerate().map(|(index, (one, max_entries))| {
            let mut options = SubmitOptions::new(RankDetail::Full);
            // The last three submissions share a limit of two.
            if index >= 7 {
                options.charge_request = charge_of_two_units();
            }
            options.max_tenant_entries = max_entries.map(|most: u64| most - 1);
            let store = &store;
            async move {
                store
                    .submit_with_options(&tenant(), &[one], &options)
                    .await
                    .unwrap()
            }
        });
        let results = join_all(calls).await;
        let results: Vec<_> = results.iter().map(describe).collect();
        let created = format!("{:?} false", Status::Created);
        assert_eq!(results[0], created);
        assert_eq!(results[1], format!("{:?} true", Status::Created));
        assert_eq!(results[2], "id");
        assert!(results[3].contains("50"), "{}", results[3]);
        assert_eq!(results[4], "stale");
        assert_eq!(results[5], "full 1");
        assert_eq!(results[6], created);
        assert_eq!(results[7], created);
        assert_eq!(results[8], format!("{:?} false", Status::Improved));
        assert_eq!(results[9], "limited");
    });
}

#[test]
fn damaged_data_of_a_player_fails_only_that_players_submissions() {
    block_on(async {
        let file = File::new();
        let store = SqliteStore::new(Observed::open(&file));
        let board = create_leaderboard(&store, &sum_leaderboard()).await;
        for name in ["ann", "bob"] {
            submit_score(&store, &board, name, 1, 0).await;
        }
        let damage = "UPDATE entries SET attempts = -1 WHERE player = 'bob'";
        file.raw().execute_batch(damage).unwrap();
        let boards = [board.clone()];
        let calls = ["ann", "bob", "cid", "bob", "ann"]
            .map(|name| submit_one(&store, prepare(&boards, name, 1, None, at(1))));
        let ended: Vec<_> = join_all(calls).await.into_iter().map(|one| one.is_ok()).collect();
        assert_eq!(ended, [true, false, true, false, true]);
        let ann = submit_score(&store, &board, "ann", 1, 2).await;
        assert_eq!(ann.values.first(), 4);
    });
}

#[test]
fn calls_that_wait_for_a_dropped_leader_are_applied_by_the_next_leader() {
    for polls in 0..4 {
        block_on(async {
            let file = File::new();
            let connection = Observed::open(&file);
            let busy = Rc::clone(&connection.busy);
            let store = SqliteStore::new(connection);
            let board = create_leaderboard(&store, &sum_leaderboard()).await;
            let boards = [board.clone()];
            let submission = || prepare(&boards, "ann", 1, None, at(0));
            let mut calls: Vec<_> = (0..3)
                .map(|_| Box::pin(submit_one(&store, submission())))
                .collect();
            // The leader finds the file in use until it is dropped.
            busy.set(u32::MAX);
            for _ in 0..polls {
                for call in &mut calls {
                    assert!(poll!(call.as_mut()).is_pending());
                }
            }
            drop(calls.remove(0));
            busy.set(0);
            for applied in join_all(calls).await {
                applied.unwrap();
            }
            let sum = submit_score(&store, &board, "ann", 1, 1).await.values.first();
            assert_eq!(sum, 3, "after {polls} polls");
        });
    }
}

#[test]
fn calls_that_wait_together_for_another_writer_fail_together() {
    block_on(async {
        let file = File::new();
        let connection = Observed::open(&file);
        let (busy, paused) = (Rc::clone(&connection.busy), Rc::clone(&connection.paused));
        let store = SqliteStore::new(connection);
        let board = create_leaderboard(&store, &sum_leaderboard()).await;
        let boards = [board.clone()];
        busy.set(u32::MAX);
        let calls = (0..TOGETHER).map(|_| submit_one(&store, prepare(&boards, "ann", 1, None, at(0))));
        for failed in join_all(calls).await {
            assert!(matches!(failed, Err(StoreError::Unavailable(_))), "{failed:?}");
        }
        assert!(paused.get() < Duration::from_secs(8), "{:?}", paused.get());
        busy.set(0);
        assert_eq!(submit_score(&store, &board, "ann", 1, 1).await.values.first(), 1);
    });
}
