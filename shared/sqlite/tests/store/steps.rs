//! Work that grows with what a leaderboard has is done in small transactions; measured in rows.

use futures::executor::block_on;
use leaderboard_core::ports::{
    Expected, Leaderboards, PutRefusal, REBUILD_STEP_ENTRIES, RateLimits, SWEEP_STEP_ROWS,
};
use leaderboard_core::{LeaderboardId, Ties};
use leaderboard_sqlite::SqliteStore;

use crate::native_sqlite::NativeSqlite;
use crate::support::{DAY_MS, File, at, attempt, board, configured, daily, put, rows, score, submit, tenant};

const ENTRIES: i64 = 2_500;

async fn filled(file: &File) {
    let store = file.store();
    let board = configured(&store, &board("l")).await;
    let attempts: Vec<_> = (0..ENTRIES)
        .map(|n| {
            attempt(
                std::slice::from_ref(&board),
                &format!("p{n}"),
                n,
                Some(&format!("id{n}")),
                at(0),
            )
        })
        .collect();
    assert!(submit(&store, &attempts).await.iter().all(Result::is_ok));
}

async fn count_entries(store: &SqliteStore<NativeSqlite>) -> u64 {
    store.usage(&tenant(), 1).await.unwrap().1.entries
}

fn all_rows(file: &File) -> i64 {
    ["entries", "events", "submissions", "tuples"]
        .iter()
        .map(|table| rows(file, table))
        .sum()
}

#[test]
fn a_call_of_a_rebuild_copies_so_many_rows_and_others_write_in_between() {
    block_on(async {
        let file = File::new();
        filled(&file).await;
        let (store, other) = (file.store(), file.store());
        let elsewhere = configured(&other, &board("m")).await;
        let mut turned = board("l");
        turned.ties = Ties::Dense;
        let step = i64::try_from(REBUILD_STEP_ENTRIES).unwrap();
        for done in 1..=2 {
            let answer = put(&store, &turned, true, at(done)).await;
            assert_eq!(answer, Err(PutRefusal::Unfinished));
            assert_eq!(rows(&file, "entries"), ENTRIES + done * step + (done - 1));
            score(&other, &elsewhere, &format!("p{done}"), 1, 0).await;
        }
        assert!(put(&store, &turned, true, at(3)).await.is_ok());
        assert_eq!((rows(&file, "rebuilds"), rows(&file, "periods")), (0, 2));
        while store.sweep(&tenant()).await.unwrap() {}
        assert_eq!(
            (rows(&file, "entries"), rows(&file, "tuples")),
            (ENTRIES + 2, ENTRIES)
        );
    });
}

#[test]
fn a_deletion_is_one_small_transaction_and_its_rows_go_in_others() {
    block_on(async {
        let file = File::new();
        filled(&file).await;
        let (store, other) = (file.store(), file.store());
        let mut turned = board("l");
        turned.ties = Ties::Dense;
        assert_eq!(
            put(&store, &turned, true, at(0)).await,
            Err(PutRefusal::Unfinished)
        );
        let before = all_rows(&file);
        let id = LeaderboardId::new("l").unwrap();
        assert_eq!(store.delete(&tenant(), &id, Expected::Any).await, Ok(Ok(true)));
        assert_eq!(all_rows(&file), before, "out of sight, and no row is touched");
        assert_eq!((rows(&file, "periods"), rows(&file, "rebuilds")), (0, 0));
        let most = i64::try_from(SWEEP_STEP_ROWS).unwrap();
        let (mut left, mut steps) = (before, 0);
        while store.sweep(&tenant()).await.unwrap() {
            let now = all_rows(&file);
            assert!(left - now <= most, "{left} {now}");
            left = now;
            steps += 1;
            if steps == 3 {
                // The same id, while most of its rows are still there.
                let again = configured(&other, &board("l")).await;
                assert_eq!(score(&other, &again, "p1", 1, 1).await.rank, Some(1));
                left = all_rows(&file);
            }
        }
        assert!(steps >= 8, "{steps}");
        assert_eq!(rows(&file, "discarded"), 0);
        // A configuration and a score.
        assert_eq!(all_rows(&file), 3);
    });
}

#[test]
fn what_a_tenant_holds_is_added_up_over_leaderboards_and_not_over_periods() {
    block_on(async {
        let file = File::new();
        let store = file.store();
        let days = configured(&store, &daily("days", 1000)).await;
        for day in 0..40 {
            score(&store, &days, "p", 1, day * DAY_MS).await;
            score(&store, &days, "q", 1, day * DAY_MS).await;
        }
        let all = configured(&store, &board("all")).await;
        score(&store, &all, "p", 1, 0).await;
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
