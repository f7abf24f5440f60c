//! Random histories of a list whose blocks are small, so that blocks of both levels are split and joined. All counts are compared
//! with plain counts of the rows.

use futures::executor::block_on;
use leaderboard_core::access::Caller;
use leaderboard_core::ports::{Ban, Bans, PeriodRef, Position, ReadSource, Scores};
use leaderboard_core::{Operator, PeriodId, PlayerId, Ties, Values};
use leaderboard_test_support::PseudoRandom;

use crate::rank_blocks::{SMALL_BLOCKS, check_blocks, use_small_blocks};
use crate::support::*;

/// The number of players, and the number of steps of a history.
const PLAYERS: u64 = 700;
const STEPS: u64 = 24;
/// The number of players of whom the window around them is compared after each step.
const WINDOWS: u64 = 8;

/// A list that changes, and the instant.
struct List {
    file: File,
    board: Board,
    random: PseudoRandom,
    now_ms: i64,
    /// The most blocks of each level so far.
    most_blocks: [i64; 2],
    /// How often blocks of each level became fewer.
    joins: [u32; 2],
    last_blocks: [i64; 2],
}

impl List {
    async fn create(ties: Ties, seed: u64) -> Self {
        let file = File::new();
        let mut configuration = board("goals");
        configuration.ties = ties;
        configuration.operator = Operator::Set;
        let board = create_leaderboard(&file.store(), &configuration).await;
        use_small_blocks(&file);
        Self {
            file,
            board,
            random: PseudoRandom(seed),
            now_ms: 0,
            most_blocks: [0; 2],
            joins: [0; 2],
            last_blocks: [0; 2],
        }
    }

    fn random_player(&mut self) -> PlayerId {
        player(&format!("p{}", self.random.below(PLAYERS)))
    }

    /// Submits scores near a random score, which move entries or add them.
    async fn submit_some(&mut self, count: u64) {
        let boards = [self.board.clone()];
        let (begin, spread) = (self.random.below(900), 1 + self.random.below(1_500));
        let mut submissions = Vec::new();
        for _ in 0..count {
            let name = self.random_player();
            let score = i64::try_from(begin + self.random.below(spread)).unwrap();
            self.now_ms += 1;
            submissions.push(prepare(&boards, name.as_str(), score, None, at(self.now_ms)));
        }
        for result in submit(&self.file.store(), &submissions).await {
            result.unwrap();
        }
    }

    /// Removes the entries of random players.
    async fn remove_some(&mut self, count: u64) {
        let (tenant, period, store) = (tenant(), PeriodId::all_time(), self.file.store());
        for _ in 0..count {
            let removed = self.random_player();
            let period_ref = PeriodRef {
                tenant: &tenant,
                leaderboard: &self.board,
                period: &period,
                now: at(self.now_ms),
                source: ReadSource::Primary,
            };
            store
                .remove(&period_ref, &removed, at(self.now_ms))
                .await
                .unwrap();
        }
    }

    /// Bans random players, and ends the bans of others.
    async fn ban_some(&mut self, count: u64) {
        let (tenant, store) = (tenant(), self.file.store());
        for _ in 0..count {
            self.now_ms += 1;
            let (banned, unbanned) = (self.random_player(), self.random_player());
            let ban = Ban::new(banned, at(self.now_ms));
            store.ban(&tenant, &ban).await.unwrap().unwrap();
            store.unban(&tenant, &unbanned, at(self.now_ms)).await.unwrap();
        }
    }

    async fn take_step(&mut self) {
        let count = 1 + self.random.below(250);
        match self.random.below(5) {
            0 | 1 => self.submit_some(count).await,
            2 => self.submit_some(count / 10 + 1).await,
            3 => self.remove_some(count).await,
            _ => self.ban_some(count / 10 + 1).await,
        }
    }

