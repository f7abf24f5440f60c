//! What idempotency records weigh, and when they are deleted.

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

/// Whether an attempt with an id has room under a quota.
async fn fits(store: &SqliteStore<NativeSqlite>, attempt: &PreparedSubmission, max_log_bytes: u64) -> bool {
    let terms = SubmitOptions {
        max_log_bytes: Some(max_log_bytes),
        ..SubmitOptions::new(RankDetail::Full)
    };
    let one = std::slice::from_ref(attempt);
    let submitted = store.submit_with_options(&tenant(), one, &terms).await.unwrap();
    let answer = submitted.answers.into_iter().next().unwrap();
    if let Err(refusal) = &answer {
        assert_eq!(refusal.reason, RefusalReason::LogFull { max_log_bytes });
    }
    answer.is_ok()
}

/// What the store counts for the tenant's records.
fn counted(file: &File) -> u64 {
    const COUNTED: &str = "SELECT coalesce(sum(bytes), 0) FROM tenant_record_weights";
    file.raw().query_row(COUNTED, [], |row| row.get(0)).unwrap()
}

/// A leaderboard with as many columns as there can be, of the longest names.
fn wide() -> leaderboard_core::Leaderboard {
    let names = ["a", "b", "c"].map(|name| name.repeat(MAX_COLUMN_NAME_BYTES));
    let columns = names.map(|name| Column::new(name, Order::Descending).unwrap());
    let mut wide = daily("wide", 10);
    wide.columns = Columns::new(columns.to_vec()).unwrap();
    wide
}

/// A score of the player with the longest name, with an id of the player's own that is as long as it can be.
fn large(board: &Board) -> PreparedSubmission {
    let columns = board.value.columns.iter();
    let values = columns.map(|column| (column.name().to_owned(), 1)).collect();
    let player = "p".repeat(MAX_PLAYER_BYTES);
    let id = "i".repeat(MAX_SUBMISSION_ID_BYTES);
    let submission = Submission {
        values: SubmittedValues::Named(values),
        ..submission(&[Rc::clone(board)], &player, 1, Some(&id))
    };
    let mut attempt = submission.resolve(&[Rc::clone(board)], at(0)).unwrap();
    attempt.id_scope = IdScope::Player;
    attempt
}

#[test]
fn a_record_weighs_what_it_holds_and_goes_with_its_leaderboard() {
    block_on(async {
        let file = File::new();
        let store = file.store();
        let narrow = configured(&store, &board("narrow")).await;
        let wide = configured(&store, &wide()).await;
        let large = large(&wide);
        let large_weight = large.record_weight(&large.targets[0]);
        let boards = [Rc::clone(&narrow)];
        let small = attempt(&boards, "p", 1, Some("a"), at(0));
        let small_weight = small.record_weight(&small.targets[0]);
        assert!(!fits(&store, &large, large_weight - 1).await);
        assert_eq!(counted(&file), 0);
        assert!(fits(&store, &large, large_weight).await);
        assert_eq!(counted(&file), large_weight);
        assert!(!fits(&store, &small, large_weight + small_weight - 1).await);
        assert!(fits(&store, &small, large_weight + small_weight).await);
        assert_eq!(counted(&file), large_weight + small_weight);
        // A known id needs no room.
        assert!(fits(&store, &large, 0).await);
        let deleted = store
            .delete(&tenant(), &wide.value.id, Expected::Any)
            .await
            .unwrap();
        assert_eq!(deleted, Ok(true));
        assert_eq!(counted(&file), small_weight);
    });
}

#[test]
fn a_record_weighs_no_less_than_its_columns_take_up() {
    block_on(async {
        let file = File::new();
        let store = file.store();
        let wide = configured(&store, &wide()).await;
        let mut large = large(&wide);
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
        assert_eq!(rows(&file, "submissions"), 3);
    });
}
