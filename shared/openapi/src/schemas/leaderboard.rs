//! Leaderboards.

use serde::Deserialize;
use utoipa::ToSchema;

use super::entries::{PageV2, Period};
use super::patch::add_patch;
use super::{Int64, Known, known};

pub(super) fn add(all: &mut Vec<Known>) {
    known::<Leaderboard>(all);
    known::<PublicLeaderboard>(all);
    known::<ReadableLeaderboard>(all);
    known::<LeaderboardWritten>(all);
    known::<Leaderboards>(all);
    known::<LeaderboardsV2>(all);
    add_patch(all, "LeaderboardWritten");
}

/// A leaderboard, all fields there.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Leaderboard {
    /// Its id.
    pub id: String,
    /// Its name for people.
    pub title: String,
    /// 1 to 3; the first decides, the next ones break its ties.
    pub columns: Vec<Column>,
    /// What a submission does to an entry.
    pub operator: Operator,
    /// Whether a server's submission may name another operator. A server may always `set`; where this is `false`, that is a correction and is recorded.
    pub operator_override: bool,
    /// How entries of equal values are ranked.
    pub ties: Ties,
    /// When a new period begins; `null`: never.
    #[schema(required)]
    pub reset: Option<Reset>,
    /// Since when this `reset` holds, or from when on it will: the period that it found ends then. `null`: since ever.
    #[schema(required)]
    pub reset_takes_effect_at: Option<String>,
    /// How many periods are kept.
    pub keep_periods: u16,
    /// Scores from before are refused.
    #[schema(required)]
    pub starts_at: Option<String>,
    /// Scores from then on are refused.
    #[schema(required)]
    pub ends_at: Option<String>,
    /// What is accepted.
    pub limits: ScoreLimits,
    /// Who may read and write.
    pub access: Access,
    /// How long finished answers are used again.
    pub cache: CachePolicy,
    /// How much of its event log is kept.
    pub log: LogPolicy,
}

/// A leaderboard as those know it who may read its entries.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PublicLeaderboard {
    /// Its id.
    pub id: String,
    /// Its name for people.
    pub title: String,
    /// 1 to 3; the first decides, the next ones break its ties.
    pub columns: Vec<Column>,
    /// How entries of equal values are ranked.
    pub ties: Ties,
    /// The period that holds now.
    pub current_period: Period,
    /// When the next period begins; `null`: never.
    #[schema(required)]
    pub next_reset: Option<String>,
}

/// A leaderboard: all of it for an administrator, what may be known of it for others.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum ReadableLeaderboard {
    /// For an administrator.
    Leaderboard(Box<Leaderboard>),
    /// For others who may read its entries.
    Public(PublicLeaderboard),
}

/// A leaderboard as it is written: what is left out has its default.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LeaderboardWritten {
    /// The id in the path, if at all.
    #[schema(nullable = false, pattern = "^[a-z0-9][a-z0-9._-]{0,63}$")]
    pub id: Option<String>,
    /// Its name for people.
    #[schema(max_length = 200, nullable = false)]
    pub title: Option<String>,
    /// One column `score`, `desc`, unless said.
    #[schema(min_items = 1, max_items = 3, nullable = false)]
    pub columns: Option<Vec<ColumnWritten>>,
    /// `best` unless said.
    #[schema(nullable = false)]
    pub operator: Option<Operator>,
    /// Whether a submission may name another operator.
    #[schema(nullable = false)]
    pub operator_override: Option<bool>,
    /// `earliest` unless said.
    #[schema(nullable = false)]
    pub ties: Option<Ties>,
    /// When a new period begins; `null`: never. A change takes effect at the end of the current period.
    pub reset: Option<Reset>,
    /// As it was read, if at all; it changes nothing.
    pub reset_takes_effect_at: Option<String>,
    /// 12 unless said.
    #[schema(minimum = 1, maximum = 1000, nullable = false)]
    pub keep_periods: Option<u16>,
    /// Scores from before are refused.
    #[schema(format = "date-time")]
    pub starts_at: Option<String>,
    /// Scores from then on are refused.
    #[schema(format = "date-time")]
    pub ends_at: Option<String>,
    /// What is accepted.
    pub limits: Option<ScoreLimitsWritten>,
    /// Who may read and write.
    pub access: Option<AccessWritten>,
    /// How long finished answers are used again.
    pub cache: Option<CachePolicyWritten>,
    /// How much of its event log is kept.
    pub log: Option<LogPolicyWritten>,
}

/// How much of an event log is kept: the newest events that are within both bounds.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LogPolicy {
    /// The most events.
    pub keep_events: u32,
    /// The oldest event, in days.
    pub keep_days: u16,
}

/// How much of an event log is kept, as it is written.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LogPolicyWritten {
    /// The most events; 100,000 unless said.
    #[schema(minimum = 1, maximum = 1_000_000, nullable = false)]
    pub keep_events: Option<u32>,
    /// The oldest event, in days; 30 unless said.
    #[schema(minimum = 1, maximum = 3650, nullable = false)]
    pub keep_days: Option<u16>,
}

