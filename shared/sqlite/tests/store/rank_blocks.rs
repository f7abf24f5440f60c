//! Tests of the blocks that the store uses to count ranks.

use futures::executor::block_on;

use crate::support::*;

/// The maximum number of rows in a block of level 0 and of level 1.
pub(crate) const LARGE_BLOCKS: [i64; 2] = [256, 16_384];
/// The sizes of [`use_small_blocks`].
pub(crate) const SMALL_BLOCKS: [i64; 2] = [16, 128];

/// Gives the triggers of a file smaller blocks, so that a few hundred entries have several blocks of both levels.
pub(crate) fn use_small_blocks(file: &File) {
    let raw = file.raw();
    let read = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name IN \
         ('rank_blocks_split', 'rank_blocks_split_upper', 'rank_blocks_join')";
    let mut statement = raw.prepare(read).unwrap();
    let triggers = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    let triggers: Vec<(String, String)> = triggers.unwrap().map(Result::unwrap).collect();
    assert_eq!(triggers.len(), 3);
    for (name, mut sql) in triggers {
        for (large, small) in LARGE_BLOCKS.iter().zip(SMALL_BLOCKS) {
            sql = sql.replace(&large.to_string(), &small.to_string());
        }
        raw.execute_batch(&format!("DROP TRIGGER {name}; {sql}")).unwrap();
    }
}

/// Returns the number of blocks of each level of the tree `counted` of a period. Checks that the size of each block is the number of
/// rows from its first key to the first key of the next block, and that a block of level 0 begins where one of level 1 begins.
pub(crate) fn check_blocks(file: &File, (period, counted): (i64, i64), max_sizes: [i64; 2]) -> [i64; 2] {
    let rows = match counted {
        0 => format!("SELECT order_key AS k FROM entries WHERE period = {period} AND hidden = 0"),
        _ => format!("SELECT tuple AS k FROM tuples WHERE period = {period}"),
    };
    let raw = file.raw();
    let number = |sql: &str| raw.query_row::<i64, _, _>(sql, [], |row| row.get(0)).unwrap();
    let levels = [0, 1].map(|level| {
        format!("rank_blocks WHERE period = {period} AND counted = {counted} AND level = {level}")
    });
    let begins = "SELECT first_key FROM";
    let unaligned = format!(
        "SELECT count(*) FROM ({begins} {} EXCEPT {begins} {})",
        levels[1], levels[0]
    );
    assert_eq!(number(&unaligned), 0, "blocks of level 1 without one of level 0");
    [0, 1].map(|level| {
        let blocks = format!(
            "(SELECT first_key, size, lead(first_key) OVER (ORDER BY first_key) AS next_key FROM {})",
            levels[level]
        );
        let wrong = number(&format!(
            "SELECT count(*) FROM {blocks} WHERE size <> (SELECT count(*) FROM ({rows}) \
             WHERE k >= first_key AND (next_key IS NULL OR k < next_key))"
        ));
        assert_eq!(wrong, 0, "blocks of level {level} with a wrong size");
        let most = max_sizes[level];
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
        let blocks = check_blocks(&file, (1, 0), LARGE_BLOCKS);
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
        assert!(check_blocks(&file, (1, 1), LARGE_BLOCKS)[0] > 1);
    }
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
