//! Tests that work which grows with a leaderboard's data is done in small transactions. The tests count rows.

use futures::executor::block_on;
use leaderboard_core::ports::{
    Expected, Leaderboards, PutRefusal, REBUILD_STEP_ENTRIES, RateLimits, SWEEP_STEP_ROWS,
};
use leaderboard_core::{LeaderboardId, Ties};
use leaderboard_sqlite::SqliteStore;

use crate::native_sqlite::NativeSqlite;
use crate::support::{
    DAY_MS, File, at, board, count_rows, create_leaderboard, daily_leaderboard, prepare, put, submit,
    submit_score, tenant,
};

/// The number of entries of the leaderboard that the tests change.
const ENTRIES: i64 = 2_500;

/// Creates the leaderboard `l` with [`ENTRIES`] entries.
async fn fill_leaderboard(file: &File) {
    let store = file.store();
    let board = create_leaderboard(&store, &board("l")).await;
    let submissions: Vec<_> = (0..ENTRIES)
        .map(|n| {
            prepare(
                std::slice::from_ref(&board),
                &format!("p{n}"),
                n,
                Some(&format!("id{n}")),
                at(0),
            )
        })
        .collect();
    assert!(submit(&store, &submissions).await.iter().all(Result::is_ok));
}

async fn count_entries(store: &SqliteStore<NativeSqlite>) -> u64 {
    store.usage(&tenant(), 1).await.unwrap().1.entries
}

/// Returns the number of rows of the tables that grow with a leaderboard.
fn count_all_rows(file: &File) -> i64 {
    ["entries", "events", "submissions", "tuples"]
        .iter()
        .map(|table| count_rows(file, table))
        .sum()
}

#[test]
fn a_rebuild_copies_rows_in_steps_and_other_writers_run_in_between() {
    block_on(async {
        let file = File::new();
        fill_leaderboard(&file).await;
        let (store, other) = (file.store(), file.store());
        let other_board = create_leaderboard(&other, &board("m")).await;
        let mut dense = board("l");
        dense.ties = Ties::Dense;
        let step = i64::try_from(REBUILD_STEP_ENTRIES).unwrap();
        for done in 1..=2 {
            let answer = put(&store, &dense, true, at(done)).await;
            assert_eq!(answer, Err(PutRefusal::Unfinished));
            assert_eq!(count_rows(&file, "entries"), ENTRIES + done * step + (done - 1));
            submit_score(&other, &other_board, &format!("p{done}"), 1, 0).await;
        }
        assert!(put(&store, &dense, true, at(3)).await.is_ok());
        assert_eq!(
            (count_rows(&file, "rebuilds"), count_rows(&file, "periods")),
            (0, 2)
        );
        while store.sweep(&tenant()).await.unwrap() {}
        assert_eq!(
            (count_rows(&file, "entries"), count_rows(&file, "tuples")),
            (ENTRIES + 2, ENTRIES)
        );
    });
}

#[test]
fn a_deletion_is_one_small_transaction_and_later_ones_delete_the_rows() {
    block_on(async {
        let file = File::new();
        fill_leaderboard(&file).await;
        let (store, other) = (file.store(), file.store());
        let mut dense = board("l");
        dense.ties = Ties::Dense;
        assert_eq!(
            put(&store, &dense, true, at(0)).await,
            Err(PutRefusal::Unfinished)
        );
        let before = count_all_rows(&file);
        let id = LeaderboardId::new("l").unwrap();
        assert_eq!(store.delete(&tenant(), &id, Expected::Any).await, Ok(Ok(true)));
        assert_eq!(
            count_all_rows(&file),
            before,
            "the deletion itself deletes no row"
        );
        assert_eq!(
            (count_rows(&file, "periods"), count_rows(&file, "rebuilds")),
            (0, 0)
        );
        let most = i64::try_from(SWEEP_STEP_ROWS).unwrap();
        let (mut left, mut steps) = (before, 0);
        while store.sweep(&tenant()).await.unwrap() {
            let now = count_all_rows(&file);
            assert!(left - now <= most, "{left} {now}");
            left = now;
            steps += 1;
            if steps == 3 {
                // Creates a leaderboard with the same id while most of the old rows still exist.
                let again = create_leaderboard(&other, &board("l")).await;
                assert_eq!(submit_score(&other, &again, "p1", 1, 1).await.rank, Some(1));
                left = count_all_rows(&file);
            }
        }
        assert!(steps >= 8, "{steps}");
        assert_eq!(count_rows(&file, "discarded"), 0);
        // The new leaderboard has an entry, and the events of its configuration and its score.
        assert_eq!(count_all_rows(&file), 3);
    });
}

#[test]
fn entries_of_a_tenant_are_summed_over_leaderboards_not_over_periods() {
    block_on(async {
        let file = File::new();
        let store = file.store();
        let days = create_leaderboard(&store, &daily_leaderboard("days", 1000)).await;
        for day in 0..40 {
            submit_score(&store, &days, "p", 1, day * DAY_MS).await;
            submit_score(&store, &days, "q", 1, day * DAY_MS).await;
        }
        let all = create_leaderboard(&store, &board("all")).await;
        submit_score(&store, &all, "p", 1, 0).await;
        assert_eq!(count_entries(&store).await, 81);
        let kept: i64 = file
            .raw()
            .query_row("SELECT sum(entries) FROM leaderboards", [], |row| row.get(0))
            .unwrap();
        assert_eq!(kept, 81);
        // The count is the sum over leaderboards; no period is read.
        let raw = file.raw();
        raw.execute_batch("UPDATE leaderboards SET entries = 7").unwrap();
        assert_eq!(count_entries(&store).await, 14);
    });
}