    /// Compares the blocks and all reads with the rows.
    async fn check(&mut self) {
        let (tenant, period, store) = (tenant(), PeriodId::all_time(), self.file.store());
        let period_ref = PeriodRef {
            tenant: &tenant,
            leaderboard: &self.board,
            period: &period,
            now: at(self.now_ms),
            source: ReadSource::Primary,
        };
        // A read applies what is left of the bans.
        let all: Vec<PlayerId> = (0..PLAYERS).map(|n| player(&format!("p{n}"))).collect();
        let found = store
            .entries_by_player(&period_ref, &all, &Caller::Anonymous)
            .await
            .unwrap();
        let rows = read_rows(&self.file);
        let ties = self.board.value.ties;
        let ranks: Vec<(String, u64)> = found
            .entries
            .iter()
            .map(|ranked| (ranked.entry.player.to_string(), ranked.rank))
            .collect();
        let expected = rank_rows(&rows, ties);
        assert_eq!(ranks, expected);
        for _ in 0..WINDOWS.min(rows.len() as u64) {
            let at = usize::try_from(self.random.below(rows.len() as u64)).unwrap();
            let name = player(&expected[at].0);
            let window = store.around(&period_ref, &name, 7, &Caller::Anonymous).await;
            let shown: Vec<_> = window.unwrap().unwrap().entries;
            let shown: Vec<_> = shown
                .iter()
                .map(|ranked| (ranked.entry.player.to_string(), ranked.rank))
                .collect();
            let start = at.saturating_sub(3).min(expected.len().saturating_sub(7));
            assert_eq!(
                shown,
                expected[start..expected.len().min(start + 7)],
                "around {name}"
            );
        }
        for score in [0, 300, 700, 1_200, 2_500] {
            let tuple = self.board.value.layout().tuple(&Values::new(vec![score]));
            let equal = rows.iter().filter(|row| row.tuple == tuple).count() as u64;
            let better: Vec<_> = rows.iter().filter(|row| row.tuple < tuple).collect();
            let position = Position {
                better: better.len() as u64,
                equal,
                better_tuples: if ties == Ties::Dense {
                    count_tuples(&better)
                } else {
                    better.len() as u64
                },
            };
            let read = store.positions(&period_ref, &[tuple]).await.unwrap();
            assert_eq!(read.positions, [position], "position of {score}");
        }
        self.check_blocks();
    }

    fn check_blocks(&mut self) {
        let counted = i64::from(self.board.value.ties == Ties::Dense);
        check_blocks(&self.file, (1, 0), SMALL_BLOCKS);
        let blocks = check_blocks(&self.file, (1, counted), SMALL_BLOCKS);
        for level in [0, 1] {
            self.most_blocks[level] = self.most_blocks[level].max(blocks[level]);
            self.joins[level] += u32::from(blocks[level] < self.last_blocks[level]);
        }
        self.last_blocks = blocks;
    }
}

/// A visible entry.
struct VisibleRow {
    player: String,
    tuple: Vec<u8>,
}

/// Returns the visible entries in their order.
fn read_rows(file: &File) -> Vec<VisibleRow> {
    let raw = file.raw();
    let sql = "SELECT player, substr(order_key, 1, 8) FROM entries WHERE period = 1 AND hidden = 0 ORDER BY order_key";
    let mut statement = raw.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| {
        Ok(VisibleRow {
            player: row.get(0)?,
            tuple: row.get(1)?,
        })
    });
    rows.unwrap().map(Result::unwrap).collect()
}

/// Returns the number of different tuples of rows in their order.
fn count_tuples(rows: &[&VisibleRow]) -> u64 {
    let mut tuples: Vec<_> = rows.iter().map(|row| &row.tuple).collect();
    tuples.dedup();
    tuples.len() as u64
}

/// Returns the players and their ranks.
fn rank_rows(rows: &[VisibleRow], ties: Ties) -> Vec<(String, u64)> {
    let mut ranked: Vec<(String, u64)> = Vec::new();
    let mut tuples = 0;
    for (index, row) in rows.iter().enumerate() {
        let is_tie = index > 0 && rows[index - 1].tuple == row.tuple;
        tuples += u64::from(!is_tie);
        let rank = match ties {
            Ties::Earliest | Ties::Latest => index as u64 + 1,
            Ties::Shared if is_tie => ranked[index - 1].1,
            Ties::Shared => index as u64 + 1,
            Ties::Dense => tuples,
        };
        ranked.push((row.player.clone(), rank));
    }
    ranked
}

#[test]
fn counts_by_blocks_agree_with_the_rows_in_random_histories() {
    for (seed, ties) in [Ties::Earliest, Ties::Latest, Ties::Shared, Ties::Dense]
        .into_iter()
        .enumerate()
    {
        block_on(async {
            let mut list = List::create(ties, seed as u64).await;
            for _ in 0..STEPS {
                list.take_step().await;
                list.check().await;
            }
            // The rest goes, and blocks join.
            list.remove_some(3 * PLAYERS).await;
            list.check().await;
            assert!(
                list.most_blocks[0] > 20 && list.most_blocks[1] > 2,
                "{:?}",
                list.most_blocks
            );
            assert!(list.joins[0] > 0 && list.joins[1] > 0, "{:?}", list.joins);
        });
    }
}
