//! Tests of damaged rank blocks: which reads report them, and that a rebuild repairs them in any period.

use futures::executor::block_on;
use leaderboard_core::access::Caller;
use leaderboard_core::ports::{
    Expected, Leaderboards, PeriodRef, PutLeaderboard, RankDetail, ReadError, ReadSource, Scores,
};
use leaderboard_core::{PeriodId, PlayerId, StoreError, Ties, Values};
use leaderboard_sqlite::SqliteStore;

use crate::measured::{Done, Measured};
use crate::rank_blocks::{LARGE_BLOCKS, SMALL_BLOCKS, check_blocks, use_small_blocks};
use crate::support::*;

/// The number of entries, each with another score.
const ENTRIES: i64 = 600;

/// A leaderboard with a period for each day. The period of the first day has entries in several blocks of both levels; the second
/// day is the current one.
struct Damaged {
    file: File,
    board: Board,
    first_day: PeriodId,
}

impl Damaged {
    async fn create(ties: Ties) -> Self {
        let file = File::new();
        let mut daily = daily_leaderboard("goals", 5);
        daily.ties = ties;
        let board = create_leaderboard(&file.store(), &daily).await;
        use_small_blocks(&file);
        let boards = [board.clone()];
        let submissions: Vec<_> = (1..=ENTRIES)
            .map(|score| prepare(&boards, &format!("p{score:05}"), score, None, at(0)))
            .collect();
        for outcome in submit(&file.store(), &submissions).await {
            outcome.unwrap();
        }
        submit_score(&file.store(), &board, "next", 1, DAY_MS).await;
        let counted = i64::from(ties == Ties::Dense);
        let [lower, upper] = check_blocks(&file, (1, counted), SMALL_BLOCKS);
        assert!(lower > 40 && upper > 4, "{lower} {upper}");
        // Without these triggers, a test can set any size.
        let raw = file.raw();
        for trigger in ["split", "split_upper", "join"] {
            raw.execute_batch(&format!("DROP TRIGGER rank_blocks_{trigger}"))
                .unwrap();
        }
        raw.execute_batch("CREATE TABLE kept AS SELECT * FROM rank_blocks")
            .unwrap();
        let first_day = board.value.schedule.period_at(at(0)).id;
        Self {
            file,
            board,
            first_day,
        }
    }

    /// Reads the ranks of these players in the first day.
    async fn read_ranks(&self, players: &[PlayerId]) -> Result<Vec<u64>, ReadError> {
        let (tenant, store) = (tenant(), self.file.store());
        let period_ref = PeriodRef {
            tenant: &tenant,
            leaderboard: &self.board,
            period: &self.first_day,
            now: at(DAY_MS),
            source: ReadSource::Primary,
        };
        let found = store.entries_by_player(&period_ref, players, &Caller::Anonymous);
        Ok(found.await?.entries.iter().map(|entry| entry.rank).collect())
    }

    /// Repairs the first day by a rebuild that changes nothing else.
    async fn rebuild(&self) {
        rebuild_period(&self.file.store(), &self.board, &self.first_day).await;
    }
}

/// Stores the same configuration on the second day, and verifies the counts of a period.
async fn rebuild_period<C: leaderboard_sqlite::Connection>(
    store: &SqliteStore<C>,
    board: &Board,
    verified: &PeriodId,
) {
    let tenant = tenant();
    let current = board.value.schedule.period_at(at(DAY_MS)).id;
    let put = PutLeaderboard {
        max_leaderboards: None,
        tenant: &tenant,
        leaderboard: &board.value,
        expected: Expected::Version(board.version),
        current: &current,
        rebuild: true,
        verified: Some(verified),
        expiries: &[],
        at: at(DAY_MS),
    };
    assert_eq!(store.put(&put).await.unwrap(), Ok((board.version, false)));
}

/// What is done to the blocks of a tree, and whether the read of the last player reports it, in entries and in tuples. `{at}` selects
/// the blocks of the tree.
const DAMAGES: &[(&str, [bool; 2])] = &[
    // A wrong size: of a block of level 1, and of level 0 in the last block and before it.
    (
        "UPDATE rank_blocks SET size = size + 1 WHERE {at} AND level = 1 \
         AND first_key = (SELECT max(first_key) FROM rank_blocks WHERE {at} AND level = 1)",
        [true, true],
    ),
    (
        "UPDATE rank_blocks SET size = size - 1 WHERE {at} AND level = 0 \
         AND first_key = (SELECT max(first_key) FROM rank_blocks WHERE {at} AND level = 0)",
        [true, true],
    ),
    (
        "UPDATE rank_blocks SET size = size + 3 WHERE {at} AND level = 0 AND first_key = x''",
        [false, false],
    ),
    (
        "UPDATE rank_blocks SET size = -size WHERE {at} AND level = 0",
        [true, true],
    ),
    // Two sizes that are wrong by the same number, as after a swap: of the first and the last block, and of two blocks that the read
    // does not touch.
    (
        "UPDATE rank_blocks SET size = size + CASE first_key WHEN x'' THEN 1 ELSE -1 END WHERE {at} AND level = 1 \
         AND first_key IN (x'', (SELECT max(first_key) FROM rank_blocks WHERE {at} AND level = 1))",
        [true, true],
    ),
    (
        "UPDATE rank_blocks SET size = size + CASE first_key WHEN x'' THEN 1 ELSE -1 END WHERE {at} AND level = 0 \
         AND first_key IN (SELECT first_key FROM rank_blocks WHERE {at} AND level = 0 ORDER BY first_key LIMIT 2)",
        [false, false],
    ),
    // Lost blocks.
    ("DELETE FROM rank_blocks WHERE {at}", [true, true]),
    ("DELETE FROM rank_blocks WHERE {at} AND level = 1", [true, true]),
    (
        "DELETE FROM rank_blocks WHERE {at} AND first_key = x''",
        [true, false],
    ),
    (
        "DELETE FROM rank_blocks WHERE {at} AND level = 0 \
         AND first_key = (SELECT max(first_key) FROM rank_blocks WHERE {at} AND level = 1)",
        [true, true],
    ),
    // Blocks that are none.
    (
        "INSERT INTO rank_blocks SELECT 1, {counted}, 1, x'80ff', 7",
        [false, false],
    ),
    (
        "INSERT INTO rank_blocks SELECT 1, {counted}, 0, x'80ff', 7",
        [false, false],
    ),
    (
        "INSERT INTO rank_blocks SELECT 1, {counted}, 1, 'text', 7",
        [false, false],
    ),
    (
        "UPDATE rank_blocks SET size = 'many' WHERE {at} AND level = 1",
        [true, true],
    ),
];