/// A column.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Which values are better.
    pub order: Order,
}

/// A column as it is written.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ColumnWritten {
    /// Its name.
    #[schema(pattern = "^[a-z][a-z0-9_]{0,31}$")]
    pub name: String,
    /// `desc` unless said.
    #[schema(nullable = false)]
    pub order: Option<Order>,
}

/// Which values are better.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Greater ones.
    Desc,
    /// Smaller ones.
    Asc,
}

/// What a submission does to an entry.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Operator {
    /// Keeps the better of both.
    Best,
    /// Takes the new one.
    Set,
    /// Adds.
    Increment,
    /// Takes away.
    Decrement,
}

/// How entries of equal values are ranked.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ties {
    /// Who was there first is ahead.
    Earliest,
    /// Who came last is ahead.
    Latest,
    /// They share a rank: 1224.
    Shared,
    /// They share a rank: 1223.
    Dense,
}

/// When a new period begins.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reset {
    /// Five fields of cron.
    #[schema(max_length = 100)]
    pub cron: String,
    /// The name of a zone of the IANA database.
    pub time_zone: String,
}

/// What is accepted; `null` is no limit.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScoreLimits {
    /// The least value.
    #[schema(required)]
    pub min: Option<Int64>,
    /// The greatest value.
    #[schema(required)]
    pub max: Option<Int64>,
    /// The most that a submission changes an entry.
    #[schema(required)]
    pub max_change: Option<Int64>,
    /// The most submissions of a player in a period.
    #[schema(required)]
    pub max_attempts: Option<u32>,
    /// The most entries in a period.
    #[schema(required)]
    pub max_entries: Option<Int64>,
}

/// What is accepted, as it is written.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScoreLimitsWritten {
    /// The least value.
    pub min: Option<Int64>,
    /// The greatest value.
    pub max: Option<Int64>,
    /// The most that a submission changes an entry.
    pub max_change: Option<Int64>,
    /// The most submissions of a player in a period.
    pub max_attempts: Option<u32>,
    /// The most entries in a period.
    pub max_entries: Option<Int64>,
}

/// Who may read and write.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Access {
    /// Who may read.
    pub read: Readers,
    /// Who may write.
    pub write: Writers,
}

/// Who may read and write, as it is written.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccessWritten {
    /// `public` unless said.
    #[schema(nullable = false)]
    pub read: Option<Readers>,
    /// `server` unless said.
    #[schema(nullable = false)]
    pub write: Option<Writers>,
}

/// Who may read.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Readers {
    /// Everybody.
    Public,
    /// Who has a credential that allows it.
    Private,
}

/// Who may write.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Writers {
    /// Servers.
    Server,
    /// Players too, for themselves.
    Player,
}

/// How long finished answers are used again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CachePolicy {
    /// How long an answer is fresh.
    pub lifetime_ms: u32,
    /// How long it is used while a new one is made.
    pub stale_ms: u32,
    /// How long it is used while the store is out of reach.
    pub stale_if_error_ms: u32,
    /// When answers are made.
    pub strategy: Strategy,
    /// What is kept warm.
    pub warm: Vec<WarmView>,
}

/// How long finished answers are used again, as it is written.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CachePolicyWritten {
    /// How long an answer is fresh.
    #[schema(maximum = 3_600_000, nullable = false)]
    pub lifetime_ms: Option<u32>,
    /// How long it is used while a new one is made.
    #[schema(maximum = 3_600_000, nullable = false)]
    pub stale_ms: Option<u32>,
    /// How long it is used while the store is out of reach.
    #[schema(maximum = 86_400_000, nullable = false)]
    pub stale_if_error_ms: Option<u32>,
    /// When answers are made.
    #[schema(nullable = false)]
    pub strategy: Option<Strategy>,
    /// What is kept warm.
    #[schema(max_items = 8, nullable = false)]
    pub warm: Option<Vec<WarmView>>,
}

/// When answers are made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// When they are asked for.
    Aside,
    /// By the writes too.
    WriteThrough,
    /// A little before they are out of date.
    RefreshAhead,
}

/// An answer that is kept warm.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WarmView {
    /// `entries` or `distribution`.
    pub view: String,
    /// Of entries, how many.
    #[schema(minimum = 1, maximum = 1000, nullable = false)]
    pub limit: Option<u16>,
    /// Of a distribution, how many buckets.
    #[schema(minimum = 1, maximum = 100, nullable = false)]
    pub buckets: Option<u16>,
}

/// A page of leaderboards.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Leaderboards {
    /// In the order of their ids.
    pub leaderboards: Vec<ReadableLeaderboard>,
    /// The cursor of the next page.
    #[schema(required)]
    pub next: Option<String>,
}

/// A page of leaderboards.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LeaderboardsV2 {
    /// In the order of their ids.
    pub data: Vec<ReadableLeaderboard>,
    /// Where the list goes on.
    pub page: PageV2,
}
