//! What entries cost in a running Redis: bytes of memory each, and the time of rank, around and a page in
//! the middle as the leaderboard grows.
//!
//! `cargo run --release -p leaderboard-redis --example measure -- redis://127.0.0.1:6390 10000 1000000`
//!
//! The server is emptied first, so name one that holds nothing of worth.
#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a measurement stops where it cannot go on, and prints what it found"
)]

#[path = "../../../tests/suite/src/native_redis.rs"]
pub mod native_redis;

use std::rc::Rc;
use std::time::Instant;

use leaderboard_core::access::Caller;
use leaderboard_core::ports::{Expected, Leaderboards, PageFrom, Place, PutLeaderboard, RankDetail, Scores};
use leaderboard_core::{
    Attempt, Leaderboard, LeaderboardId, PeriodId, PlayerId, Submission, SubmissionTarget, TenantId,
    Timestamp, Versioned,
};
use leaderboard_redis::{Connection, RedisStore, Reply};
use native_redis::{NativeRedis, connect};

/// How many attempts one call of the store gets while loading.
const LOAD_STEP: u64 = 1000;
/// How often each operation is timed: so many batches of so many.
const BATCHES: u64 = 21;
const ROUNDS: u64 = 200;
/// 2026-03-01T12:00:00Z.
const NOW_MS: i64 = 1_772_366_400_000;

/// A leaderboard of a certain size.
struct Measured {
    connection: NativeRedis,
    store: RedisStore<NativeRedis>,
    tenant: TenantId,
    board: Rc<Versioned<Leaderboard>>,
    entries: u64,
    /// An order key in the middle of the list.
    middle: PageFrom,
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().expect("the address of a Redis server");
    let connection = connect(&url).await;
    connection
        .command("FLUSHALL", &[])
        .await
        .expect("an empty server");
    let mut boards = Vec::new();
    for entries in arguments {
        let entries = entries.parse().expect("numbers of entries");
        boards.push(Measured::load(&connection, entries).await);
    }
    for operation in OPERATIONS {
        compare(operation, &boards).await;
    }
}

fn now() -> Timestamp {
    Timestamp::saturating_from_unix_ms(NOW_MS)
}

/// A player id of 16 bytes.
fn player(number: u64) -> PlayerId {
    PlayerId::new(format!("player{number:010}")).expect("a player id")
}

/// A number that looks random: the order of arrival is not the order of rank.
fn scattered(number: u64) -> u64 {
    number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 34
}

/// What is timed.
#[derive(Debug, Clone, Copy)]
enum Operation {
    Rank,
    Around,
    MiddlePage,
    SubmitWithRanks,
}

const OPERATIONS: [Operation; 4] = [
    Operation::Rank,
    Operation::Around,
    Operation::MiddlePage,
    Operation::SubmitWithRanks,
];

/// Times an operation on all leaderboards by turns, so that whatever else runs on the machine disturbs all of
/// them alike, and tells the median batch of each.
async fn compare(operation: Operation, boards: &[Measured]) {
    let mut batches = vec![Vec::new(); boards.len()];
    for batch in 0..BATCHES {
        for (board, batches) in boards.iter().zip(&mut batches) {
            let started = Instant::now();
            for round in 0..ROUNDS {
                assert!(board.run(operation, batch * ROUNDS + round).await);
            }
            batches.push(started.elapsed().as_nanos() / u128::from(ROUNDS));
        }
    }
    let mut medians = Vec::new();
    for (board, batches) in boards.iter().zip(&mut batches) {
        batches.sort_unstable();
        let median = batches.get(batches.len() / 2).copied().unwrap_or_default();
        medians.push(format!(
            "{}.{} µs at {}",
            median / 1000,
            median % 1000 / 100,
            board.entries
        ));
    }
    println!("{operation:?}: {}", medians.join(", "));
}

