//! Measures the store on a native connection: `cargo run --release -p leaderboard-sqlite --example measure`.
//! With a directory as its argument, the file is made there (the default may be a file system in memory).

use std::error::Error;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Instant;

use futures::executor::block_on;
use leaderboard_core::access::Caller;
use leaderboard_core::ports::{
    Expected, Leaderboards, PageFrom, PeriodRef, PutLeaderboard, RankDetail, ReadError, Scores,
};
use leaderboard_core::{
    Leaderboard, LeaderboardId, Operator, PeriodId, PlayerId, PreparedSubmission, Reset, Schedule,
    Submission, SubmissionId, SubmittedValues, TenantId, Timestamp, Versioned,
};
use leaderboard_sqlite::SqliteStore;
use leaderboard_test_support::native_sqlite::NativeSqlite;

type Store = SqliteStore<NativeSqlite>;
type Board = Rc<Versioned<Leaderboard>>;
type Done<T> = Result<T, Box<dyn Error>>;

/// As large as the sample data.
const SUBMISSIONS: usize = 47_000;
const BATCH: usize = 500;
const LARGE: usize = 100_000;
const REPEATS: u32 = 50;
/// 2026-01-01T00:00:00Z.
const NOW_MS: i64 = 1_767_225_600_000;

fn main() -> Done<()> {
    let given = std::env::args().nth(1).map(PathBuf::from);
    let directory = tempfile::tempdir_in(given.unwrap_or_else(std::env::temp_dir))?;
    block_on(async {
        import(directory.path()).await?;
        large(directory.path()).await
    })
}

async fn configure(store: &Store, tenant: &TenantId, leaderboard: Leaderboard) -> Done<Board> {
    let now = Timestamp::saturating_from_unix_ms(NOW_MS);
    let put = PutLeaderboard {
        max_leaderboards: None,
        tenant,
        current: &leaderboard.schedule.period_at(now).id,
        leaderboard: &leaderboard,
        expected: Expected::Any,
        rebuild: false,
        expiries: &[],
        at: now,
    };
    store.put(&put).await?.map_err(|refusal| format!("{refusal:?}"))?;
    let stored = Leaderboards::get(store, tenant, &leaderboard.id).await?;
    Ok(Rc::new(stored.ok_or("not there")?))
}

fn attempt(boards: &[Board], number: usize, players: usize, id: bool) -> Done<PreparedSubmission> {
    // Scattered, and the same in every run.
    let scattered = number.wrapping_mul(2_654_435_761) % 1_000_003;
    let occurred_ms = -2_000_000_000_000 + i64::try_from(number)? * 60_000_000;
    let submission = Submission {
        leaderboards: boards.iter().map(|board| board.value.id.clone()).collect(),
        player: PlayerId::new(format!("José Piendibene {} (Uruguay)", scattered % players))?,
        values: SubmittedValues::Score(if id { 1 } else { i64::try_from(scattered)? }),
        operator: None,
        metadata: None,
        occurred_at: Timestamp::from_unix_ms(if id { occurred_ms } else { NOW_MS }),
        id: id
            .then(|| SubmissionId::new(format!("row/{number}")))
            .transpose()?,
        request: None,
    };
    let now = Timestamp::saturating_from_unix_ms(NOW_MS);
    Ok(submission
        .resolve(boards, now)
        .map_err(|refusal| format!("{refusal:?}"))?)
}

