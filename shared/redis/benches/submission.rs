//! What one submission costs inside Redis: microseconds of the script, and the commands that the script runs. A row with a number is
//! about submissions of which so many arrive at the same time: the first is sent alone, the others are a group.

use std::rc::Rc;

use futures::future::try_join_all;
use leaderboard_core::ports::{
    Charge, ChargeRequest, Expected, Leaderboards, PutLeaderboard, RankDetail, Scores, SubmitOptions, Usage,
};
use leaderboard_core::{
    Leaderboard, LeaderboardId, Operator, PeriodId, PlayerId, PreparedSubmission, Reset, Schedule,
    StoreError, Submission, SubmissionId, SubmittedValues, TenantId, Timestamp, Versioned,
};
use leaderboard_redis::{Connection, RedisStore, Reply};
use leaderboard_test_support::RedisServer;
use leaderboard_test_support::native_redis::{NativeRedis, connect};

type Failure = Box<dyn std::error::Error>;

/// The entries of the leaderboard. Each submission updates one of them.
const ENTRIES: u64 = 20_000;
/// The submissions of one round.
const SUBMISSIONS: u64 = 192;
/// How often each kind of submission is measured. The fastest round counts: others shared the processor.
const ROUNDS: u64 = 30;
/// How many submissions are under way at a time, so that the server does not wait for the client.
const IN_FLIGHT: usize = 48;
/// How many submissions one call fills the leaderboard with.
const FILLED_AT_ONCE: u64 = 1_000;
/// A factor without a common divisor with [`ENTRIES`]: the players of a round are spread over the leaderboard.
const PLAYER_STEP: u64 = 7_919;
/// A limit that is counted and never reached.
const GENEROUS: u64 = 1_000_000_000;
/// Midday of the day whose submissions are measured, in milliseconds.
const NOW_MS: i64 = 1_772_366_400_000;

struct Bench {
    connection: NativeRedis,
    /// The stores of several instances. Only submissions to one of them wait for each other.
    stores: Vec<RedisStore<NativeRedis>>,
    tenant: TenantId,
    board: Rc<Versioned<Leaderboard>>,
}

impl Bench {
    /// Creates the leaderboard and its entries.
    async fn fill(url: &str) -> Result<Self, Failure> {
        let connection = connect(url).await;
        let store = RedisStore::new(connection.clone());
        let tenant = TenantId::new("acme")?;
        let mut value = Leaderboard::new(LeaderboardId::new("goals")?);
        value.operator = Operator::Increment;
        // Periods expire, so that deadlines of keys count too.
        value.schedule = Schedule::new(Reset {
            cron: "0 0 * * *".into(),
            time_zone: "UTC".into(),
        })?;
        value.keep_periods = 7;
        let all = PeriodId::all_time();
        let put = PutLeaderboard {
            max_leaderboards: None,
            tenant: &tenant,
            leaderboard: &value,
            expected: Expected::Any,
            current: &all,
            rebuild: false,
            verified: None,
            expiries: &[],
            at: Timestamp::saturating_from_unix_ms(NOW_MS),
        };
        let (version, _) = store.put(&put).await?.map_err(|refusal| format!("{refusal:?}"))?;
        let board = Rc::new(Versioned { version, value });
        let bench = Self {
            stores: (0..IN_FLIGHT)
                .map(|_| RedisStore::new(connection.clone()))
                .collect(),
            connection,
            tenant,
            board,
        };
        let options = SubmitOptions::new(RankDetail::Omitted);
        for (first, store) in (0..ENTRIES)
            .step_by(usize::try_from(FILLED_AT_ONCE)?)
            .zip(&bench.stores)
        {
            let numbers = first..first + FILLED_AT_ONCE;
            let submissions: Result<Vec<_>, _> = numbers.map(|n| bench.submission(n, None)).collect();
            bench.submit(store, &submissions?, &options).await?;
        }
        Ok(bench)
    }

    fn submission(&self, number: u64, id: Option<SubmissionId>) -> Result<PreparedSubmission, Failure> {
        let submission = Submission {
            leaderboards: Vec::new(),
            player: PlayerId::new(format!("player-{:05}", number * PLAYER_STEP % ENTRIES))?,
            values: SubmittedValues::Named(vec![("score".into(), i64::try_from(number % 1000)? + 1)]),
            operator: None,
            metadata: None,
            occurred_at: None,
            id,
            request: None,
            received_at: None,
        };
        let now = Timestamp::saturating_from_unix_ms(NOW_MS);
        let prepared = submission.resolve(std::slice::from_ref(&self.board), now);
        Ok(prepared.map_err(|refusal| format!("{refusal:?}"))?)
    }

    async fn submit(
        &self,
        store: &RedisStore<NativeRedis>,
        submissions: &[PreparedSubmission],
        options: &SubmitOptions,
    ) -> Result<(), Failure> {
        let submitted = store
            .submit_with_options(&self.tenant, submissions, options)
            .await?;
        for answer in submitted.answers {
            answer.map_err(|refusal| format!("{refusal:?}"))?;
        }
        Ok(())
    }