impl Measured {
    async fn load(connection: &NativeRedis, entries: u64) -> Self {
        let store = RedisStore::new(connection.clone());
        let tenant = TenantId::new("acme").expect("a tenant");
        let value = Leaderboard::new(LeaderboardId::new(format!("goals-{entries}")).expect("an id"));
        let put = PutLeaderboard {
            tenant: &tenant,
            leaderboard: &value,
            expected: Expected::Any,
            current: &PeriodId::all_time(),
            rebuild: false,
            expiries: &[],
            at: now(),
        };
        let stored = store.put(&put).await.expect("an answer");
        let (version, _) = stored.expect("an empty store");
        let mut loaded = Self {
            connection: connection.clone(),
            store,
            tenant,
            board: Rc::new(Versioned { version, value }),
            entries,
            middle: PageFrom::Top,
        };
        let before = loaded.used_memory().await;
        let loading = Instant::now();
        loaded.submit_all().await;
        let load_us = loading.elapsed().as_micros() / u128::from(entries);
        let bytes = (loaded.used_memory().await - before) / entries;
        println!("{entries} entries: {bytes} bytes each, loaded in {load_us} µs each");
        loaded.middle = loaded.find_middle().await;
        loaded
    }

    async fn used_memory(&self) -> u64 {
        let replies = self.connection.command("INFO", &[b"memory"]).await;
        let Ok([Reply::Bytes(text)]) = replies.as_deref() else {
            return 0;
        };
        let text = String::from_utf8_lossy(text);
        let line = text.lines().find_map(|line| line.strip_prefix("used_memory:"));
        line.and_then(|number| number.parse().ok()).expect("used_memory")
    }

    fn attempt(&self, number: u64, score: u64) -> Attempt {
        let submission = Submission {
            leaderboards: Vec::new(),
            player: player(number),
            values: SubmissionTarget::Score(i64::try_from(score).expect("a score")),
            operator: None,
            metadata: None,
            occurred_at: None,
            id: None,
            request: None,
        };
        let boards = std::slice::from_ref(&self.board);
        submission.resolve(boards, now()).expect("an attempt")
    }

    async fn submit_all(&self) {
        for start in (0..self.entries).step_by(usize::try_from(LOAD_STEP).expect("a step")) {
            let end = self.entries.min(start + LOAD_STEP);
            let attempts: Vec<_> = (start..end)
                .map(|number| self.attempt(number, scattered(number)))
                .collect();
            let settled = self
                .store
                .submit(&self.tenant, &attempts, RankDetail::Omitted)
                .await;
            assert!(settled.expect("an answer").iter().all(Result::is_ok));
        }
    }

    fn place<'a>(&'a self, period: &'a PeriodId) -> Place<'a> {
        Place {
            tenant: &self.tenant,
            board: &self.board,
            period,
        }
    }

    async fn find_middle(&self) -> PageFrom {
        let period = PeriodId::all_time();
        let sample = self
            .store
            .sample(&self.place(&period), &[500])
            .await
            .expect("an answer");
        let layout = sample.layout.expect("a layout");
        let values = sample.values.first().expect("a value");
        PageFrom::After(layout.key(values, now(), &player(0)))
    }

    /// Does it once. Whether the answer is one.
    async fn run(&self, operation: Operation, round: u64) -> bool {
        let period = PeriodId::all_time();
        let place = self.place(&period);
        let player = player(scattered(round * 7919) % self.entries);
        match operation {
            Operation::Rank => {
                let found = self.store.standings(&place, &[player], &Caller::Server).await;
                found.is_ok_and(|found| found.entries.len() == 1)
            }
            Operation::Around => {
                let found = self.store.around(&place, &player, 11, &Caller::Server).await;
                found.is_ok_and(|page| page.is_some())
            }
            Operation::MiddlePage => {
                let found = self.store.page(&place, &self.middle, 10).await;
                found.is_ok_and(|page| page.entries.len() == 10)
            }
            Operation::SubmitWithRanks => {
                let attempt = [self.attempt(scattered(round) % self.entries, (1 << 31) + round)];
                let settled = self.store.submit(&self.tenant, &attempt, RankDetail::Full).await;
                settled.is_ok_and(|settled| settled.iter().all(Result::is_ok))
            }
        }
    }
}