/// Damages the blocks of entries (0) or of tuples (1) in each way, and repairs them.
async fn repair_each_damage(ties: Ties, counted: i64) {
    let period = Damaged::create(ties).await;
    let all: Vec<PlayerId> = (1..=ENTRIES)
        .map(|score| player(&format!("p{score:05}")))
        .collect();
    let expected: Vec<u64> = (1..=ENTRIES.unsigned_abs()).collect();
    assert_eq!(period.read_ranks(&all).await.as_ref(), Ok(&expected));
    let selected = format!("period = 1 AND counted = {counted}");
    for (damage, is_reported) in DAMAGES {
        let damage = damage
            .replace("{at}", &selected)
            .replace("{counted}", &counted.to_string());
        let raw = period.file.raw();
        raw.execute_batch("DELETE FROM rank_blocks; INSERT INTO rank_blocks SELECT * FROM kept")
            .unwrap();
        raw.execute_batch(&damage).unwrap();
        let read = period.read_ranks(&all[..1]).await;
        let is_corrupt = matches!(read, Err(ReadError::Store(StoreError::Corrupt(_))));
        assert!(
            is_corrupt || !is_reported[usize::from(counted == 1)],
            "{damage}: {read:?}"
        );
        period.rebuild().await;
        check_blocks(&period.file, (1, counted), LARGE_BLOCKS);
        assert_eq!(period.read_ranks(&all).await.as_ref(), Ok(&expected), "{damage}");
    }
}

#[test]
fn damaged_blocks_of_entries_are_repaired_in_a_past_period() {
    block_on(repair_each_damage(Ties::Shared, 0));
}

#[test]
fn damaged_blocks_of_tuples_are_repaired_in_a_past_period() {
    block_on(repair_each_damage(Ties::Dense, 1));
}

#[test]
fn every_read_that_counts_reports_damage() {
    block_on(async {
        let period = Damaged::create(Ties::Earliest).await;
        period
            .file
            .raw()
            .execute_batch(
                "UPDATE rank_blocks SET size = size - 1 WHERE period = 1 AND level = 0 AND first_key = x''",
            )
            .unwrap();
        let (tenant, store) = (tenant(), period.file.store());
        let period_ref = PeriodRef {
            tenant: &tenant,
            leaderboard: &period.board,
            period: &period.first_day,
            now: at(DAY_MS),
            source: ReadSource::Primary,
        };
        // The best player is in the damaged block.
        let best = player(&format!("p{ENTRIES:05}"));
        let around = store.around(&period_ref, &best, 5, &Caller::Anonymous).await;
        let sample = store.sample(&period_ref, &[0]).await;
        let tuple = period.board.value.layout().tuple(&Values::new(vec![ENTRIES]));
        let positions = store.positions(&period_ref, &[tuple]).await;
        for reported in [around.err(), sample.err(), positions.err()] {
            assert!(
                matches!(reported, Some(ReadError::Store(StoreError::Corrupt(_)))),
                "{reported:?}"
            );
        }
        let boards = [period.board.clone()];
        let late = prepare(&boards, "p00600", ENTRIES + 1, None, at(1));
        let submitted = store.submit(&tenant, &[late], RankDetail::Full).await;
        assert!(matches!(submitted, Err(StoreError::Corrupt(_))), "{submitted:?}");
    });
}

/// The number of entries of a period whose blocks are lost.
const LOST: i64 = 40_000;

#[test]
fn lost_blocks_of_a_long_list_are_filled_in_small_transactions() {
    block_on(async {
        let file = File::new();
        let board = create_leaderboard(&file.store(), &daily_leaderboard("goals", 5)).await;
        submit_score(&file.store(), &board, "first", 1, 0).await;
        file.raw()
            .execute_batch(&format!(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {LOST}) \
                 INSERT INTO entries SELECT 1, 'p' || i, randomblob(24), 0, 1, NULL FROM n; \
                 INSERT INTO tuples SELECT 1, substr(order_key, 1, 8), 1 FROM entries; DELETE FROM rank_blocks"
            ))
            .unwrap();
        let measured = Measured::open(&file);
        let done = measured.done.clone();
        let store = SqliteStore::new(measured);
        let first_day = board.value.schedule.period_at(at(0)).id;
        rebuild_period(&store, &board, &first_day).await;
        for counted in [0, 1] {
            let [lower, upper] = check_blocks(&file, (1, counted), LARGE_BLOCKS);
            assert!(
                (313..=330).contains(&lower) && (5..=6).contains(&upper),
                "{lower} {upper}"
            );
        }
        // Half of the largest block of level 1 has 64 blocks of level 0.
        let mut most = 0;
        for one in done.borrow().iter() {
            if let Done::Transaction { rows, .. } = one {
                most = most.max(*rows);
            }
        }
        assert!((65..=70).contains(&most), "{most}");
    });
}