/// The sample data's import: two leaderboards, one of them by year, with ids.
async fn import(directory: &Path) -> Done<()> {
    let store = SqliteStore::new(NativeSqlite::open(directory.join("import.db"))?);
    let tenant = TenantId::new("default")?;
    let mut all = Leaderboard::new(LeaderboardId::new("goals")?);
    all.operator = Operator::Increment;
    let mut by_year = all.clone();
    by_year.id = LeaderboardId::new("goals-by-year")?;
    by_year.keep_periods = 200;
    by_year.schedule = Schedule::new(Reset {
        cron: "0 0 1 1 *".into(),
        time_zone: "UTC".into(),
    })?;
    let boards = [
        configure(&store, &tenant, all).await?,
        configure(&store, &tenant, by_year).await?,
    ];
    let attempts: Vec<PreparedSubmission> = (0..SUBMISSIONS)
        .map(|number| attempt(&boards, number, 14_900, true))
        .collect::<Done<_>>()?;
    for what in ["import", "import again"] {
        let start = Instant::now();
        for batch in attempts.chunks(BATCH) {
            for result in store.submit(&tenant, batch, RankDetail::Omitted).await? {
                result.map_err(|refusal| format!("{refusal:?}"))?;
            }
        }
        let seconds = start.elapsed().as_secs_f64();
        println!("{what}: {SUBMISSIONS} submissions x 2 leaderboards in {seconds:.2} s");
    }
    Ok(())
}

/// One long list.
async fn large(directory: &Path) -> Done<()> {
    let store = SqliteStore::new(NativeSqlite::open(directory.join("large.db"))?);
    let tenant = TenantId::new("default")?;
    let mut long = Leaderboard::new(LeaderboardId::new("long")?);
    long.operator = Operator::Set;
    let boards = [configure(&store, &tenant, long).await?];
    let attempts: Vec<PreparedSubmission> = (0..LARGE)
        .map(|number| attempt(&boards, number, usize::MAX, false))
        .collect::<Done<_>>()?;
    let start = Instant::now();
    for batch in attempts.chunks(BATCH) {
        store.submit(&tenant, batch, RankDetail::Omitted).await?;
    }
    println!("{LARGE} entries in {:.2} s", start.elapsed().as_secs_f64());
    let [board] = &boards;
    let period = PeriodId::all_time();
    let period_ref = PeriodRef {
        tenant: &tenant,
        leaderboard: board,
        period: &period,
        now: leaderboard_core::Timestamp::saturating_from_unix_ms(0),
    };
    let mut sorted: Vec<&PreparedSubmission> = attempts.iter().collect();
    sorted.sort_by_key(|attempt| std::cmp::Reverse(attempt.targets.first().map(|t| t.values.first())));
    for (what, index) in [("first", 0), ("middle", LARGE / 2), ("last", LARGE - 1)] {
        let attempt = sorted.get(index).ok_or("no such attempt")?;
        let players = [attempt.player.clone()];
        let start = Instant::now();
        for _ in 0..REPEATS {
            store
                .entries_by_player(&period_ref, &players, &Caller::Server)
                .await
                .map_err(unread)?;
        }
        report(&format!("rank of the {what}"), start);
        let start = Instant::now();
        for _ in 0..REPEATS {
            store
                .around(&period_ref, &attempt.player, 11, &Caller::Server)
                .await
                .map_err(unread)?;
        }
        report(&format!("window around the {what}"), start);
        let start = Instant::now();
        for _ in 0..REPEATS {
            store
                .submit(&tenant, &[PreparedSubmission::clone(attempt)], RankDetail::Full)
                .await?;
        }
        report(&format!("a score of the {what}, with ranks"), start);
    }
    measure_pages(&store, &period_ref).await
}

async fn measure_pages(store: &SqliteStore<NativeSqlite>, period_ref: &PeriodRef<'_>) -> Done<()> {
    for limit in [10, 100, 1000] {
        let start = Instant::now();
        for _ in 0..REPEATS {
            store
                .page(period_ref, &PageFrom::Top, limit, &Caller::Anonymous)
                .await
                .map_err(unread)?;
        }
        report(&format!("top {limit}"), start);
    }
    Ok(())
}

fn unread(error: ReadError) -> Box<dyn Error> {
    match error {
        ReadError::StaleConfiguration => "stale configuration".into(),
        ReadError::Store(error) => error.into(),
    }
}

fn report(what: &str, start: Instant) {
    println!(
        "{what}: {:.3} ms",
        start.elapsed().as_secs_f64() * 1000.0 / f64::from(REPEATS)
    );
}
