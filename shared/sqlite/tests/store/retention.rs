//! Tests of the counted size of idempotency records, and of their deletion.

use std::rc::Rc;

use futures::executor::block_on;
use leaderboard_core::codec::encode_outcome;
use leaderboard_core::ports::{Expected, IDEMPOTENCY_MS, Leaderboards, RankDetail, Scores, SubmitOptions};
use leaderboard_core::{
    Column, Columns, IdScope, MAX_COLUMN_NAME_BYTES, MAX_PLAYER_BYTES, MAX_SUBMISSION_ID_BYTES, Order,
    PreparedSubmission, RECORD_OVERHEAD_BYTES, RefusalReason, Submission, SubmittedValues,
};
use leaderboard_sqlite::SqliteStore;

use crate::native_sqlite::NativeSqlite;
use crate::support::*;

/// Submits with a quota in bytes. Returns whether the submission fits. Any refusal must be a full quota.
async fn submit_with_quota(
    store: &SqliteStore<NativeSqlite>,
    prepared: &PreparedSubmission,
    max_log_bytes: u64,
) -> bool {
    let options = SubmitOptions {
        max_log_bytes: Some(max_log_bytes),
        ..SubmitOptions::new(RankDetail::Full)
    };
    let one = std::slice::from_ref(prepared);
    let submitted = store.submit_with_options(&tenant(), one, &options).await.unwrap();
    let answer = submitted.answers.into_iter().next().unwrap();
    if let Err(refusal) = &answer {
        assert_eq!(refusal.reason, RefusalReason::LogFull { max_log_bytes });
    }
    answer.is_ok()
}

/// Returns the counted size of the tenant's records, in bytes.
fn read_counted_bytes(file: &File) -> u64 {
    const COUNTED: &str = "SELECT coalesce(sum(bytes), 0) FROM tenant_record_weights";
    file.raw().query_row(COUNTED, [], |row| row.get(0)).unwrap()
}

/// Returns a leaderboard with the maximum number of columns, with names of the maximum length.
fn wide_leaderboard() -> leaderboard_core::Leaderboard {
    let names = ["a", "b", "c"].map(|name| name.repeat(MAX_COLUMN_NAME_BYTES));
    let columns = names.map(|name| Column::new(name, Order::Descending).unwrap());
    let mut wide = daily_leaderboard("wide", 10);
    wide.columns = Columns::new(columns.to_vec()).unwrap();
    wide
}

/// Returns a submission with a player name and an id of the maximum length, in the id scope of the player.
fn large_submission(board: &Board) -> PreparedSubmission {
    let columns = board.value.columns.iter();
    let values = columns.map(|column| (column.name().to_owned(), 1)).collect();
    let player = "p".repeat(MAX_PLAYER_BYTES);
    let id = "i".repeat(MAX_SUBMISSION_ID_BYTES);
    let submission = Submission {
        values: SubmittedValues::Named(values),
        ..submission(&[Rc::clone(board)], &player, 1, Some(&id))
    };
    let mut prepared = submission.resolve(&[Rc::clone(board)], at(0)).unwrap();
    prepared.id_scope = IdScope::Player;
    prepared
}

#[test]
fn a_record_counts_its_size_until_its_leaderboard_is_deleted() {
    block_on(async {
        let file = File::new();
        let store = file.store();
        let narrow = create_leaderboard(&store, &board("narrow")).await;
        let wide = create_leaderboard(&store, &wide_leaderboard()).await;
        let large = large_submission(&wide);
        let large_weight = large.record_weight(&large.targets[0]);
        let boards = [Rc::clone(&narrow)];
        let small = prepare(&boards, "p", 1, Some("a"), at(0));
        let small_weight = small.record_weight(&small.targets[0]);
        assert!(!submit_with_quota(&store, &large, large_weight - 1).await);
        assert_eq!(read_counted_bytes(&file), 0);
        assert!(submit_with_quota(&store, &large, large_weight).await);
        assert_eq!(read_counted_bytes(&file), large_weight);
        assert!(!submit_with_quota(&store, &small, large_weight + small_weight - 1).await);
        assert!(submit_with_quota(&store, &small, large_weight + small_weight).await);
        assert_eq!(read_counted_bytes(&file), large_weight + small_weight);
        // A replay stores no record, so it fits into any quota.
        assert!(submit_with_quota(&store, &large, 0).await);
        let deleted = store
            .delete(&tenant(), &wide.value.id, Expected::Any)
            .await
            .unwrap();
        assert_eq!(deleted, Ok(true));
        assert_eq!(read_counted_bytes(&file), small_weight);
    });
}

#[test]
fn the_counted_size_of_a_record_is_at_least_its_stored_size() {
    block_on(async {
        let file = File::new();
        let store = file.store();
        let wide = create_leaderboard(&store, &wide_leaderboard()).await;
        let mut large = large_submission(&wide);
        for id in ["first", "second"] {
            large.id = Some(leaderboard_core::SubmissionId::new(id.repeat(20)).unwrap());
            let results = submit(&store, std::slice::from_ref(&large)).await;
            let outcome = encode_outcome(&results[0].as_ref().unwrap()[0]);
            let name = large.record_name().unwrap();
            let instant_and_fingerprint = 8 + large.fingerprint.len();
            let bytes = (name.len() + instant_and_fingerprint + outcome.len()) as u64;
            assert!(large.record_weight(&large.targets[0]) >= bytes + RECORD_OVERHEAD_BYTES);
        }
    });
}

#[test]
fn old_idempotency_records_are_deleted_from_the_file() {
    block_on(async {
        let file = File::new();
        let store = file.store();
        let boards = [create_leaderboard(&store, &board("goals")).await];
        let day = |day: i64, count: i64| -> Vec<_> {
            (0..count)
                .map(|n| {
                    prepare(
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
        assert_eq!(count_rows(&file, "submissions"), 3);
    });
}
