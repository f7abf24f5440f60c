//! Tests of the blocks that the store uses to count ranks.

use futures::executor::block_on;
use leaderboard_core::access::Caller;
use leaderboard_core::ports::{PeriodRef, PutRefusal, ReadError, Scores};
use leaderboard_core::{PeriodId, RankedEntry, StoreError};

use crate::support::*;

/// The maximum number of rows in a block of level 0 and of level 1.
const MAX_SIZES: [i64; 2] = [256, 16_384];

/// Returns the number of blocks of each level. Checks that the size of each block is the number of rows from
/// its first key to the first key of the next block.
fn check_blocks(file: &File, counted: i64) -> [i64; 2] {
    let rows = match counted {
        0 => "SELECT order_key AS k FROM entries WHERE period = 1 AND hidden = 0",
        _ => "SELECT tuple AS k FROM tuples WHERE period = 1",
    };
    let raw = file.raw();
    let number = |sql: &str| raw.query_row::<i64, _, _>(sql, [], |row| row.get(0)).unwrap();
    [0, 1].map(|level| {
        let blocks = format!(
            "(SELECT first_key, size, lead(first_key) OVER (ORDER BY first_key) AS next_key FROM rank_blocks \
             WHERE period = 1 AND counted = {counted} AND level = {level})"
        );
        let wrong = number(&format!(
            "SELECT count(*) FROM {blocks} WHERE size <> (SELECT count(*) FROM ({rows}) \
             WHERE k >= first_key AND (next_key IS NULL OR k < next_key))"
        ));
        assert_eq!(wrong, 0, "blocks of level {level} with a wrong size");
        let most = MAX_SIZES[usize::try_from(level).unwrap()];
        assert_eq!(
            number(&format!("SELECT count(*) FROM {blocks} WHERE size > {most}")),
            0
        );
        let all = number(&format!("SELECT coalesce(sum(size), 0) FROM {blocks}"));
        assert_eq!(all, number(&format!("SELECT count(*) FROM ({rows})")));
        number(&format!("SELECT count(*) FROM {blocks}"))
    })
}

/// Stores scores of `count` players, 1 to `count`.
async fn submit_scores(file: &File, board: &Board, count: i64) {
    let boards = [board.clone()];
    let submissions: Vec<_> = (1..=count)
        .map(|score| prepare(&boards, &format!("p{score:05}"), score, None, at(0)))
        .collect();
    for outcome in submit(&file.store(), &submissions).await {
        outcome.unwrap();
    }
}

/// Reads the entry of a player.
async fn read_entry(file: &File, board: &Board, name: &str) -> Result<Vec<RankedEntry>, ReadError> {
    let (tenant, period) = (tenant(), PeriodId::all_time());
    let period_ref = PeriodRef {
        tenant: &tenant,
        leaderboard: board,
        period: &period,
        now: at(0),
    };
    let read = file
        .store()
        .entries_by_player(&period_ref, &[player(name)], &Caller::Anonymous)
        .await;
    read.map(|found| found.entries)
}

#[test]
fn blocks_stay_correct_when_rows_are_added_moved_and_deleted() {
    let file = File::new();
    block_on(create_leaderboard(&file.store(), &board("goals")));
    let numbered = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40000)";
    for (sql, at_least, at_most) in [
        (
            format!(
                "{numbered} INSERT INTO entries SELECT 1, 'p' || i, randomblob(24), i % 10 = 0, 1, NULL FROM n"
            ),
            [141, 3],
            [600, 9],
        ),
        // Rows move into the last block, which splits again and again.
        (
            "UPDATE entries SET order_key = CAST(x'ff' || randomblob(24) AS BLOB) WHERE player < 'p30'"
                .into(),
            [141, 3],
            [900, 9],
        ),
        ("UPDATE entries SET hidden = 1 - hidden".into(), [15, 1], [300, 3]),
        ("UPDATE entries SET hidden = 0".into(), [157, 3], [900, 9]),
        (
            "DELETE FROM entries WHERE player NOT LIKE 'p1%7'".into(),
            [4, 1],
            [120, 3],
        ),
        ("DELETE FROM entries".into(), [1, 1], [3, 3]),
    ] {
        file.raw().execute_batch(&sql).unwrap();
        let blocks = check_blocks(&file, 0);
        for level in [0, 1] {
            let range = at_least[level]..=at_most[level];
            assert!(range.contains(&blocks[level]), "{blocks:?} after {sql}");
        }
    }
}

#[test]
fn blocks_of_tuples_stay_correct_when_tuples_change() {
    let file = File::new();
    block_on(create_leaderboard(&file.store(), &board("goals")));
    for sql in [
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) \
         INSERT INTO tuples SELECT 1, randomblob(8), 1 FROM n",
        "DELETE FROM tuples WHERE tuple < x'c0'",
    ] {
        file.raw().execute_batch(sql).unwrap();
        assert!(check_blocks(&file, 1)[0] > 1);
    }
}

#[test]
fn damaged_blocks_are_reported_and_a_rebuild_repairs_them() {
    block_on(async {
        for damage in [
            "UPDATE rank_blocks SET size = size + 1 WHERE level = 1",
            "DELETE FROM rank_blocks",
        ] {
            let file = File::new();
            let board = create_leaderboard(&file.store(), &board("goals")).await;
            submit_scores(&file, &board, 600).await;
            let before = read_entry(&file, &board, "p00001").await.unwrap();
            assert_eq!(before[0].rank, 600);
            file.raw().execute_batch(damage).unwrap();
            let read = read_entry(&file, &board, "p00001").await;
            assert!(
                matches!(read, Err(ReadError::Store(StoreError::Corrupt(_)))),
                "{read:?}"
            );
            let repaired: Result<_, PutRefusal> = put(&file.store(), &board.value, true, at(1)).await;
            assert_eq!(repaired, Ok((board.version, false)));
            assert_eq!(read_entry(&file, &board, "p00001").await, Ok(before));
            check_blocks(&file, 0);
        }
    });
}

#[test]
fn a_deleted_leaderboard_leaves_no_blocks() {
    block_on(async {
        let file = File::new();
        let board = create_leaderboard(&file.store(), &board("goals")).await;
        submit_scores(&file, &board, 300).await;
        assert!(count_rows(&file, "rank_blocks") > 2);
        file.raw()
            .execute_batch("INSERT INTO discarded VALUES (1, 1); DELETE FROM entries")
            .unwrap();
        assert_eq!(count_rows(&file, "rank_blocks"), 0);
    });
}