    /// Measures one kind of submission, and prints a row for it. `together`: how many arrive in an instance at the same time.
    async fn measure(
        &self,
        name: &str,
        has_id: bool,
        together: usize,
        options: &SubmitOptions,
    ) -> Result<(), Failure> {
        let mut fastest = f64::MAX;
        let mut inside = String::new();
        for round in 0..=ROUNDS {
            let mut submissions = Vec::new();
            for number in 0..SUBMISSIONS {
                let id = has_id
                    .then(|| SubmissionId::new(format!("{name}-{round}-{number}").replace([' ', ','], "")));
                submissions.push(self.submission(number, id.transpose()?)?);
            }
            self.send("CONFIG", b"RESETSTAT").await?;
            for in_flight in submissions.chunks(IN_FLIGHT) {
                let instances = in_flight.chunks(together).zip(&self.stores);
                let calls = instances.flat_map(|(calls, store)| calls.iter().map(move |one| (store, one)));
                let calls = calls.map(|(store, one)| self.submit(store, std::slice::from_ref(one), options));
                try_join_all(calls).await?;
            }
            let statistics = self.read_statistics().await?;
            // The first round loads the script and creates keys.
            if round > 0 {
                let script = statistics.iter().filter(|command| command.is_script());
                fastest =
                    fastest.min(script.map(|command| command.microseconds).sum::<f64>() / SUBMISSIONS as f64);
                inside = describe_commands(&statistics);
            }
        }
        println!("| {name} | {fastest:.1} | {inside} |");
        Ok(())
    }

    async fn send(&self, name: &str, argument: &[u8]) -> Result<Vec<Reply>, StoreError> {
        Ok(self.connection.command(name, &[argument]).await?)
    }

    async fn read_statistics(&self) -> Result<Vec<CommandStatistics>, Failure> {
        let replies = self.send("INFO", b"commandstats").await?;
        let Some(Reply::Bytes(text)) = replies.into_iter().next() else {
            return Err("INFO returns no text".into());
        };
        let text = String::from_utf8(text)?;
        Ok(text.lines().filter_map(CommandStatistics::parse).collect())
    }
}

/// What the server counted for one command.
struct CommandStatistics {
    name: String,
    calls: f64,
    microseconds: f64,
}

impl CommandStatistics {
    /// Parses a line such as `cmdstat_hget:calls=2,usec=3,…`.
    fn parse(line: &str) -> Option<Self> {
        let (name, numbers) = line.strip_prefix("cmdstat_")?.split_once(':')?;
        let mut numbers = numbers.split([',', '=']);
        let mut read = || numbers.nth(1)?.parse().ok();
        Some(Self {
            name: name.to_owned(),
            calls: read()?,
            microseconds: read()?,
        })
    }

    fn is_script(&self) -> bool {
        self.name.starts_with("eval") || self.name.starts_with("fcall")
    }
}

/// Returns how many commands a submission runs inside the script, and which.
fn describe_commands(statistics: &[CommandStatistics]) -> String {
    let mut total = 0.0;
    let mut names = Vec::new();
    for command in statistics {
        let per_submission = command.calls / SUBMISSIONS as f64;
        // Less than one in a hundred submissions: the statistics' own commands, and the trim of a log.
        if !command.is_script() && per_submission >= 0.01 {
            total += per_submission;
            names.push(format!("{} {per_submission:.1}", command.name));
        }
    }
    names.sort();
    format!("{total:.1} | {}", names.join(", "))
}

/// Returns what a server's submission with a key is charged: the client's, the key's and the tenant's policy.
fn charge_request() -> ChargeRequest {
    let charge = |bucket: &str| Charge {
        bucket: bucket.into(),
        interval_us: 1,
        burst: GENEROUS,
        needs: Some(1),
        cost: 1,
    };
    ChargeRequest {
        charges: ["client", "key", "tenant"].map(charge).into(),
        usage: Usage {
            requests: 1,
            scores: 1,
        },
        max_requests_per_day: Some(GENEROUS),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let server = RedisServer::start();
    let bench = Bench::fill(&server.url()).await?;
    let plain = SubmitOptions::new(RankDetail::Full);
    let limited = SubmitOptions {
        max_tenant_entries: Some(GENEROUS),
        max_log_bytes: Some(GENEROUS),
        announce_on: Some("edgeboard.changes".into()),
        ..plain.clone()
    };
    let charged = SubmitOptions {
        charge_request: charge_request(),
        ..limited.clone()
    };
    println!("| submission | µs inside Redis | commands inside | which |\n|---|---:|---:|---|");
    bench.measure("ranks", false, 1, &plain).await?;
    bench.measure("ranks and id", true, 1, &plain).await?;
    bench
        .measure("ranks, id, quotas, announcement", true, 1, &limited)
        .await?;
    bench.measure("the same, charged", true, 1, &charged).await?;
    for together in [2, 4, 8, 16] {
        for (name, options) in [("ranks and id", &plain), ("charged", &charged)] {
            let name = format!("{name}, {together}");
            bench.measure(&name, true, together, options).await?;
        }
    }
    Ok(())
}
