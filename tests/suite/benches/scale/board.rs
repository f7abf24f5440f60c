//! The server under measurement and its leaderboards.

use std::rc::Rc;
use std::time::{Duration, Instant};

use leaderboard_core::ports::{Expected, Leaderboards, PeriodRef, PutLeaderboard, RankDetail, Scores};
use leaderboard_core::{
    Leaderboard, LeaderboardId, Operator, PeriodId, PlayerId, PreparedSubmission, Submission,
    SubmittedValues, TenantId, Timestamp, Versioned,
};
use leaderboard_redis::{Connection, RedisStore, Reply};
use leaderboard_suite::native_redis::{NativeRedis, connect};

use super::Outcome;

/// Attempts in one call of the store while a leaderboard grows.
const BATCH: u64 = 1000;
/// How often growing says how far it is.
const TELL_EVERY: Duration = Duration::from_secs(5);
/// 2026-03-01T12:00:00Z.
const NOW_MS: i64 = 1_772_366_400_000;

/// A Redis and the store on it.
pub(super) struct World {
    connection: NativeRedis,
    pub(super) store: RedisStore<NativeRedis>,
    tenant: TenantId,
    period: PeriodId,
}

/// A leaderboard of one column with this many players.
pub(super) struct Board {
    pub(super) entries: u64,
    pub(super) configuration: Rc<Versioned<Leaderboard>>,
}

/// The instant of all that happens here.
pub(super) fn now() -> Timestamp {
    Timestamp::saturating_from_unix_ms(NOW_MS)
}

/// A player by number, 16 bytes long.
pub(super) fn player(number: u64) -> Outcome<PlayerId> {
    Ok(PlayerId::new(format!("player{number:010}"))?)
}

/// A number below 2^30 that looks random, the same in every run: the order of arrival is not that of rank.
pub(super) fn scattered(number: u64) -> u64 {
    number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 34
}

impl World {
    pub(super) async fn connect(url: &str) -> Outcome<Self> {
        let connection = connect(url).await;
        Ok(Self {
            store: RedisStore::new(connection.clone()),
            connection,
            tenant: TenantId::new("acme")?,
            period: PeriodId::all_time(),
        })
    }

    /// Has Redis know the scripts and hold the buffers of a full batch before memory is looked at.
    pub(super) async fn warm_up(&self) -> Outcome<()> {
        self.fill("warm-up", BATCH).await?;
        let id = LeaderboardId::new("warm-up")?;
        let deleted = self.store.delete(&self.tenant, &id, Expected::Any).await?;
        deleted.map_err(|refusal| format!("{refusal:?}"))?;
        Ok(())
    }

    /// A new leaderboard, filled with players whose scores are scattered.
    pub(super) async fn fill(&self, name: &str, entries: u64) -> Outcome<Board> {
        let configuration = self.configure(name).await?;
        let board = Board {
            entries,
            configuration,
        };
        let started = Instant::now();
        let mut told = started;
        let mut attempts = Vec::new();
        for number in 0..entries {
            attempts.push(board.attempt(number, scattered(number))?);
            if u64::try_from(attempts.len())? == BATCH || number + 1 == entries {
                self.submit(&attempts, RankDetail::Omitted).await?;
                attempts.clear();
            }
            if told.elapsed() > TELL_EVERY {
                told = Instant::now();
                eprintln!(
                    "    {name}: {number} of {entries} entries after {} s",
                    started.elapsed().as_secs()
                );
            }
        }
        Ok(board)
    }

    async fn configure(&self, name: &str) -> Outcome<Rc<Versioned<Leaderboard>>> {
        let mut value = Leaderboard::new(LeaderboardId::new(name)?);
        value.operator = Operator::Set;
        let put = PutLeaderboard {
            max_leaderboards: None,
            tenant: &self.tenant,
            leaderboard: &value,
            expected: Expected::Any,
            current: &self.period,
            rebuild: false,
            expiries: &[],
            at: now(),
        };
        let stored = self.store.put(&put).await?;
        let (version, _) = stored.map_err(|refusal| format!("{refusal:?}"))?;
        Ok(Rc::new(Versioned { version, value }))
    }

    /// Has all attempts applied.
    pub(super) async fn submit(&self, attempts: &[PreparedSubmission], ranks: RankDetail) -> Outcome<()> {
        for settled in self.store.submit(&self.tenant, attempts, ranks).await? {
            settled.map_err(|refusal| format!("{refusal:?}"))?;
        }
        Ok(())
    }

    /// Where a board's entries are.
    pub(super) fn place<'a>(&'a self, board: &'a Board) -> PeriodRef<'a> {
        PeriodRef {
            tenant: &self.tenant,
            board: &board.configuration,
            period: &self.period,
            now: now(),
        }
    }

    /// A command of one's own.
    pub(super) async fn command(&self, words: &[&str]) -> Outcome<Vec<Reply>> {
        let (name, arguments) = words.split_first().ok_or("a command without a name")?;
        let arguments: Vec<&[u8]> = arguments.iter().map(|word| word.as_bytes()).collect();
        let replies = self.connection.command(name, &arguments).await;
        replies.map_err(|error| format!("{words:?}: {error:?}").into())
    }

    /// The number that follows `name` in the line of a section of INFO that begins with `line`, if there is one.
    pub(super) async fn info(&self, section: &str, line: &str, name: &str) -> Outcome<Option<u64>> {
        let replies = self.command(&["INFO", section]).await?;
        let [Reply::Bytes(text)] = replies.as_slice() else {
            return Err("INFO is not one text".into());
        };
        let text = std::str::from_utf8(text)?;
        let found = text.lines().find_map(|own| own.strip_prefix(line));
        let number = found.and_then(|rest| rest.split_once(name));
        let digits = number.and_then(|(_, rest)| rest.split(|c: char| !c.is_ascii_digit()).next());
        Ok(digits.map(str::parse).transpose()?)
    }
}

impl Board {
    /// A score of a player.
    pub(super) fn attempt(&self, number: u64, score: u64) -> Outcome<PreparedSubmission> {
        let submission = Submission {
            leaderboards: Vec::new(),
            player: player(number)?,
            values: SubmittedValues::Score(i64::try_from(score)?),
            operator: None,
            metadata: None,
            occurred_at: None,
            id: None,
            request: None,
        };
        let boards = std::slice::from_ref(&self.configuration);
        let attempt = submission.resolve(boards, now());
        attempt.map_err(|refusal| format!("{refusal:?}").into())
    }
}
