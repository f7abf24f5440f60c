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
/// How often each operation is timed: so many batches of so many. The median batch is told.
const BATCHES: u64 = 21;
const ROUNDS: u64 = 200;
/// 2026-03-01T12:00:00Z.
const NOW_MS: i64 = 1_772_366_400_000;

struct Measure {
    connection: NativeRedis,
    store: RedisStore<NativeRedis>,
    tenant: TenantId,
    board: Rc<Versioned<Leaderboard>>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().expect("the address of a Redis server");
    for entries in arguments {
        let entries = entries.parse().expect("numbers of entries");
        let measure = Measure::start(&url).await;
        let before = measure.used_memory().await;
        let loading = Instant::now();
        measure.load(entries).await;
        let load_us = loading.elapsed().as_micros() / u128::from(entries);
        let bytes = (measure.used_memory().await - before) / entries;
        println!("{entries} entries: {bytes} bytes each, loaded in {load_us} µs each");
        measure.time_reads(entries).await;
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

impl Measure {
    async fn start(url: &str) -> Self {
        let connection = connect(url).await;
        connection
            .command("FLUSHALL", &[])
            .await
            .expect("an empty server");
        let store = RedisStore::new(connection.clone());
        let tenant = TenantId::new("acme").expect("a tenant");
        let value = Leaderboard::new(LeaderboardId::new("goals").expect("an id"));
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
        Self {
            connection,
            store,
            tenant,
            board: Rc::new(Versioned { version, value }),
        }
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

    async fn load(&self, entries: u64) {
        for start in (0..entries).step_by(usize::try_from(LOAD_STEP).expect("a step")) {
            let end = entries.min(start + LOAD_STEP);
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

    async fn time_reads(&self, entries: u64) {
        let period = PeriodId::all_time();
        let place = Place {
            tenant: &self.tenant,
            board: &self.board,
            period: &period,
        };
        let some = |round: u64| player(scattered(round * 7919) % entries);
        timed("rank", async |round| {
            let players = [some(round)];
            let found = self.store.standings(&place, &players, &Caller::Server).await;
            found.is_ok_and(|found| found.entries.len() == 1)
        })
        .await;
        timed("around", async |round| {
            let found = self.store.around(&place, &some(round), 11, &Caller::Server).await;
            found.is_ok_and(|page| page.is_some())
        })
        .await;
        let middle = self.store.sample(&place, &[500]).await.expect("an answer");
        let layout = middle.layout.expect("a layout");
        let value = middle.values.first().expect("a value").clone();
        let from = PageFrom::After(layout.key(&value, now(), &player(0)));
        timed("page in the middle", async |_| {
            let found = self.store.page(&place, &from, 10).await;
            found.is_ok_and(|page| page.entries.len() == 10)
        })
        .await;
        timed("submit with ranks", async |round| {
            let attempt = [self.attempt(scattered(round) % entries, (1 << 31) + round)];
            let settled = self.store.submit(&self.tenant, &attempt, RankDetail::Full).await;
            settled.is_ok_and(|settled| settled.iter().all(Result::is_ok))
        })
        .await;
    }
}

async fn timed(what: &str, operation: impl AsyncFn(u64) -> bool) {
    let mut batches = Vec::new();
    for batch in 0..BATCHES {
        let started = Instant::now();
        for round in 0..ROUNDS {
            assert!(operation(batch * ROUNDS + round).await, "{what} failed");
        }
        batches.push(started.elapsed().as_nanos() / u128::from(ROUNDS));
    }
    batches.sort_unstable();
    let median = batches.get(batches.len() / 2).copied().unwrap_or_default();
    println!("  {what}: {}.{} µs", median / 1000, median % 1000 / 100);
}
